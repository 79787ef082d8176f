#include "serve/kept_pictures.h"

namespace magpie {

KeptPictures::Bytes KeptPictures::find(ImageId id) {
  return state_.with([&](State& state) -> Bytes {
    const auto found = state.by_id.find(id);
    if (found == state.by_id.end()) return nullptr;
    state.by_use.splice(state.by_use.begin(), state.by_use, found->second);
    return found->second->bytes;
  });
}

void KeptPictures::keep(ImageId id, Bytes bytes) {
  if (bytes->size() > bytes_max_) return;
  state_.with([&](State& state) {
    if (state.by_id.contains(id)) return;
    state.bytes += bytes->size();
    state.by_use.push_front({id, std::move(bytes)});
    state.by_id.emplace(id, state.by_use.begin());
    while (state.bytes > bytes_max_) {
      const Entry& last = state.by_use.back();
      state.bytes -= last.bytes->size();
      state.by_id.erase(last.id);
      state.by_use.pop_back();
    }
  });
}

}  // namespace magpie
