#pragma once
// A crawl's options and progress as the JSON that the catalog keeps with the job. Unknown or missing keys are passed over, so that
// older and newer programs read each other's jobs.
#include <string>
#include <string_view>

#include "serve/job_control.h"

namespace magpie {

std::string to_json(const CrawlOptions& options);
CrawlOptions options_from_json(std::string_view json);

/// Counters, and until when the crawl rests; rates and hosts are of the moment.
std::string to_json(const CrawlProgress& progress);
CrawlProgress progress_from_json(std::string_view json);

}  // namespace magpie
