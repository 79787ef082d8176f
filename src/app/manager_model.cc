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
      const std::lock_guard one_at_a_time(manager_.starting_);
      (void)manager_.recorder_->drop_next();
      manager_.collection_.drop_next_index();
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
    change_.failed = counts.failed - failed_before_;
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
      if (waiting_.counts().embedded - before <= kRestMax) break;
    }
    return {};
  }

  Result<void> embed_once() {
    failed_before_ = waiting_.counts().failed;  // they are tried again
    MAGPIE_TRY_DO(waiting_.embed_all(stop_, [this] { tell(); }));
    return stopped();
  }

  Result<void> index_and_switch() {
    {
      const std::lock_guard one_at_a_time(manager_.starting_);  // nothing is being forgotten
      MAGPIE_TRY(embedded::Index* const next, manager_.collection_.begin_next_index(model_.space));
      MAGPIE_TRY_DO(manager_.recorder_->begin_next({next->text(), next->vectors()}, model_.space));
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

  // So that words still lead to pictures behind the switch. Without, they do once the next bridge is learnt (BridgeKeeper).
  void learn_bridge() {
    const AppSettings& settings = manager_.settings_;
    const CollectionFolder& folder = manager_.collection_.folder();
    const auto text_model = find_text_model(settings);
    const auto bridge = learn::Bridge::load(bridge_file(folder));
    if (!text_model || !*text_model || !bridge || bridge->facts().picture_space != change_.before || text_tower_of(model_)) return;
    tell(ModelChangeStage::kBridging);
    Texts texts(settings, **text_model, /*processes=*/1, nullptr);
    const auto learnt =
        train_bridge(manager_.collection_, texts, {(*text_model)->space, model_.space, next_bridge_file(folder)}, settings, stop_, nullptr);
    if (!learnt) log::warn("model.no_bridge", {{"why", learnt.error().message}});
  }

  // There is none where none was learnt, or where something was forgotten since.
  void use_next_bridge() {
    const CollectionFolder& folder = manager_.collection_.folder();
    std::error_code none;
    fs::rename(next_bridge_file(folder), bridge_file(folder), none);
  }

  // The new network is loaded before, so that the first picture that is asked for does not wait for it.
  Result<void> switch_over() {
    tell(ModelChangeStage::kSwitching);
    MAGPIE_TRY(std::shared_ptr<PictureWorkers> workers, manager_.make_picture_workers(&model_, /*at_once=*/true));
    MAGPIE_TRY_DO(workers->pool->wait_ready(Deadline::after(kReadyMax)));
    const std::lock_guard one_at_a_time(manager_.starting_);
    manager_.rest_crawls();
    auto switched = switch_at_rest(std::move(workers));
    manager_.wake_crawls();
    return switched;
  }

  Result<void> switch_at_rest(std::shared_ptr<PictureWorkers> workers) {
    MAGPIE_TRY_DO(embed_once());
    const bool compares = manager_.comparing_ != nullptr, looks_around = manager_.looking_ != nullptr;
    manager_.stop_looks();
    auto switched = manager_.recorder_->switch_to_next([&](CatalogTransaction& transaction) -> Result<void> {
      MAGPIE_TRY_DO(set_embedding_space(transaction, model_.space));
      return transaction.set_meta(Collection::kIndexName, manager_.collection_.next_index_name());
    });
    if (switched) {
      manager_.collection_.use_next_index();
      use_next_bridge();
      const std::lock_guard lock(manager_.mutex_);
      std::swap(manager_.picture_workers_, workers);
    }
    if (switched && options_.switched) options_.switched();
    for (const auto& [is_wanted, start] :
         {std::pair(compares, &Manager::start_comparing), std::pair(looks_around, &Manager::start_looking_around)}) {
      const auto started = is_wanted ? (manager_.*start)() : Result<void>();
      if (!started) log::error("model.looks_not_started", {{"why", started.error().message}});
    }
    return switched;
  }

  static constexpr std::chrono::seconds kReadyMax{60};
  Manager& manager_;
  const PictureModel& model_;
  const ModelChangeOptions& options_;
  const std::stop_token& stop_;
  std::unique_ptr<WorkerPool> workers_;
  pipeline::AnalyseWaiting waiting_;
  std::uint64_t failed_before_ = 0;  // this pass
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
