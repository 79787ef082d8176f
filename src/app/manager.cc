#include "app/manager.h"

#include <algorithm>
#include <array>

#include "app/collect_job.h"
#include "app/crawl_job.h"
#include "app/host_ledger.h"
#include "app/job_json.h"
#include "app/replay_seeds.h"
#include "app/shops.h"
#include "base/log.h"
#include "pipeline/listing_sink.h"

namespace magpie {
namespace {

constexpr std::chrono::milliseconds kReportEvery{500};
constexpr std::chrono::seconds kSaveVisitsEvery{10};
constexpr std::size_t kListedMax = 50;
constexpr std::chrono::seconds kLookForDueEvery{60};
constexpr std::chrono::seconds kLookAtShopsEvery{2};
constexpr std::size_t kRevisitMax = 10'000'000;
constexpr std::size_t kRevisitBatch = 10'000;
/// What may go better with files of one's own.
constexpr std::array kMendedCauses = {Cause::kStatus,      Cause::kTooLarge, Cause::kDecode,   Cause::kCrashed,
                                      Cause::kOutOfMemory, Cause::kTimeout,  Cause::kProtocol, Cause::kNotFound};
/// What may go better the next time without anybody's doing.
constexpr std::array kPassingCauses = {Cause::kDns,      Cause::kConnect, Cause::kTls,        Cause::kTimeout,
                                       Cause::kProtocol, Cause::kStatus,  Cause::kThrottled,  Cause::kCancelled,
                                       Cause::kDisk,     Cause::kCaptcha, Cause::kRateLimited};

}  // namespace

Result<std::unique_ptr<Manager>> Manager::start(Collection& collection, const AppSettings& settings, const Clock& clock,
                                                MetricsRegistry& metrics, ManagerOptions wishes) {
  std::unique_ptr<Manager> manager(new Manager(collection, settings, clock, metrics));
  std::optional<PictureModel> model;
  pipeline::RecorderOptions options;
  MAGPIE_TRY(options.space, embedding_space_of(collection.catalog()));
  if (wishes.embeds || options.space.empty()) {
    MAGPIE_TRY(model, find_embedder(settings, &collection.catalog()));
    options.space = model->space;
  }
  manager->page_workers_ = start_page_workers(settings, &metrics);
  MAGPIE_TRY(manager->picture_workers_, manager->make_picture_workers(wishes.embeds ? &*model : nullptr, wishes.at_once));
  options.on_indexed = [raw = manager.get()](const std::vector<ImageId>& images) { raw->indexed(images); };
  MAGPIE_TRY(manager->recorder_,
             pipeline::Recorder::start({collection.archive(), collection.archive_writing(), collection.variants(), collection.catalog(),
                                        collection.frontier(), collection.text(), collection.vectors()},
                                       std::move(options)));
  MAGPIE_TRY_DO(manager->recorder_->transact(
      [space = manager->recorder_->space()](CatalogTransaction& transaction) { return set_embedding_space(transaction, space); }));
  MAGPIE_TRY_DO(manager->finish_forgetting());
  if (wishes.embeds && settings.analyse.compare()) MAGPIE_TRY_DO(manager->start_comparing());
  if (wishes.embeds && settings.analyse.inherit_words()) MAGPIE_TRY_DO(manager->start_looking_around());
  manager->shops_ = wishes.shops;
  manager->revisits_ = wishes.revisits && settings.crawl.revisit();
  if (wishes.resume) MAGPIE_TRY_DO(manager->resume_unfinished());
  manager->reporter_ = std::jthread([raw = manager.get()](std::stop_token stop) { raw->report_progress(stop); });
  manager->jobs_ = std::jthread([raw = manager.get()](std::stop_token stop) { raw->run_jobs(stop); });
  return manager;
}

Manager::~Manager() {
  jobs_.request_stop();
  {
    const std::lock_guard lock(mutex_);
    if (running_) running_->stop.request_stop();
  }
  if (jobs_.joinable()) jobs_.join();
  reporter_.request_stop();
  if (reporter_.joinable()) reporter_.join();
  stop_looks();
  recorder_.reset();  // its thread calls indexed(), which needs what is destroyed before it otherwise
}

std::shared_ptr<PictureWorkers> Manager::picture_workers() const {
  const std::lock_guard lock(mutex_);
  return picture_workers_;
}

/// Without a model they embed nothing, and look for nothing.
Result<std::shared_ptr<PictureWorkers>> Manager::make_picture_workers(const PictureModel* model, bool at_once) {
  std::optional<PictureModel> detector;
  if (model) { MAGPIE_TRY(detector, find_detector(settings_)); }
  auto pool = start_picture_workers(
      settings_, {.model = model, .detector = detector ? &*detector : nullptr, .start_at_once = at_once, .metrics = &metrics_});
  return std::make_shared<PictureWorkers>(
      PictureWorkers{model ? std::optional(*model) : std::nullopt, detector ? detector->space : std::string(), std::move(pool)});
}

void Manager::stop_looks() {
  if (comparing_) comparing_->stop();
  if (looking_) looking_->stop();
  const std::lock_guard lock(mutex_);
  comparing_.reset();
  looking_.reset();
}

Result<void> Manager::start_comparing() {
  MAGPIE_TRY(auto comparing, pipeline::CompareCopies::start({collection_.catalog(), collection_.variants(), collection_.vectors(),
                                                             *picture_workers_->pool, *recorder_}));
  const std::lock_guard lock(mutex_);
  comparing_ = std::move(comparing);
  return {};
}

Result<void> Manager::start_looking_around() {
  MAGPIE_TRY(auto looking, pipeline::LookAround::start({collection_.catalog(), collection_.vectors(), *recorder_}));
  const std::lock_guard lock(mutex_);
  looking_ = std::move(looking);
  return {};
}

// What was found while pictures were compared, and looked around at, is findable, too, when it returns.
Result<void> Manager::finish_looks(const std::stop_token& stop) {
  if (comparing_) {
    comparing_->finish(stop);
    MAGPIE_TRY_DO(recorder_->flush());
  }
  if (looking_) {
    looking_->finish(stop);
    MAGPIE_TRY_DO(recorder_->flush());
  }
  return {};
}

Result<void> Manager::resume_unfinished() {
  MAGPIE_TRY(const std::vector<Job> jobs, collection_.catalog().jobs());
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    if (job->state != JobState::kRunning && job->state != JobState::kQueued) continue;
    log::info("crawl.resumed", {{"job", job->id}, {"seed", job->name}});
    waiting_.push_back(view_of(*job));
    waiting_.back().state = CrawlState::kQueued;
  }
  return {};
}

