#pragma once
// Where pictures go that a source lists: into the frontier, to be fetched, and into the catalog with their labels and the place that the
// listing has reached.
#include <memory>
#include <string>

#include "collect/lister.h"
#include "core/catalog.h"
#include "core/clock.h"
#include "core/frontier.h"
#include "crawl/rules.h"
#include "pipeline/recorder.h"

namespace magpie::pipeline {

/// All must outlive the sink.
struct ListingSinkParts {
  Frontier& frontier;
  const Catalog& catalog;
  Recorder& recorder;
  const Clock& clock;
  const crawl::CrawlRules& rules;  // of the job
};

/// Each batch is one transaction of the recorder's thread; the frontier knows its addresses before it is committed, so that a killed run
/// has either both or asks for the batch again.
std::unique_ptr<collect::ListingSink> make_listing_sink(ListingSinkParts parts, std::string source);

/// Those of a crawl that fetches listed pictures and nothing else.
crawl::CrawlSettings collect_settings(crawl::CrawlSettings settings, const collect::Description& description);
/// Of a folder: what lies in it. Else all that is http.
crawl::CrawlRules collect_rules(JobId job, const crawl::CrawlSettings& settings, const collect::Description& description);

}  // namespace magpie::pipeline
