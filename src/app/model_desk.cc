#include "app/model_desk.h"

namespace magpie {

std::optional<std::string> left_to_do(const AppSettings& settings, const std::string& model) {
  const std::string& named = settings.model.embedder();
  if (named.empty() || named == model) return std::nullopt;
  return fmt::format("take model.embedder = {} out of the settings, or set it to {}", named, model);
}

Result<ModelChangeView> ModelDesk::change_model(const std::string& model, bool dry_run) {
  MAGPIE_TRY_DO(named_embedder(model));
  return thread_.with([&](std::jthread& thread) -> Result<ModelChangeView> {
    MAGPIE_TRY(const ModelChangeView begun, state_.with([&](State& state) -> Result<ModelChangeView> {
      if (!state.views.empty() && state.views.rbegin()->second.state == ModelChangeState::kRunning)
        return fail(Code::kBusy, "change {} is under way; ask again when it has ended", state.last);
      const ModelChangeId id = ++state.last;
      if (state.views.size() >= kKeptMax) state.views.erase(state.views.begin());
      return state.views.emplace(id, ModelChangeView{.id = id, .model = model, .dry_run = dry_run}).first->second;
    }));
    ModelChangeOptions options{.model = model, .dry_run = dry_run, .switched = switched_};
    options.progress = [this, id = begun.id](const ModelChange& change) {
      state_.with([&](State& state) { state.views.at(id).change = change; });
    };
    thread = std::jthread([this, id = begun.id, options = std::move(options)](const std::stop_token& stop) { run(id, options, stop); });
    return begun;
  });
}

void ModelDesk::run(ModelChangeId id, const ModelChangeOptions& options, const std::stop_token& stop) {
  auto changed = manager_.change_model(options, stop);
  state_.with([&](State& state) {
    ModelChangeView& view = state.views.at(id);
    if (changed) {
      view.state = ModelChangeState::kFinished;
      view.change = *std::move(changed);
      if (view.change.switched) view.message = left_to_do(settings_, view.model);
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
  MAGPIE_TRY(const ModelChangeView view, model_change(id));
  if (view.state != ModelChangeState::kRunning) return view;
  thread_.with([](std::jthread& thread) { thread.request_stop(); });
  return model_change(id);
}

}  // namespace magpie
