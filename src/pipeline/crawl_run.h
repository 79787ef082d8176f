#pragma once
// One crawl job, from its seeds to its end: a thread that fetches, a thread that archives and hands out work, the workers' answers
// into the recorder. Full queues hold back whoever fills them, down to the fetches themselves.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/metrics.h"
#include "collect/lister.h"
#include "crawl/fetch_loop.h"
#include "crawl/replay_index.h"
#include "pipeline/page_rendering.h"
#include "pipeline/recorder.h"
#include "pipeline/same_pages.h"
#include "pipeline/site_selectors.h"
#include "process/worker_pool.h"

namespace magpie {
struct PageContext;
}

namespace magpie::pipeline {

/// All must outlive the run.
struct CrawlRunParts {
  Frontier& frontier;
  Archive& archive;
  std::mutex& archive_writing;
  Catalog& catalog;
  WorkerPool& page_workers;
  WorkerPool& picture_workers;
  Recorder& recorder;
  const Clock& clock;
  MetricsRegistry* metrics = nullptr;  // none is told where this is null
  fs::path browser_folder{};           // of a browser's profile, should one be needed; emptied
};

struct CrawlRunCounts {
  crawl::CrawlTotals fetched;
  std::uint64_t queued = 0;      // waiting in the frontier
  std::uint64_t processing = 0;  // fetched, not yet written down
  std::uint64_t rendered = 0;    // pages that are kept as a browser showed them
};

/// How far a picture goes (crawl.pictures).
enum class PictureStage { kArchive, kDescribe, kEmbed };

/// The client of a crawl: its agent, guard, names and proxy. kBadInput without an agent.
Result<std::unique_ptr<HttpClient>> make_crawl_client(const crawl::CrawlSettings& settings, MetricsRegistry* metrics);

class CrawlRun {
 public:
  /// kBadInput: no agent name, or a seed that is no http address. Settings are read now.
  static Result<std::unique_ptr<CrawlRun>> make(CrawlRunParts parts, const crawl::CrawlSettings& settings, JobId job,
                                                const std::vector<Url>& seeds);
  /// Crawls what WARC files hold, without the network: each page of theirs, and the pictures it shows. Reads all files before it returns,
  /// as ReplayIndex::build() does and with its errors; kCancelled when `stop` is asked for meanwhile.
  static Result<std::unique_ptr<CrawlRun>> make_replay(CrawlRunParts parts, crawl::CrawlSettings settings, JobId job,
                                                       const std::vector<fs::path>& files, std::stop_token stop);
  /// Fetches the pictures that a source lists, while it lists them (src/collect), and no pages. kBadInput as make().
  static Result<std::unique_ptr<CrawlRun>> make_collect(CrawlRunParts parts, crawl::CrawlSettings settings, JobId job,
                                                        collect::Description description, const collect::ListerOptions& options);
  ~CrawlRun();

  /// Crawls until nothing is left, the time is over or `stop` is asked for; then what was fetched is written down and findable.
  /// Errors are those of the disk, or of workers that cannot be started. Called once, by one thread.
  Result<crawl::CrawlEnd> run(std::stop_token stop);

  /// What a replay's files are missing, in words; empty when nothing is.
  std::string damage() const { return replay_ ? crawl::words_of_damage(replay_->counts()) : std::string(); }

  /// What pages lack that no browser could be found for, in words; empty when nothing is. Thread-safe.
  std::string unrendered() const;

  /// Whether it fetches from this machine alone, so that no site has to be told of it or spared.
  bool asks_nobody() const { return context_->rules.is_local(); }
  /// Thread-safe.
  CrawlRunCounts counts() const;
  /// Of a collect job, else zeros.
  collect::ListingCounts listing() const { return lister_ ? lister_->counts() : collect::ListingCounts(); }
  std::vector<crawl::HostReport> hosts() const;

