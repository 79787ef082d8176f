// The part of the manager that changes the collection's model: new vectors and a new index are made beside the old ones, by workers of
// their own, while crawls and searches go on; then all is switched at once.
#include "app/collection_bridge.h"
#include "app/manager.h"
#include "app/space_comparison.h"
#include "app/text_tower.h"
#include "base/log.h"

namespace magpie {
namespace {

constexpr std::size_t kFillAtOnce = 100;  // pictures; the recorder writes nothing else the while
constexpr std::size_t kRestMax = 200;     // pictures that crawls may rest for
constexpr int kPassesMax = 10;            // a crawl that is as fast as the workers would be chased for ever
constexpr std::uint64_t kLostMax = 10;    // of so many pictures one may lose its vector

}  // namespace

/// One change, on its caller's thread.
class Manager::ModelChanger {
 public:
  ModelChanger(Manager& manager, const PictureModel& model, const ModelChangeOptions& options, const std::stop_token& stop)
      : manager_(manager),
        model_(model),
        options_(options),
        stop_(stop),
        workers_(start_picture_workers(manager.settings_, {.model = &model, .in_background = true, .metrics = &manager.metrics_})),
        waiting_({manager.collection_.archive(), manager.collection_.catalog(), *workers_, *manager.recorder_, manager.settings_.crawl,
                  [](JobId) { return std::nullopt; }, model.space, ""}) {
    change_.before = manager.recorder_->space();
    change_.after = model.space;
  }

  Result<ModelChange> run() {
    MAGPIE_TRY_DO(embed());
    tell(ModelChangeStage::kComparing);
    MAGPIE_TRY(change_.comparison, compare_spaces(manager_.collection_.catalog(), change_.before, change_.after));
    if (options_.dry_run) return done();
    auto switched = index_and_switch();
    if (!switched) {
      drop_next();
      return Failure(switched.error());
    }
    change_.switched = true;
    return done();
  }

 private:
  ModelChange done() {
    tell(ModelChangeStage::kDone);
    return change_;
  }

  void tell(ModelChangeStage stage) {
    change_.stage = stage;
    tell();
  }

  void tell() {
    const auto counts = waiting_.counts();
    change_.embedded = counts.embedded;
    change_.failed = counts.failed;
    if (const auto last = manager_.collection_.catalog().last_images()) change_.pictures = last->known;
    options_.progress(change_);
  }

  Result<void> stopped() const {
    return stop_.stop_requested() ? fail(Code::kCancelled, "the change of the model was stopped; what was embedded is kept")
                                  : Result<void>();
  }

  // What crawls bring meanwhile has old vectors alone, and is embedded by the next pass.
  Result<void> embed() {
    tell(ModelChangeStage::kEmbedding);
    for (int pass = 0; pass < kPassesMax; ++pass) {
      const std::uint64_t before = waiting_.counts().embedded;
      MAGPIE_TRY_DO(embed_once());
      if (waiting_.counts().embedded - before <= kRestMax) return {};
    }
    return fail(Code::kBusy,
                "crawls bring pictures faster than they are embedded; what was embedded is kept: ask again when they have ended");
  }

  Result<void> embed_once() {
    MAGPIE_TRY_DO(waiting_.embed_all(stop_, [this] { tell(); }));
    return stopped();
  }

  // Pictures that do not read any more are to be expected; where many are, it is the archive's or the model's fault.
  Result<void> check_lost() const {
    const Catalog& catalog = manager_.collection_.catalog();
    MAGPIE_TRY(const CatalogStats stats, catalog.stats());
    std::uint64_t lost = 0;
    for (const ImageId id : waiting_.not_embedded()) {
      MAGPIE_TRY_DO(stopped());
      MAGPIE_TRY(const std::optional<Embedding> before, catalog.embedding(id, change_.before));
      lost += before ? 1 : 0;  // it may have been forgotten since
    }
    if (lost * kLostMax <= stats.images) return {};
    return fail(Code::kUnavailable,
                "{} of {} pictures would have no vector of {}, as they could not be embedded (rebuild.not_embedded in the log); nothing "
                "was switched",
                lost, stats.images, change_.after);
  }

  Result<void> index_and_switch() {
    MAGPIE_TRY_DO(check_lost());
    drop_next_bridge(manager_.collection_.folder());
    {
      const std::lock_guard one_at_a_time(manager_.starting_);  // nothing is being forgotten
      MAGPIE_TRY(next_, manager_.collection_.begin_next_index(model_.space));
      MAGPIE_TRY_DO(manager_.recorder_->begin_next({next_->text(), next_->vectors()}, model_.space));
    }
    tell(ModelChangeStage::kIndexing);
    for (pipeline::Recorder::Filled filled; !filled.whole;) {
      MAGPIE_TRY_DO(stopped());
      MAGPIE_TRY(filled, manager_.recorder_->fill_next(kFillAtOnce));
      change_.indexed = filled.pictures;
      tell();
    }
    learn_bridge();
    MAGPIE_TRY_DO(embed());
    return switch_over();
  }

