#pragma once
// What the catalog keeps of crawls: jobs, visits to hosts, what was learnt of hosts, counts. SQL only; core/catalog.h says what each call
// means.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

Result<CatalogStats> read_stats(Database& db);
Result<std::vector<Job>> read_jobs(Database& db);
Result<std::optional<Job>> read_job(Database& db, JobId id);
Result<std::vector<HostVisit>> read_host_visits(Database& db, std::string_view host);
Result<std::map<std::string, Timestamp>> read_resting_hosts(Database& db, Timestamp now);
Result<std::vector<LearntSelector>> read_selectors(Database& db, std::string_view host);
Result<HostSummary> read_host_summary(Database& db, std::string_view host);
Result<std::vector<Fetch>> read_failures(Database& db, std::optional<Cause> cause, std::size_t limit);

}  // namespace magpie
