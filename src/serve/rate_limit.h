#pragma once
// Token buckets: so many requests a second in the long run, and so many at once.
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/guarded.h"

namespace magpie {

struct RateLimit {
  double per_second = 0;  // 0: no limit
  double burst = 1;       // what a caller that was quiet may ask at once
};

/// Thread-safe. Remembers the last kCallersMax callers; one that was forgotten begins with a full bucket.
class RateLimiter {
 public:
  static constexpr std::size_t kCallersMax = 10'000;
  explicit RateLimiter(RateLimit limit) : limit_(limit) {}

  /// Takes `cost` tokens of the caller's bucket. Nothing when it had them, else after how long it will have them; then none are taken.
  std::optional<std::chrono::seconds> take(const std::string& caller, double cost, std::chrono::steady_clock::time_point now);

 private:
  struct Bucket {
    std::string caller;
    double tokens = 0;
    std::chrono::steady_clock::time_point filled_at;
  };
  struct State {
    std::list<Bucket> by_use;  // the latest first
    std::unordered_map<std::string, std::list<Bucket>::iterator> by_caller;
  };
  const RateLimit limit_;
  Guarded<State> state_;
};

}  // namespace magpie
