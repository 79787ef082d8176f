#include "serve/kept_parts.h"

namespace magpie {

std::optional<Embedding> KeptParts::find(const std::string& name) const {
  return state_.with([&](const State& state) -> std::optional<Embedding> {
    const auto found = state.by_name.find(name);
    return found == state.by_name.end() ? std::nullopt : std::optional(found->second);
  });
}

void KeptParts::keep(const std::string& name, Embedding embedding) {
  state_.with([&](State& state) {
    if (!state.by_name.emplace(name, std::move(embedding)).second) return;
    state.by_age.push_back(name);
    if (state.by_age.size() <= kCountMax) return;
    state.by_name.erase(state.by_age.front());
    state.by_age.pop_front();
  });
}

}  // namespace magpie
