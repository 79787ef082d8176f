#pragma once
// A crawl as somebody asks for it and watches it (serve/job_control.h), as the catalog keeps it (core/catalog.h), and as settings of the
// run.
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "crawl/settings.h"
#include "net/url.h"
#include "serve/job_control.h"

namespace magpie {

CrawlState state_of(JobState state);
/// What the catalog knows of a job.
CrawlJobView view_of(const Job& job);
/// A job to be written down. Rates and hosts are of the moment and left out.
Job job_of(const CrawlJobView& view);

/// Puts what was asked for in the place of the settings. A profile that cannot be read is left out, and logged.
void apply(const CrawlOptions& options, crawl::CrawlSettings& settings);

/// The address as a seed: `https://` before one that names no scheme, canonical. kBadInput for what is no http address.
Result<Url> parse_seed(std::string_view text);
Result<std::vector<Url>> parse_seeds(const std::vector<std::string>& texts);

}  // namespace magpie