  void drop_next() {
    const std::lock_guard one_at_a_time(manager_.starting_);
    (void)manager_.recorder_->drop_next();  // where it fails nothing is written any more, be it to this
    manager_.collection_.drop_next_index();
    drop_next_bridge(manager_.collection_.folder());
  }

  // So that words still lead to pictures behind the switch. Without, they do once the next bridge is learnt (BridgeKeeper).
  void learn_bridge() {
    const AppSettings& settings = manager_.settings_;
    const CollectionFolder& folder = manager_.collection_.folder();
    const auto text_model = find_text_model(settings);
    const auto bridge = learn::Bridge::load(bridge_file(folder));
    if (!text_model || !*text_model || !bridge || bridge->facts().picture_space != change_.before || text_tower_of(model_)) return;
    tell(ModelChangeStage::kBridging);
    Texts texts(settings, **text_model, /*processes=*/1, nullptr);
    const BridgeEnds ends{.text_space = (*text_model)->space, .picture_space = model_.space, .is_next = true};
    const auto learnt = train_bridge(manager_.collection_, texts, ends, settings, stop_, nullptr);
    if (!learnt) log::warn("model.no_bridge", {{"why", learnt.error().message}});
  }

  // The new network is loaded before, so that the first picture that is asked for does not wait for it.
  Result<void> switch_over() {
    tell(ModelChangeStage::kSwitching);
    MAGPIE_TRY(std::shared_ptr<PictureWorkers> workers, manager_.make_picture_workers(&model_, /*at_once=*/true));
    MAGPIE_TRY_DO(wait_ready(*workers->pool));
    std::function<void()> take_up;
    if (options_.prepare) { MAGPIE_TRY(take_up, options_.prepare(next_, workers)); }
    const std::lock_guard one_at_a_time(manager_.starting_);
    const AtRest at_rest(manager_);
    return switch_at_rest(std::move(workers), take_up);
  }

  Result<void> wait_ready(WorkerPool& pool) const {
    const Deadline deadline = Deadline::after(kReadyMax);
    while (true) {
      MAGPIE_TRY_DO(stopped());
      auto ready = pool.wait_ready(Deadline::after(std::min(deadline.left(), kLookEvery)));
      if (ready || ready.error().code != Code::kTimeout || deadline.left().count() == 0) return ready;
    }
  }

  Result<void> switch_at_rest(std::shared_ptr<PictureWorkers> workers, const std::function<void()>& take_up) {
    MAGPIE_TRY_DO(embed_once());
    const bool compares = manager_.comparing_ != nullptr, looks_around = manager_.looking_ != nullptr;
    manager_.stop_looks();
    auto switched = manager_.recorder_->switch_to_next([&](CatalogTransaction& transaction) -> Result<void> {
      MAGPIE_TRY_DO(set_embedding_space(transaction, model_.space));
      return transaction.set_meta(Collection::kIndexName, manager_.collection_.next_index_name());
    });
    if (switched) {
      manager_.collection_.use_next_index();
      use_next_bridge(manager_.collection_.folder(), change_.after);
      const std::lock_guard lock(manager_.mutex_);
      std::swap(manager_.picture_workers_, workers);
    }
    if (switched && take_up) take_up();
    for (const auto& [is_wanted, start] :
         {std::pair(compares, &Manager::start_comparing), std::pair(looks_around, &Manager::start_looking_around)}) {
      const auto started = is_wanted ? (manager_.*start)() : Result<void>();
      if (!started) log::error("model.looks_not_started", {{"why", started.error().message}});
    }
    return switched;
  }

  static constexpr std::chrono::milliseconds kReadyMax{60'000}, kLookEvery{200};
  Manager& manager_;
  const PictureModel& model_;
  const ModelChangeOptions& options_;
  const std::stop_token& stop_;
  std::unique_ptr<WorkerPool> workers_;
  pipeline::AnalyseWaiting waiting_;
  std::shared_ptr<embedded::Index> next_;
  ModelChange change_;
};

Result<ModelChange> Manager::change_model(const ModelChangeOptions& options, const std::stop_token& stop) {
  const std::unique_lock one_at_a_time(changing_model_, std::try_to_lock);
  if (!one_at_a_time) return fail(Code::kBusy, "the model is being changed already");
  MAGPIE_TRY(const PictureModel model, named_embedder(options.model));
  const std::string before = recorder_->space();
  if (before == model.space) return ModelChange{.before = before, .after = model.space, .stage = ModelChangeStage::kDone};
  log::info("model.change_started", {{"before", before}, {"after", model.space}, {"dry_run", options.dry_run}});
  const auto changed = ModelChanger(*this, model, options, stop).run();
  if (changed) log::info("model.change_ended", {{"after", model.space}, {"embedded", changed->embedded}, {"switched", changed->switched}});
  else log::warn("model.not_changed", {{"after", model.space}, {"why", changed.error().message}});
  return changed;
}

}  // namespace magpie
