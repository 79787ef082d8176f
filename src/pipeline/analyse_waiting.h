#pragma once
// Does what a crawl left out (crawl.pictures, analyse.detector): analyses pictures that were only archived, embeds those that were only
// described, and looks for things in those that were only embedded.
// Nothing is fetched.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <unordered_set>

#include "base/guarded.h"
#include "core/archive.h"
#include "core/catalog.h"
#include "crawl/rules.h"
#include "pipeline/finished.h"
#include "pipeline/under_way.h"
#include "process/worker_pool.h"

namespace magpie::pipeline {

class Recorder;

/// All must outlive the run.
struct AnalyseWaitingParts {
  const Archive& archive;
  const Catalog& catalog;
  WorkerPool& workers;
  Recorder& recorder;
  crawl::CrawlSettings settings;
  /// The rules of a job, by which a page falls back to its next picture; nothing for a replay.
  std::function<std::optional<crawl::CrawlRules>(JobId)> rules;
  std::string space;     // of the workers' vectors (core/embedder.h)
  std::string detector;  // of the workers, its name and version; empty: they look for nothing
};

struct AnalyseWaitingCounts {
  std::uint64_t analysed = 0;
  std::uint64_t embedded = 0;    // described before
  std::uint64_t detected = 0;    // looked through for things; embedded before
  std::uint64_t compared = 0;    // with those like it, for copies, and
  std::uint64_t copies = 0;      // found meanwhile, these ways and by hashes; and
  std::uint64_t surrounded = 0;  // its look-alikes heard (look_around.h); none of the three counted by AnalyseWaiting itself
  std::uint64_t failed = 0;      // no pictures, or broken: given up as a crawl would have done
};

class AnalyseWaiting {
 public:
  explicit AnalyseWaiting(AnalyseWaitingParts parts) : parts_(std::move(parts)) {}

  /// Until none waits or `stop` is asked for; then what was analysed is findable. Run again after a crash it does the rest. Errors: those
  /// of the disk, or of workers that cannot be started.
  Result<AnalyseWaitingCounts> run(std::stop_token stop);
  /// Only embeds what has no vectors in the space, those of its regions included; what comes meanwhile may be left out. Errors as run().
  /// May be called again, for what has come since; pictures that failed are not tried a second time.
  Result<void> embed_all(const std::stop_token& stop, const std::function<void()>& progress = {});
  /// Those that failed, some of which may have gone since. Thread-safe.
  std::unordered_set<ImageId> not_embedded() const {
    return not_embedded_.with([](const auto& failed) { return failed; });
  }
  /// Thread-safe.
  AnalyseWaitingCounts counts() const {
    return counts_.with([](const AnalyseWaitingCounts& counts) { return counts; });
  }

 private:
  template <class One>
  Result<void> each(const std::stop_token& stop, const std::function<Result<std::vector<One>>(std::int64_t behind)>& read,
                    void (AnalyseWaiting::*take)(One), const std::function<void()>& progress = {});
  void analyse(WaitingImage waiting);
  void analysed(Finished& finished, Result<std::string> answer);
  void embed(Image image);
  void detect(Image image) { look_again(std::move(image), &AnalyseWaitingCounts::detected); }
  void look_again(Image image, std::uint64_t AnalyseWaitingCounts::*counter);
  bool has_moved(Image& image) const;
  struct Again {
    Image image;
    std::vector<EmbeddedRegion> known;  // regions that are kept of it
    std::uint64_t AnalyseWaitingCounts::*counter = nullptr;
  };
  void looked_again(Again again, Result<std::string> answer);
  std::shared_ptr<const RunContext> context_of(JobId job);

  static constexpr std::size_t kUnderWayMax = 64;
  AnalyseWaitingParts parts_;
  std::map<JobId, std::shared_ptr<const RunContext>> contexts_;  // of the running thread
  Guarded<AnalyseWaitingCounts> counts_;
  Guarded<std::unordered_set<ImageId>> not_embedded_;  // though it was tried
  UnderWay under_way_{kUnderWayMax};
};

}  // namespace magpie::pipeline