Result<CrawlJobView> Manager::start(std::vector<std::string> texts, CrawlOptions options) {
  const std::lock_guard one_at_a_time(starting_);  // or two starts of the same seeds would both find none under way
  MAGPIE_TRY(const std::vector<Url> urls, parse_seeds(texts));
  crawl::CrawlSettings effective = settings_.crawl;
  apply(options, effective);
  MAGPIE_TRY_DO(crawl::FetchLoop::check(effective));
  MAGPIE_TRY(const Refusals refusals, collection_.catalog().refusals());
  std::vector<std::string> seeds;
  for (const Url& url : urls) {
    if (refusals.refuses(url.href())) return fail(Code::kForbidden, "{} was forgotten; 'magpie forget --allow' takes that back", url);
    seeds.push_back(url.href());
  }
  return begin(std::move(seeds), std::move(options));
}

Result<CrawlJobView> Manager::replay(const std::vector<fs::path>& files, CrawlOptions options) {
  const std::lock_guard one_at_a_time(starting_);
  for (const fs::path& file : files) MAGPIE_TRY_DO(crawl::check_is_warc(file));
  MAGPIE_TRY(std::vector<std::string> seeds, replay_seeds(files));
  return begin(std::move(seeds), std::move(options));
}

Result<CrawlJobView> Manager::collect(const std::string& source, const std::string& label, CrawlOptions options) {
  const std::lock_guard one_at_a_time(starting_);
  MAGPIE_TRY(std::string seed, collect_seed(source, label));
  MAGPIE_TRY(const collect::Description description, load_source(seed));
  crawl::CrawlSettings effective = settings_.crawl;
  apply(options, effective);
  if (!description.is_folder()) MAGPIE_TRY_DO(crawl::user_agent(effective));  // nobody is asked for a file
  MAGPIE_TRY(const std::vector<Job> jobs, collection_.catalog().jobs());
  const auto before = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.seeds == std::vector{seed}; });
  CrawlJobView view;
  if (before != jobs.end()) {
    view = view_of(*before);
    if (is_active(view.id)) return fail(Code::kBusy, "this source is being collected already (job {})", view.id);
    // What could not be read may have been mended since.
    if (description.is_folder()) MAGPIE_TRY_DO(collection_.frontier().retry_failed(view.id, kMendedCauses));
    if (before->state == JobState::kFinished) MAGPIE_TRY_DO(restart_listing(description, view.id, collection_.catalog(), *recorder_));
  }
  view.seeds = {std::move(seed)};
  view.options = std::move(options);
  return enqueue(std::move(view));
}

