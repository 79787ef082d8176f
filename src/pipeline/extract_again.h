#pragma once
// Reads stored pages once more from the archive, as when the extractor has learnt something, and says what is different now.
// Nothing is fetched: pictures that are new are queued with the crawl that fetched their page.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "core/archive.h"
#include "core/catalog.h"
#include "crawl/rules.h"
#include "pipeline/finished.h"
#include "pipeline/page_difference.h"
#include "pipeline/site_selectors.h"
#include "pipeline/under_way.h"
#include "process/worker_pool.h"

namespace magpie::pipeline {

class Recorder;

/// All must outlive the run.
struct ExtractAgainParts {
  Archive& archive;
  Catalog& catalog;
  WorkerPool& workers;
  Recorder& recorder;
  crawl::CrawlSettings settings;
  /// The rules of a job, by which its pictures have their names; nothing for a replay, whose archive is not asked for again.
  std::function<std::optional<crawl::CrawlRules>(JobId)> rules;
};

struct PageChange {
  std::string url;
  std::vector<FieldChange> fields;  // at least one
};

struct ExtractAgainOptions {
  bool dry_run = false;                                   // compare, and write nothing
  std::optional<std::vector<PageId>> only = {};           // these in place of all
  std::function<void(const PageChange&)> on_change = {};  // called by one thread at a time; must not ask for counts()
};

struct ExtractAgainCounts {
  std::uint64_t of = 0;     // pages to read
  std::uint64_t pages = 0;  // read so far
  std::uint64_t changed = 0;
  std::uint64_t unreadable = 0;    // their record is damaged, or the worker died of it: they stay as they are
  std::uint64_t left = 0;          // their last visit failed, so they wait for the next
  std::uint64_t pictures_new = 0;  // addresses that no candidate of the page's pictures had before
  std::map<std::string, std::uint64_t> by_field;
};

class ExtractAgain {
 public:
  ExtractAgain(ExtractAgainParts parts, ExtractAgainOptions options);

  /// Until all pages are read or `stop` is asked for; then what was read is written down. Run again after a crash it does the rest, as what
  /// is the same already costs nothing but its reading. Errors: those of the disk, or of workers that cannot be started. Called once.
  Result<ExtractAgainCounts> run(std::stop_token stop);
  /// Thread-safe.
  ExtractAgainCounts counts() const {
    return counts_.with([](const ExtractAgainCounts& counts) { return counts; });
  }

 private:
  struct PageAtHand;
  /// Null when there is nothing to read of it.
  Result<std::shared_ptr<PageAtHand>> page_at_hand(PageId id);
  void submit(std::shared_ptr<PageAtHand> at_hand);
  std::shared_ptr<const RunContext> context_of(JobId job, const PageDetails& page);
  void answered(PageAtHand& at_hand, Result<std::string> answer);
  void compare(PageAtHand& at_hand, Page page);

  ExtractAgainParts parts_;
  ExtractAgainOptions options_;
  std::map<JobId, std::shared_ptr<const RunContext>> contexts_;  // of the running thread; null for a replay
  SiteSelectors selectors_;                                      // of the running thread; as the catalog has them
  Guarded<ExtractAgainCounts> counts_;
  static constexpr std::size_t kUnderWayMax = 256;
  UnderWay under_way_{kUnderWayMax};
};

}  // namespace magpie::pipeline
