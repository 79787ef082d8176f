#pragma once
// What was done to one host, over all crawls of a collection: the ledger that a site's owner can be shown.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/catalog.h"
#include "crawl/reports.h"

namespace magpie {

/// As the catalog keeps it (HostVisit::report_json). Unknown or missing keys are passed over.
std::string to_json(const crawl::HostReport& report);
crawl::HostReport host_report_from_json(std::string_view json);

struct HostLedger {
  struct Visit {
    JobId job = 0;
    Timestamp run_started_at{};
    crawl::HostReport report;
  };
  std::string host;
  std::vector<Visit> visits;  // oldest first; those that asked nothing are left out
  HostSummary kept;
  crawl::HostReport total;  // sums, smallest gap, highest peak, latest robots.txt
};

/// kNotFound when no crawl has asked anything of `host` ("a.test", "a.test:8080").
Result<HostLedger> read_host_ledger(const Catalog& catalog, std::string_view host);

}  // namespace magpie