collect::ListingCounts Manager::listing(JobId id) const {
  const std::lock_guard lock(mutex_);
  if (running_ && running_->view.id == id && running_->run) return running_->run->listing();
  return listed_.first == id ? listed_.second : collect::ListingCounts();
}

// With starting_ held.
Result<CrawlJobView> Manager::begin(std::vector<std::string> seeds, CrawlOptions options) {
  MAGPIE_TRY(const std::vector<Job> jobs, collection_.catalog().jobs());
  const auto unfinished =
      std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.seeds == seeds && job.state != JobState::kFinished; });
  CrawlJobView view;
  if (unfinished != jobs.end()) view = view_of(*unfinished);
  if (view.id != 0 && is_active(view.id)) return fail(Code::kBusy, "a crawl of these addresses is under way already (job {})", view.id);
  view.seeds = std::move(seeds);
  view.options = std::move(options);
  return enqueue(std::move(view));
}

bool Manager::is_active(JobId id) const {
  const std::lock_guard lock(mutex_);
  const auto same = [&](const CrawlJobView& other) { return other.id == id; };
  return (running_ && same(running_->view)) || std::any_of(waiting_.begin(), waiting_.end(), same);
}

Result<CrawlJobView> Manager::retry(JobId id, std::vector<Cause> causes) {
  if (causes.empty()) causes.assign(kPassingCauses.begin(), kPassingCauses.end());
  return ask_again(id, fmt::format("nothing of job {} failed for these causes", id),
                   [&] { return collection_.frontier().retry_failed(id, causes); });
}

Result<CrawlJobView> Manager::revisit(JobId id, bool all) {
  MAGPIE_TRY(const CrawlJobView known, get(id));
  MAGPIE_TRY(const bool is_folder, is_folder_job(known.seeds));
  if (is_folder) {  // or all pictures would be lost while it is not there
    return fail(Code::kBadInput, "job {} collects a folder, which is not visited again; magpie collect takes what is new in it", id);
  }
  const std::string nothing = fmt::format("nothing of job {} is due to be visited again", id);
  return ask_again(id, nothing, [&]() -> Result<std::size_t> {
    std::size_t queued = 0;
    MAGPIE_TRY(std::vector<UrlRecord> due, collection_.catalog().due(id, clock_.now(), all, kRevisitMax));
    // Before what is new: under crawl.max_pages_per_host the places are first theirs who had them.
    for (UrlRecord& one : due) one.priority = 0;
    for (std::span<const UrlRecord> left(due); !left.empty(); left = left.subspan(std::min(left.size(), kRevisitBatch))) {
      MAGPIE_TRY(const std::size_t some, collection_.frontier().revisit(left.first(std::min(left.size(), kRevisitBatch))));
      queued += some;
    }
    if (queued == 0) return fail(Code::kNotFound, "{}", nothing);
    return queued;
  });
}

// `queue` puts addresses of an ended job back into its queue and says how many; `nothing` is the error when there are none.
Result<CrawlJobView> Manager::ask_again(JobId id, const std::string& nothing, const std::function<Result<std::size_t>()>& queue) {
  const std::lock_guard one_at_a_time(starting_);
  MAGPIE_TRY(CrawlJobView view, get(id));
  if (is_active(id)) return fail(Code::kBusy, "job {} is under way; ask again when it has ended", id);
  crawl::CrawlSettings effective = settings_.crawl;
  apply(view.options, effective);
  MAGPIE_TRY(const bool is_folder, is_folder_job(view.seeds));
  if (!is_replay(view.seeds) && !is_folder) MAGPIE_TRY_DO(crawl::FetchLoop::check(effective));
  // Written down first: once an address waits again, the job must be one that is gone on with.
  const CrawlJobView before = view;
  view.state = CrawlState::kQueued;
  MAGPIE_TRY_DO(save(view));
  const auto again = queue();
  // One that was cut short is gone on with: what it had queued waits still.
  if (!again || (*again == 0 && collection_.frontier().counts(id).queued == 0)) {
    MAGPIE_TRY_DO(save(before));
    if (!again) return Failure(again.error());
    return fail(Code::kNotFound, "{}", nothing);
  }
  log::info("crawl.asked_again", {{"job", id}, {"addresses", *again}});
  return enqueue(std::move(view));
}

