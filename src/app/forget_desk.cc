#include "app/forget_desk.h"

#include "base/log.h"

namespace magpie {

Result<ForgetReport> ForgetDesk::preview(const ForgetTarget& target) { return manager_.preview_forgetting(target); }

Result<ForgetView> ForgetDesk::forget(const ForgetTarget& target) {
  MAGPIE_TRY_DO(manager_.check_forgetting(target));
  const auto begun = state_.with([&](State& state) -> Result<ForgetView> {
    if (!state.views.empty() && state.views.rbegin()->second.state == ForgetState::kRunning)
      return fail(Code::kBusy, "something is being forgotten; ask again when it has ended");
    const ForgetId id = ++state.last;
    if (state.views.size() >= kKeptMax) state.views.erase(state.views.begin());
    return state.views.emplace(id, ForgetView{.id = id, .target = target}).first->second;
  });
  if (begun) thread_.with([&](std::jthread& thread) { thread = std::jthread([this, id = begun->id, target] { run(id, target); }); });
  return begun;
}

void ForgetDesk::run(ForgetId id, const ForgetTarget& target) {
  auto report = manager_.forget(target);
  if (!report) log::error("forget.failed", {{"why", report.error().message}});
  state_.with([&](State& state) {
    ForgetView& view = state.views.at(id);
    view.state = report ? ForgetState::kFinished : ForgetState::kFailed;
    if (report) view.report = *std::move(report);
    else view.message = report.error().message;
  });
}

Result<ForgetView> ForgetDesk::forgetting(ForgetId id) {
  return state_.with([&](State& state) -> Result<ForgetView> {
    const auto found = state.views.find(id);
    if (found == state.views.end()) return fail(Code::kNotFound, "nothing was forgotten under the number {}", id);
    return found->second;
  });
}

}  // namespace magpie
