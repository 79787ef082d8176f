#include "app/model_desk.h"

namespace magpie {

std::optional<std::string> left_to_do(const AppSettings& settings, const std::string& model) {
  const std::string& named = settings.model.embedder();
  if (named.empty() || named == model) return std::nullopt;
  return fmt::format("take model.embedder = {} out of the settings, or set it to {}", named, model);
}

// A server that is told by its settings which model to use would not start again with another.
Result<void> ModelDesk::check_unnamed(const std::string& model) const {
  const std::string& named = settings_.model.embedder();
  if (named.empty() || named == model) return {};
  return fail(Code::kForbidden,
              "model.embedder is set to {}, so the server would not start again with {}; start it without that setting, and ask again",
              named, model);
}

Result<ModelChangeView> ModelDesk::change_model(const std::string& model, bool dry_run) {
  MAGPIE_TRY_DO(named_embedder(model));
  if (!dry_run) MAGPIE_TRY_DO(check_unnamed(model));
  return thread_.with([&](std::jthread& thread) -> Result<ModelChangeView> {
    return state_.with([&](State& state) -> Result<ModelChangeView> {
      if (!state.views.empty() && state.views.rbegin()->second.state == ModelChangeState::kRunning)
        return fail(Code::kBusy, "change {} is under way; ask again when it has ended", state.last);
      const ModelChangeId id = state.last + 1;
      ModelChangeOptions options{.model = model, .dry_run = dry_run, .prepare = prepare_};
      options.progress = [this, id](const ModelChange& change) { state_.with([&](State& known) { known.views.at(id).change = change; }); };
      thread = std::jthread([this, id, options = std::move(options)](const std::stop_token& stop) { run(id, options, stop); });
      if (state.views.size() >= kKeptMax) state.views.erase(state.views.begin());
      state.last = id;
      return state.views.emplace(id, ModelChangeView{.id = id, .model = model, .dry_run = dry_run}).first->second;
    });
  });
}

void ModelDesk::request_stop() {
  thread_.with([](std::jthread& thread) { thread.request_stop(); });
}

void ModelDesk::run(ModelChangeId id, const ModelChangeOptions& options, const std::stop_token& stop) {
  auto changed = manager_.change_model(options, stop);
  state_.with([&](State& state) {
    ModelChangeView& view = state.views.at(id);
    if (changed) {
      view.state = ModelChangeState::kFinished;
      view.change = *std::move(changed);
    } else {
      view.state = changed.error().code == Code::kCancelled ? ModelChangeState::kCancelled : ModelChangeState::kFailed;
      view.message = changed.error().message;
    }
  });
}

Result<ModelChangeView> ModelDesk::model_change(ModelChangeId id) {
  return state_.with([&](State& state) -> Result<ModelChangeView> {
    const auto found = state.views.find(id);
    if (found == state.views.end()) return fail(Code::kNotFound, "no change of the model has the number {}", id);
    return found->second;
  });
}

Result<ModelChangeView> ModelDesk::cancel_model_change(ModelChangeId id) {
  return thread_.with([&](std::jthread& thread) -> Result<ModelChangeView> {  // no other begins meanwhile
    MAGPIE_TRY(const ModelChangeView view, model_change(id));
    if (view.state == ModelChangeState::kRunning) thread.request_stop();
    return view;
  });
}

}  // namespace magpie