// Of jobs that nobody has cancelled, while nothing else is crawled. One that cannot be visited does not hold up the others.
void Manager::revisit_what_is_due() {
  const auto jobs = collection_.catalog().jobs();
  if (!jobs) return;
  for (const Job& job : *jobs) {
    const bool cancelled = job.state == JobState::kCancelled && job.detail.empty();
    if (!has_ended(state_of(job.state)) || cancelled || is_replay(job.seeds)) continue;
    const auto due = collection_.catalog().due(job.id, clock_.now(), /*all=*/false, 1);
    if (!due || due->empty()) continue;
    const auto again = revisit(job.id, /*all=*/false);
    if (again) return;
    if (again.error().code != Code::kNotFound) log::warn("crawl.not_revisited", {{"job", job.id}, {"why", again.error().message}});
  }
}

/// Whether it is another than when it was last noted.
bool Manager::note_state(const Shop& shop) {
  const std::lock_guard lock(mutex_);
  const auto [seen, is_first] = shops_seen_.emplace(shop.name, shop.state);
  return std::exchange(seen->second, shop.state) != shop.state || is_first;
}

Result<CrawlJobView> Manager::run_shop(const Shop& shop, std::optional<std::string> agent) {
  note_state(shop);
  CrawlOptions options = crawl_options(shop);
  options.agent = std::move(agent);
  return start({shop.address}, std::move(options));
}

// Files are what counts, so what somebody edits takes effect within seconds.
void Manager::look_after_shops() {
  std::vector<std::string> problems;
  const std::vector<Shop> shops = ShopFolder(collection_.folder().shops()).all(&problems);
  for (const std::string& problem : problems) log::warn_every(std::chrono::minutes(10), "shop.unreadable", {{"why", problem}});
  if (shops.empty()) return;
  const auto jobs = collection_.catalog().jobs();
  if (!jobs) return;
  for (const Shop& shop : shops) {
    const std::optional<Job> newest = newest_job(shop, *jobs);
    const bool under_way = newest && is_active(newest->id);
    const bool stopped = shop.state == ShopState::kPaused || shop.state == ShopState::kInactive;
    // One that was stopped before is being crawled because somebody asked for it.
    if (note_state(shop) && under_way && stopped) (void)pause(newest->id);
    if (under_way || shop.state != ShopState::kActive) continue;
    const std::optional<Timestamp> next = next_crawl(shop, newest, clock_.now());
    if (!next || *next > clock_.now()) continue;
    log::info("shop.due", {{"shop", shop.name}, {"schedule", schedule_text(shop)}});
    const auto begun = start({shop.address}, crawl_options(shop));
    if (!begun && begun.error().code != Code::kBusy)
      log::warn_every(std::chrono::minutes(10), "shop.not_started", {{"shop", shop.name}, {"why", begun.error().message}});
  }
}

// Writes the job down as queued, a new one under its new number, and lets it begin.
Result<CrawlJobView> Manager::enqueue(CrawlJobView view) {
  view.state = view.progress.state = CrawlState::kQueued;
  view.message.reset();
  view.finished_at.reset();
  if (view.id == 0) {
    view.created_at = clock_.now();
    MAGPIE_TRY_DO(recorder_->transact([&](CatalogTransaction& transaction) -> Result<void> {
      MAGPIE_TRY(view.id, transaction.add_job(job_of(view)));
      return {};
    }));
    view.progress.job = view.id;
  } else {
    MAGPIE_TRY_DO(save(view));
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(view);
  }
  changed_.notify_all();
  tell(view);
  return view;
}

Result<std::vector<CrawlJobView>> Manager::list() {
  MAGPIE_TRY(const std::vector<Job> jobs, collection_.catalog().jobs());
  std::vector<CrawlJobView> views;
  for (const Job& job : jobs) {
    MAGPIE_TRY(CrawlJobView view, get(job.id));
    views.push_back(std::move(view));
  }
  return views;
}

Result<CrawlJobView> Manager::get(JobId id) {
  {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->view.id == id) {
      CrawlJobView view = running_->view;
      view.progress = progress_of_running();
      view.state = view.progress.state;
      return view;
    }
    for (const CrawlJobView& view : waiting_) {
      if (view.id == id) return view;
    }
  }
  MAGPIE_TRY(const std::optional<Job> job, collection_.catalog().job(id));
  if (!job) return fail(Code::kNotFound, "no crawl has the number {}", id);
  return view_of(*job);
}

Result<CrawlJobView> Manager::cancel(JobId id) { return cancel(id, /*pausing=*/false); }

