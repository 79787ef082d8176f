#include "core/refusals.h"

#include "core/frontier.h"

namespace magpie {

std::uint64_t refusal_mark(std::uint64_t seed, RefusedKind kind, std::string_view what) {
  std::string named(1, static_cast<char>(kind));
  named += what;
  return signature64(named, seed);
}

bool Refusals::refuses(std::string_view canonical_url) const {
  return has(RefusedKind::kAddress, canonical_url) || has(RefusedKind::kHost, host_of_url(canonical_url));
}

}  // namespace magpie