 private:
  CrawlRun(CrawlRunParts parts, JobId job, std::uint64_t alike_max)
      : parts_(parts), job_(job), same_pages_(SamePages(alike_max)), sites_(selectors_from(parts.catalog)) {}
  Result<void> prepare(const crawl::CrawlSettings& settings, crawl::CrawlRules rules);
  Result<std::shared_ptr<crawl::PictureSizes>> picture_sizes(const crawl::CrawlSettings& settings) const;
  void list(const std::stop_token& stop);
  void dispatch();
  void take(crawl::FetchedDocument document);
  void take_unchanged(std::shared_ptr<Finished> finished, const std::string& robots_tag);
  bool take_newer(std::shared_ptr<Finished>& finished, crawl::FetchedDocument& document);
  void take_kept(std::shared_ptr<Finished> finished, const UrlDetails& before, const std::string& robots_tag);
  bool is_complete(ImageId image) const;
  void analyse_archived(std::shared_ptr<Finished> finished);
  bool refuse_forgotten(Finished& finished, std::string_view body) const;
  bool refuse_opted_out(Finished& finished, const std::string& robots_tag) const;
  std::optional<crawl::Validators> validators_of(const UrlRecord& url) const;
  void hand_out(std::shared_ptr<Finished> finished, const crawl::FetchedDocument& document);
  void submit(std::shared_ptr<Finished> finished, Result<WorkRequest> request);
  void answered(std::shared_ptr<Finished> finished, Result<std::string> answer);
  bool renders(const Finished& finished, const Page& page);
  void render(std::shared_ptr<Finished> finished, Page plain);
  void take_rendered(std::shared_ptr<Finished> finished, std::shared_ptr<Page> plain, Result<browser::RenderedPage> shown);
  void take_better(std::shared_ptr<Finished> finished, Page plain, const ArchivePlace& place, Result<std::string> answer);
  Result<ArchivePlace> archive_rendered(const Finished& finished, const browser::RenderedPage& shown);
  PageContext context_of(Finished& finished, std::string robots_tag);
  void learn_from(const Finished& finished, const Page& page);
  void finish_learning(bool reads_again);
  Result<void> keep_what_was_learnt();
  Result<void> read_unmarked_again(std::stop_token stop);
  void take_page(Finished& finished, Page page);
  void finish(Finished finished);
  void abandon(Finished& finished, const Error& error);
  void ask_again(Finished& finished);
  void give_up(const Error& error);

  CrawlRunParts parts_;
  const JobId job_;
  crawl::CrawlSettings settings_;
  std::string agent_;
  PictureStage pictures_ = PictureStage::kEmbed;
  std::vector<UrlRecord> seeds_;
  std::shared_ptr<const RunContext> context_;
  std::shared_ptr<const crawl::ReplayIndex> replay_;  // in place of the network
  std::unique_ptr<collect::ListingSink> sink_;        // of a collect job, as the next three
  std::unique_ptr<HttpClient> lister_client_;
  std::unique_ptr<collect::Lister> lister_;
  std::atomic<bool> listing_{false};
  std::unique_ptr<HttpClient> client_;
  BoundedQueue<crawl::FetchedDocument> documents_{64};
  std::unique_ptr<crawl::FetchLoop> loop_;
  std::string browser_missing_;  // why there is no rendering_ though pages may ask for it
  std::atomic<std::uint64_t> rendered_{0}, unrendered_{0};

  std::atomic<std::uint64_t> processing_{0};
  Guarded<SamePages> same_pages_;
  Guarded<SiteSelectors> sites_;
  /// Pages without a product in their markup, and the edition of the selectors that they were read by.
  struct Unmarked {
    std::unordered_map<std::string, std::vector<std::pair<std::string, std::uint32_t>>> by_host;
    std::size_t count = 0;
  };
  Guarded<Unmarked> unmarked_;
  mutable std::mutex mutex_;
  std::condition_variable drained_;
  std::stop_source stop_;
  std::string trouble_;                       // why the run cannot go on; guarded by mutex_
  std::unique_ptr<PageRendering> rendering_;  // last: its thread uses all else
};

}  // namespace magpie::pipeline