Result<CrawlJobView> Manager::cancel(JobId id, bool pausing) {
  std::optional<CrawlJobView> waited;
  {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->view.id == id) {
      running_->cancelling = true;
      running_->pausing = pausing;
      running_->stop.request_stop();
    }
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const CrawlJobView& view) { return view.id == id; });
    if (found != waiting_.end()) {
      waited = *found;
      waiting_.erase(found);
    }
  }
  if (waited) {
    waited->state = CrawlState::kCancelled;
    if (pausing) waited->message = kPaused;
    waited->finished_at = clock_.now();
    MAGPIE_TRY_DO(save(*waited));
    tell(*waited);
  }
  return get(id);
}

Result<void> Manager::nothing_is_crawled() const {
  const std::lock_guard lock(mutex_);
  if (running_ || !waiting_.empty()) return fail(Code::kBusy, "a crawl is under way; rebuild when it has ended");
  return {};
}

std::optional<crawl::CrawlRules> Manager::rules_of(JobId id) const {
  auto rules = own_rules_of(id);
  auto refusals = collection_.catalog().refusals();
  if (!refusals) return std::nullopt;
  if (rules) rules->refuse(std::move(*refusals));
  return rules;
}

std::optional<crawl::CrawlRules> Manager::own_rules_of(JobId id) const {
  const auto job = collection_.catalog().job(id);
  if (!job || !*job || is_replay((*job)->seeds)) return std::nullopt;
  if (is_collect((*job)->seeds)) {
    const auto source = load_source((*job)->seeds.front());
    if (!source) return std::nullopt;
    return pipeline::collect_rules(id, pipeline::collect_settings(settings_.crawl, *source), *source);
  }
  const auto seeds = parse_seeds((*job)->seeds);
  if (!seeds) return std::nullopt;
  crawl::CrawlSettings effective = settings_.crawl;
  apply(options_from_json((*job)->settings_json), effective);
  return crawl::CrawlRules(id, effective, *seeds);
}

Result<pipeline::ExtractAgainCounts> Manager::extract_again(pipeline::ExtractAgainOptions options, std::stop_token stop,
                                                            const std::function<void(const pipeline::ExtractAgain*)>& running) {
  const std::lock_guard one_at_a_time(starting_);
  MAGPIE_TRY_DO(nothing_is_crawled());
  pipeline::ExtractAgain again({collection_.archive(), collection_.catalog(), *page_workers_, *recorder_, settings_.crawl,
                                [this](JobId id) { return rules_of(id); }},
                               std::move(options));
  running(&again);
  auto counts = again.run(std::move(stop));
  running(nullptr);
  return counts;
}

Result<pipeline::AnalyseWaitingCounts> Manager::analyse_waiting(
    std::stop_token stop, const std::function<void(std::function<pipeline::AnalyseWaitingCounts()>)>& running) {
  const std::lock_guard one_at_a_time(starting_);
  MAGPIE_TRY_DO(nothing_is_crawled());
  pipeline::AnalyseWaiting waiting({collection_.archive(), collection_.catalog(), *picture_workers_->pool, *recorder_, settings_.crawl,
                                    [this](JobId id) { return rules_of(id); }, recorder_->space(), picture_workers_->detector});
  const auto so_far = [&, copies_before = recorder_->counts().copies] {
    pipeline::AnalyseWaitingCounts counts = waiting.counts();
    if (looking_) counts.surrounded = looking_->counts().looked;
    if (!comparing_) return counts;
    counts.compared = comparing_->counts().compared;
    counts.copies = recorder_->counts().copies - copies_before;
    return counts;
  };
  running(so_far);
  auto done = [&]() -> Result<void> {
    MAGPIE_TRY_DO(waiting.run(stop));
    if (comparing_) MAGPIE_TRY_DO(comparing_->compare_all(stop));
    MAGPIE_TRY_DO(recorder_->flush());
    if (looking_) MAGPIE_TRY_DO(looking_->look_at_all(stop));
    return recorder_->flush();
  }();
  running(nullptr);
  if (!done) return Failure(std::move(done).error());
  return so_far();
}

std::uint64_t Manager::queued() const {
  const std::lock_guard lock(mutex_);
  return running_ && running_->run ? running_->run->counts().queued : 0;
}

Result<CopyReview> Manager::review_copies(CopyAction action, std::vector<ImageId> images) {
  return recorder_->review_copies(action, std::move(images), clock_.now());
}

Result<CopyReview> Manager::undo_copy_review(std::uint64_t id) {
  MAGPIE_TRY_DO(recorder_->undo_copy_review(id));
  MAGPIE_TRY(std::optional<CopyReview> review, collection_.catalog().copy_review(id));
  return std::move(*review);
}

