#pragma once
// A point in steady time after which a wait gives up. Every blocking call takes one.
#include <algorithm>
#include <chrono>

namespace magpie {

using namespace std::chrono_literals;

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  static Deadline after(std::chrono::nanoseconds wait) { return Deadline(Clock::now() + wait); }
  static Deadline at(Clock::time_point when) { return Deadline(when); }
  static Deadline never() { return Deadline(Clock::time_point::max()); }

  bool passed() const { return when_ != Clock::time_point::max() && Clock::now() >= when_; }
  /// Zero once passed; at most a day, so that it fits every system call's argument.
  std::chrono::milliseconds left() const {
    if (when_ == Clock::time_point::max()) return std::chrono::hours(24);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when_ - Clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(std::chrono::hours(24)));
  }
  Clock::time_point when() const { return when_; }

 private:
  explicit Deadline(Clock::time_point when) : when_(when) {}
  Clock::time_point when_;
};

}  // namespace magpie
