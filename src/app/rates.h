#pragma once
// Events per second over the last ten seconds, from a counter that only grows.
#include <chrono>
#include <cstdint>
#include <deque>

namespace magpie {

class Rate {
 public:
  /// Gives the rate after taking in the counter's value now. Not thread-safe.
  double update(std::chrono::steady_clock::time_point now, std::uint64_t value) {
    seen_.push_back({now, value});
    while (seen_.size() > 2 && now - seen_.front().at > std::chrono::seconds(10)) seen_.pop_front();
    const double seconds = std::chrono::duration<double>(now - seen_.front().at).count();
    return seconds > 0 ? static_cast<double>(value - seen_.front().value) / seconds : 0;
  }

 private:
  struct Seen {
    std::chrono::steady_clock::time_point at;
    std::uint64_t value;
  };
  std::deque<Seen> seen_;
};

struct Rates {
  Rate pages, images;
};

}  // namespace magpie