void Manager::listen(CrawlListener& listener) {
  const std::lock_guard lock(telling_);
  listener_ = &listener;
}

void Manager::stop_telling(const CrawlListener& listener) {
  const std::lock_guard lock(telling_);
  if (listener_ == &listener) listener_ = nullptr;
}

Result<void> Manager::healthy() const {
  if (const std::string why = recorder_->failure(); !why.empty()) return fail(Code::kUnavailable, "nothing can be written: {}", why);
  const auto pictures = picture_workers();
  for (const WorkerPool* workers : {page_workers_.get(), pictures->pool.get()}) {
    if (const std::string why = workers->trouble(); !why.empty()) return fail(Code::kUnavailable, "workers cannot be started: {}", why);
  }
  return {};
}

void Manager::run_jobs(std::stop_token stop) {
  while (true) {
    CrawlJobView next;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty() && !resting_; }) || stop.stop_requested()) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      running_ = std::make_unique<Running>();
      running_->view = next;
      running_->recorded_before = recorder_->counts();
      running_->run_started_at = clock_.now();
    }
    run_one(std::move(next), stop);
    changed_.notify_all();
  }
}

void Manager::run_one(CrawlJobView view, const std::stop_token& shutdown) {
  view.state = CrawlState::kRunning;
  view.progress.rests_until.reset();  // of a run that was cut short
  if (!view.started_at) view.started_at = clock_.now();
  if (auto saved = save(view); !saved) log::error("crawl.not_saved", {{"why", saved.error().message}});
  tell(view);
  log::info("crawl.started", {{"job", view.id}, {"seeds", view.seeds.size()}});
  const auto end = crawl(view, shutdown);
  bool cancelling = false, pausing = false, interrupted = false;
  {
    const std::lock_guard lock(mutex_);
    interrupted = running_->interrupted;
    pausing = running_->pausing;
    view.progress = progress_of_running();
    cancelling = running_->cancelling;
    if (running_->run) listed_ = {view.id, running_->run->listing()};
    if (running_->run && !view.message && end) {
      if (std::string words = running_->run->unrendered(); !words.empty()) view.message = std::move(words);
    }
  }
  view.state = CrawlState::kFinished;
  if (!end) {
    view.state = CrawlState::kFailed;
    view.message = end.error().message;
  } else if (*end == crawl::CrawlEnd::kTimeOver && view.progress.queued > 0) {
    view.state = CrawlState::kCancelled;
    view.message = fmt::format("the time was over with {} addresses waiting; start it again to go on", view.progress.queued);
  } else if (*end == crawl::CrawlEnd::kStopped) {
    // A shutdown is no cancel: the crawl stays `running` in the catalog and goes on with the next start.
    view.state = cancelling ? CrawlState::kCancelled : CrawlState::kRunning;
    interrupted = interrupted && !cancelling && !shutdown.stop_requested();
    if (interrupted) view.state = CrawlState::kQueued;
    if (cancelling && pausing) view.message = kPaused;
  } else if (is_collect(view.seeds)) {
    judge_listing(view, *end == crawl::CrawlEnd::kTimeOver);
  }
  view.progress.rests_until.reset();
  if (has_ended(view.state)) view.finished_at = clock_.now();
  view.progress.state = view.state;
  if (auto saved = save_visits(/*all=*/true); !saved) log::error("crawl.visits_not_saved", {{"why", saved.error().message}});
  {
    const std::lock_guard one_at_a_time(saving_running_);  // or note_rest() could write an older state behind this one
    if (auto saved = save(view); !saved) log::error("crawl.not_saved", {{"why", saved.error().message}});
    const std::lock_guard lock(mutex_);
    running_.reset();
    if (view.state == CrawlState::kQueued) waiting_.push_front(view);
  }
  tell(view);
  log::info("crawl.ended", {{"job", view.id},
                            {"state", to_string(view.state)},
                            {"pages", view.progress.pages_fetched},
                            {"images", view.progress.images_fetched}});
}

// All pictures are fetched; whether all were listed is another matter.
void Manager::judge_listing(CrawlJobView& view, bool time_over) {
  const collect::ListingCounts counts = listing(view.id);
  const bool enough = view.options.pictures_max && counts.taken >= *view.options.pictures_max;
  if (counts.lists_done == counts.lists || enough) return;
  view.state = time_over ? CrawlState::kCancelled : CrawlState::kFailed;
  view.message = time_over ? "the time was over before all was listed" : "not all was listed";
  if (!counts.problems.empty()) *view.message += fmt::format(": {}", counts.problems.front());
  *view.message += "; the same command goes on";
}

