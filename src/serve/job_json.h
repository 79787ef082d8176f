#pragma once
// Crawls between JSON and the values of JobControl (docs/openapi.yaml: NewJob, Job, Progress).
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "serve/job_control.h"
#include "serve/problem.h"

namespace magpie {

void write_progress(JsonWriter& json, const CrawlProgress& progress);
void write_job(JsonWriter& json, const CrawlJobView& job);
std::string progress_text(const CrawlProgress& progress);
std::string job_text(const CrawlJobView& job);

struct NewCrawl {
  std::vector<std::string> seeds;  // canonical URLs
  CrawlOptions options;
};
struct NewCollect {
  std::string source, label;
  CrawlOptions options;
};
/// {"source", "label", "options", "pictures_max"}; `request_malformed` otherwise.
Outcome<NewCollect> parse_new_collect(std::string_view json);
/// Problems: `request_malformed` for anything but the expected JSON, `seed_invalid` for a seed that is no http or https address.
Outcome<NewCrawl> parse_new_crawl(std::string_view json);
/// {"causes": ["dns", ...]}; an empty list for `{}`; `request_malformed` otherwise.
Outcome<std::vector<Cause>> parse_causes(std::string_view json);
/// {"all": bool}; false for `{}`; `request_malformed` otherwise.
Outcome<bool> parse_revisit(std::string_view json);
/// Whether it is `{}`; `request_malformed` otherwise.
Outcome<bool> parse_empty_object(std::string_view json);

}  // namespace magpie
