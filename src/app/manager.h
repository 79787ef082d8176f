#pragma once
// The process that manages a collection: its worker pool, its recorder, and its crawls, one at a time. `magpie serve` keeps one for
// as long as it runs; `magpie crawl` makes one for its own crawl when nobody else manages the collection.
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "app/app_settings.h"
#include "app/collection.h"
#include "app/pictures.h"
#include "app/rates.h"
#include "core/clock.h"
#include "pipeline/analyse_waiting.h"
#include "pipeline/compare_copies.h"
#include "pipeline/crawl_run.h"
#include "pipeline/extract_again.h"
#include "pipeline/look_around.h"
#include "pipeline/recorder.h"
#include "serve/copy_control.h"
#include "serve/forget_control.h"
#include "serve/job_control.h"
#include "serve/model_control.h"
#include "serve/shop_control.h"

namespace magpie {

struct ManagerOptions {
  bool shops = false;     // crawl active shops when they are due, and stop the crawls of paused ones (app/shops.h)
  bool resume = false;    // go on with crawls that a crash cut short
  bool revisits = false;  // while nothing is crawled: visit what is due (crawl.revisit)
  bool embeds = true;     // false: workers have no network, nothing is embedded, and the collection's model need not be there
  bool at_once = false;   // workers are ready for pictures before the first one comes
};

struct ModelChangeOptions {
  std::string model;     // its name
  bool dry_run = false;  // make the vectors and compare; do not switch
  /// Told often, on the caller's thread.
  std::function<void(const ModelChange&)> progress = [](const ModelChange&) {};
  /// Called with what searches are to use before it is the collection's; nothing is changed where it fails. What it gives is called once
  /// the collection's index, space and workers are the new ones, before crawls go on.
  std::function<Result<std::function<void()>>(std::shared_ptr<embedded::Index>, std::shared_ptr<PictureWorkers>)> prepare = {};
};

class Manager final : public JobControl, public CopyControl {
 public:
  /// Starts workers and recorder. All must outlive it.
  static Result<std::unique_ptr<Manager>> start(Collection& collection, const AppSettings& settings, const Clock& clock,
                                                MetricsRegistry& metrics, ManagerOptions options);
  /// Stops a running crawl (it goes on next time), writes down what was fetched, ends the workers.
  ~Manager() override;

  bool can_start() const override { return true; }
  /// A crawl of the same seeds that did not come to its end is gone on with, under its number.
  Result<CrawlJobView> start(std::vector<std::string> seeds, CrawlOptions options) override;
  /// start() of a shop that somebody asks for: it is crawled though it may be paused, until it is paused from now on.
  Result<CrawlJobView> run_shop(const Shop& shop, std::optional<std::string> agent);
  /// Crawls what WARC files hold, without the network (CrawlRun::make_replay). kBadInput for what is no WARC file; the same files again go
  /// on with a replay of them that did not come to its end.
  Result<CrawlJobView> replay(const std::vector<fs::path>& files, CrawlOptions options);
  /// Collects what a source lists (app/collect_job.h). The same source and label again go on under the same number: with what was left, or,
  /// once all was read, from its beginning, to take what is new. kBadInput and kNotFound for a source that does not read.
  Result<CrawlJobView> collect(const std::string& source, const std::string& label, CrawlOptions options) override;
  /// What the listing of a collect job has found in its last run; zeros for another job.
  collect::ListingCounts listing(JobId id) const;
  Result<std::vector<CrawlJobView>> list() override;
  Result<CrawlJobView> get(JobId id) override;
  Result<CrawlJobView> cancel(JobId id) override;
  /// As cancel(), but of a shop: once it is active again, its crawl goes on at once.
  Result<CrawlJobView> pause(JobId id) { return cancel(id, /*pausing=*/true); }
  Result<CrawlJobView> retry(JobId id, std::vector<Cause> causes) override;
  Result<CrawlJobView> revisit(JobId id, bool all) override;
  std::uint64_t queued() const override;
  Result<CopyReview> review_copies(CopyAction action, std::vector<ImageId> images) override;
  Result<CopyReview> undo_copy_review(std::uint64_t id) override;
  void listen(CrawlListener& listener) override;
  void stop_telling(const CrawlListener& listener) override;

  /// Reads every stored page again (pipeline/extract_again.h), on the caller's thread, while no crawl is under way: kBusy otherwise.
  Result<pipeline::ExtractAgainCounts> extract_again(pipeline::ExtractAgainOptions options, std::stop_token stop,
                                                     const std::function<void(const pipeline::ExtractAgain*)>& running);

  /// Analyses pictures that were only archived (pipeline/analyse_waiting.h) and compares those that never were (compare_copies.h);
  /// otherwise as extract_again(). `running` is told how to ask how far it is, and in the end that there is nothing to ask.
  Result<pipeline::AnalyseWaitingCounts> analyse_waiting(
      std::stop_token stop, const std::function<void(std::function<pipeline::AnalyseWaitingCounts()>)>& running);

  /// Makes vectors of another model and a new index beside the old ones, compares, and switches at once, on the caller's thread. Crawls go
  /// on, but for the pictures they bring in the end; searches do without a pause. Cost: what embedding all pictures costs; where it is
  /// stopped, fails or is killed, nothing has changed, and the vectors made so far are kept. kBusy while it is being changed or where
  /// crawls bring pictures faster than they are embedded, kUnavailable where a tenth of the pictures that have vectors would have none,
  /// kCancelled.
  Result<ModelChange> change_model(const ModelChangeOptions& options, const std::stop_token& stop);

