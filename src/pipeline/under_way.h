#pragma once
// Counts what is under way with the workers, so that a pass over a whole collection holds a bounded part of it.
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace magpie::pipeline {

/// Thread-safe. begin() and wait() are the pass's; end() and fail() are called where answers arrive.
class UnderWay {
 public:
  explicit UnderWay(std::size_t most) : most_(most) {}

  /// Waits for room and takes it. False once something failed: nothing more is to begin.
  bool begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ < most_; });
    if (trouble_) return false;
    ++count_;
    return true;
  }
  void end() {
    const std::lock_guard lock(mutex_);  // held over both, so that wait() cannot return, and this end, in between
    --count_;
    changed_.notify_all();
  }
  /// The whole pass cannot go on. The first error is kept; end() is still to be called.
  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!trouble_) trouble_ = error;
  }
  /// Until nothing is under way; then the error, if there was one.
  Result<void> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ == 0; });
    if (trouble_) return Failure(*trouble_);
    return {};
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
  std::optional<Error> trouble_;
};

}  // namespace magpie::pipeline