Result<std::unique_ptr<pipeline::CrawlRun>> Manager::make_run(const CrawlJobView& view, const std::stop_token& stop) {
  const pipeline::CrawlRunParts parts{collection_.frontier(),
                                      collection_.archive(),
                                      collection_.archive_writing(),
                                      collection_.catalog(),
                                      *page_workers_,
                                      *picture_workers_->pool,
                                      *recorder_,
                                      clock_,
                                      &metrics_,
                                      collection_.folder().browser()};
  crawl::CrawlSettings settings = settings_.crawl;
  apply(view.options, settings);
  if (is_replay(view.seeds)) return pipeline::CrawlRun::make_replay(parts, std::move(settings), view.id, files_of_replay(view.seeds), stop);
  if (is_collect(view.seeds)) {
    MAGPIE_TRY(collect::Description description, load_source(view.seeds.front()));
    const collect::ListerOptions options{.pictures_max = view.options.pictures_max.value_or(0)};
    return pipeline::CrawlRun::make_collect(parts, std::move(settings), view.id, std::move(description), options);
  }
  MAGPIE_TRY(const std::vector<Url> seeds, parse_seeds(view.seeds));
  return pipeline::CrawlRun::make(parts, settings, view.id, seeds);
}

Result<crawl::CrawlEnd> Manager::crawl(CrawlJobView& view, const std::stop_token& shutdown) {
  std::stop_token stop;
  {
    const std::lock_guard lock(mutex_);
    running_->view.state = CrawlState::kRunning;
    running_->view.started_at = view.started_at;
    stop = running_->stop.get_token();
    if (shutdown.stop_requested()) running_->stop.request_stop();
  }
  auto made = make_run(view, stop);
  if (!made && made.error().code == Code::kCancelled) return crawl::CrawlEnd::kStopped;
  if (!made) return Failure(made.error());
  pipeline::CrawlRun* run = made->get();
  if (std::string damage = run->damage(); !damage.empty()) view.message = std::move(damage);
  {
    const std::lock_guard lock(mutex_);
    running_->run = std::move(*made);
  }
  MAGPIE_TRY(const crawl::CrawlEnd end, run->run(stop));
  if (end != crawl::CrawlEnd::kStopped) MAGPIE_TRY_DO(finish_looks(stop));
  return end;
}

Result<void> Manager::save(const CrawlJobView& view) {
  return recorder_->transact([job = job_of(view)](CatalogTransaction& transaction) { return transaction.update_job(job); });
}

// Writes down what the running crawl has done to its hosts; unless `all`, to those it asked something since the last time.
Result<void> Manager::save_visits(bool all) {
  const std::lock_guard one_at_a_time(saving_visits_);  // or an older report could be written over a newer one
  std::vector<HostVisit> visits;
  {
    const std::lock_guard lock(mutex_);
    if (!running_ || !running_->run || running_->run->asks_nobody()) return {};
    for (const crawl::HostReport& report : running_->run->hosts()) {
      const std::pair<std::uint64_t, std::uint64_t> news(report.requests, report.backoffs);
      auto& written = running_->visits_written[report.host];
      if (written == news && (!all || report.requests == 0)) continue;
      written = news;
      visits.push_back({report.host, running_->view.id, running_->run_started_at, report.next_allowed_at, to_json(report)});
    }
  }
  if (visits.empty()) return {};
  return recorder_->transact([&](CatalogTransaction& transaction) -> Result<void> {
    for (const HostVisit& visit : visits) MAGPIE_TRY_DO(transaction.put_host_visit(visit));
    return {};
  });
}

void Manager::tell(const CrawlJobView& view) {
  const std::lock_guard lock(telling_);
  if (listener_ == nullptr) return;
  listener_->on_job(view);
  listener_->on_progress(view.progress);
}

void Manager::indexed(const std::vector<ImageId>& images) {
  JobId job = 0;
  {
    const std::lock_guard lock(mutex_);
    if (running_) job = running_->view.id;
    if (comparing_) comparing_->add(images);
    if (looking_) looking_->add(images);
  }
  const std::lock_guard lock(telling_);
  if (listener_ == nullptr) return;
  for (const ImageId image : images) listener_->on_image(job, image);
}