  /// Nothing, or why forget() would do nothing.
  Result<void> check_forgetting(const ForgetTarget& target) const;
  /// What would be forgotten. Errors as Catalog::plan_forgetting.
  Result<ForgetReport> preview_forgetting(const ForgetTarget& target);
  /// Removes it from everything and shows that nothing of it is left (app/forgetting.h), on the caller's thread. A crawl under way rests
  /// meanwhile, and goes on with what is left of it. A Ctrl-C or a crash costs nothing: the next manager finishes it.
  Result<ForgetReport> forget(const ForgetTarget& target);
  /// Takes a refusal back: what is named itself may be fetched again. How many there were. Pictures and addresses that were forgotten along
  /// with it stay refused, as nothing knows them any more.
  Result<std::uint64_t> allow_again(const ForgetTarget& target);

  /// Nothing while all is well, else why crawls or pictures fail (workers, disk).
  Result<void> healthy() const;
  /// Those of the collection's model. Whoever asks them keeps them alive: others may take their place.
  std::shared_ptr<PictureWorkers> picture_workers() const;

 private:
  Result<void> nothing_is_crawled() const;
  class ModelChanger;
  Result<std::shared_ptr<PictureWorkers>> make_picture_workers(const PictureModel* model, bool at_once);
  Result<void> start_comparing();
  Result<void> start_looking_around();
  void stop_looks();
  Result<void> finish_looks(const std::stop_token& stop);
  Result<void> finish_forgetting();
  Result<ForgetReport> forget_at_rest(ForgetPlan plan);
  void rest_crawls();
  void wake_crawls();
  /// Crawls rest while it lives. starting_ is held, so that none is begun.
  class AtRest {
   public:
    explicit AtRest(Manager& manager) : manager_(manager) { manager_.rest_crawls(); }
    ~AtRest() { manager_.wake_crawls(); }
    AtRest(const AtRest&) = delete;

   private:
    Manager& manager_;
  };
  std::optional<crawl::CrawlRules> rules_of(JobId id) const;
  std::optional<crawl::CrawlRules> own_rules_of(JobId id) const;
  struct Running {
    CrawlJobView view;
    std::unique_ptr<pipeline::CrawlRun> run;
    std::stop_source stop;
    bool cancelling = false;
    bool interrupted = false;              // goes on once the crawls need not rest any more
    bool pausing = false;                  // cancelled as its shop is not active any more
    std::optional<Timestamp> rests_until;  // as last written down
    Timestamp run_started_at{};
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> visits_written;  // by host: requests and rests, as last written down
    pipeline::RecorderCounts recorded_before;
    Rates rates;
  };

  Manager(Collection& collection, const AppSettings& settings, const Clock& clock, MetricsRegistry& metrics)
      : collection_(collection), settings_(settings), clock_(clock), metrics_(metrics) {}
  Result<void> resume_unfinished();
  bool is_active(JobId id) const;
  Result<CrawlJobView> begin(std::vector<std::string> seeds, CrawlOptions options);
  Result<CrawlJobView> enqueue(CrawlJobView view);
  Result<CrawlJobView> ask_again(JobId id, const std::string& nothing, const std::function<Result<std::size_t>()>& queue);
  void revisit_what_is_due();
  void look_after_shops();
  bool note_state(const Shop& shop);
  Result<CrawlJobView> cancel(JobId id, bool pausing);
  void run_jobs(std::stop_token stop);
  void report_progress(std::stop_token stop);
  std::optional<CrawlProgress> tell_progress();
  void note_rest(const CrawlProgress& progress);
  void run_one(CrawlJobView view, const std::stop_token& shutdown);
  void judge_listing(CrawlJobView& view, bool time_over);
  Result<std::unique_ptr<pipeline::CrawlRun>> make_run(const CrawlJobView& view, const std::stop_token& stop);
  Result<crawl::CrawlEnd> crawl(CrawlJobView& view, const std::stop_token& shutdown);
  Result<void> save(const CrawlJobView& view);
  Result<void> save_visits(bool all);
  void tell(const CrawlJobView& view);
  CrawlProgress progress_of_running();
  void indexed(const std::vector<ImageId>& images);

  Collection& collection_;
  const AppSettings& settings_;
  const Clock& clock_;
  bool revisits_ = false;
  bool shops_ = false;
  MetricsRegistry& metrics_;
  std::unique_ptr<WorkerPool> page_workers_;
  std::shared_ptr<PictureWorkers> picture_workers_;  // replaced under mutex_, with the crawls at rest
  // Set under mutex_; null: nobody does it. They go behind the recorder, which adds to them.
  std::unique_ptr<pipeline::CompareCopies> comparing_;
  std::unique_ptr<pipeline::LookAround> looking_;
  std::unique_ptr<pipeline::Recorder> recorder_;

  std::mutex changing_model_;  // held through change_model(); taken before all others
  std::mutex starting_;        // held through start(); taken before mutex_
  std::mutex saving_visits_;   // held through save_visits(); taken before mutex_
  std::mutex saving_running_;  // held while the running crawl's state is written down; taken before mutex_
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<CrawlJobView> waiting_;  // all below guarded by mutex_
  std::unique_ptr<Running> running_;
  bool resting_ = false;                             // no crawl begins
  std::map<std::string, ShopState> shops_seen_;      // by name, as last looked at
  std::pair<JobId, collect::ListingCounts> listed_;  // of the last collect job that ended
  std::mutex telling_;                               // held while the listener is called; taken before mutex_
  CrawlListener* listener_ = nullptr;                // guarded by telling_
  std::jthread reporter_;
  std::jthread jobs_;  // last: ends first
};

}  // namespace magpie
