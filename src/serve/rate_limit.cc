#include "serve/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace magpie {

std::optional<std::chrono::seconds> RateLimiter::take(const std::string& caller, double cost, std::chrono::steady_clock::time_point now) {
  if (limit_.per_second <= 0) return std::nullopt;
  cost = std::min(cost, limit_.burst);  // or nobody could ever ask it
  return state_.with([&](State& state) -> std::optional<std::chrono::seconds> {
    const auto known = state.by_caller.find(caller);
    if (known == state.by_caller.end()) {
      state.by_use.push_front({caller, limit_.burst, now});
      state.by_caller.emplace(caller, state.by_use.begin());
      if (state.by_use.size() > kCallersMax) {
        state.by_caller.erase(state.by_use.back().caller);
        state.by_use.pop_back();
      }
    } else {
      state.by_use.splice(state.by_use.begin(), state.by_use, known->second);
    }
    Bucket& bucket = state.by_use.front();
    const double passed = std::chrono::duration<double>(now - bucket.filled_at).count();
    bucket.tokens = std::min(limit_.burst, bucket.tokens + std::max(0.0, passed) * limit_.per_second);
    bucket.filled_at = now;
    if (bucket.tokens >= cost) {
      bucket.tokens -= cost;
      return std::nullopt;
    }
    return std::chrono::seconds(std::max<long>(1, static_cast<long>(std::ceil((cost - bucket.tokens) / limit_.per_second))));
  });
}

}  // namespace magpie