void Manager::report_progress(std::stop_token stop) {
  std::mutex sleeping;
  std::condition_variable_any timer;
  auto visits_saved_at = clock_.steady();
  auto looked_for_due_at = clock_.steady();
  auto looked_at_shops_at = clock_.steady();
  while (!stop.stop_requested()) {
    std::unique_lock rest(sleeping);
    timer.wait_for(rest, stop, kReportEvery, [] { return false; });
    const std::optional<CrawlProgress> progress = tell_progress();
    if (progress) note_rest(*progress);
    if (progress && clock_.steady() - visits_saved_at >= kSaveVisitsEvery) {
      if (auto saved = save_visits(/*all=*/false); !saved) log::warn("crawl.visits_not_saved", {{"why", saved.error().message}});
      visits_saved_at = clock_.steady();
    }
    if (shops_ && clock_.steady() - looked_at_shops_at >= kLookAtShopsEvery) {
      look_after_shops();
      looked_at_shops_at = clock_.steady();
    }
    if (!progress && revisits_ && clock_.steady() - looked_for_due_at >= kLookForDueEvery) {
      revisit_what_is_due();
      looked_for_due_at = clock_.steady();
    }
  }
}

// Nothing when nothing is crawled. Asked and told in one go, or the words of a crawl under way could come behind its last ones.
std::optional<CrawlProgress> Manager::tell_progress() {
  const std::lock_guard telling(telling_);
  std::optional<CrawlProgress> progress;
  {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->run) progress = progress_of_running();
  }
  if (progress && listener_ != nullptr) listener_->on_progress(*progress);
  return progress;
}

// Written down when it changes, for `magpie status`, which reads the catalog only. Not with telling_ held: the recorder's thread, which
// writes, waits for that one in indexed().
void Manager::note_rest(const CrawlProgress& progress) {
  const std::lock_guard one_at_a_time(saving_running_);
  CrawlJobView view;
  {
    const std::lock_guard lock(mutex_);
    if (!running_ || running_->view.id != progress.job || running_->rests_until == progress.rests_until) return;
    running_->rests_until = progress.rests_until;
    view = running_->view;
  }
  view.progress = progress;
  if (auto saved = save(view); !saved) log::error("crawl.not_saved", {{"why", saved.error().message}});
}

/// With mutex_ held.
CrawlProgress Manager::progress_of_running() {
  CrawlProgress progress = running_->view.progress;
  progress.job = running_->view.id;
  progress.state = running_->cancelling ? CrawlState::kCancelling : running_->view.state;
  if (!running_->run) return progress;
  const CrawlProgress before = running_->view.progress;  // of an earlier run of the same crawl
  const pipeline::CrawlRunCounts counts = running_->run->counts();
  const pipeline::RecorderCounts recorded = recorder_->counts();
  progress.pages_fetched = before.pages_fetched + counts.fetched.pages;
  progress.images_fetched = before.images_fetched + counts.fetched.images;
  progress.images_analysed = before.images_analysed + recorded.images - running_->recorded_before.images;
  progress.products_found = before.products_found + recorded.products - running_->recorded_before.products;
  progress.products_new = before.products_new + recorded.products_new - running_->recorded_before.products_new;
  progress.failed = before.failed + recorded.failures - running_->recorded_before.failures;
  progress.bytes = before.bytes + counts.fetched.bytes;
  progress.queued = counts.queued;
  progress.rests_until = counts.fetched.rests_until;
  const auto now = std::chrono::steady_clock::now();
  progress.pages_per_second = running_->rates.pages.update(now, counts.fetched.pages);
  progress.images_per_second = running_->rates.images.update(now, counts.fetched.images);
  const double rate = progress.pages_per_second + progress.images_per_second;
  if (rate > 0) progress.seconds_left = static_cast<double>(progress.queued) / rate;

  const FrontierCounts known = collection_.frontier().counts(progress.job);
  progress.failures.clear();
  for (std::size_t cause = 1; cause < known.failed_by_cause.size(); ++cause) {
    if (known.failed_by_cause[cause] > 0) {
      progress.failures.push_back({std::string(to_string(static_cast<Cause>(cause))), known.failed_by_cause[cause]});
    }
  }
  std::sort(progress.failures.begin(), progress.failures.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  std::vector<crawl::HostReport> hosts = running_->run->hosts();
  progress.hosts_total = hosts.size();
  std::sort(hosts.begin(), hosts.end(), [](const auto& a, const auto& b) { return a.fetched > b.fetched; });
  if (hosts.size() > kListedMax) hosts.resize(kListedMax);
  progress.hosts.clear();
  for (const crawl::HostReport& host : hosts)
    progress.hosts.push_back({host.host, host.fetched, host.queued, host.failed, host.next_allowed_in});
  return progress;
}

}  // namespace magpie
