#pragma once
// Pictures that wait for a stage behind the index, each once: what became findable goes in, the stage's thread takes one after the other.
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_set>
#include <vector>

#include "core/records.h"

namespace magpie::pipeline {

/// Thread-safe.
class ImageQueue {
 public:
  explicit ImageQueue(std::size_t under_way_max) : under_way_max_(under_way_max) {}

  /// Those that neither wait nor are under way. Does not wait.
  void add(const std::vector<ImageId>& images) {
    const std::lock_guard lock(mutex_);
    for (const ImageId image : images) {
      if (open_.insert(image).second) waiting_.push_back(image);
    }
    changed_.notify_all();
  }
  /// Whether any wait.
  bool has_waiting() {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
  }
  /// The next, once fewer than `under_way_max` are under way; it is until end(). Nothing when `stop` is asked for.
  std::optional<ImageId> next(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty() && under_way_ < under_way_max_; }) || stop.stop_requested())
      return std::nullopt;
    const ImageId next = waiting_.front();
    waiting_.pop_front();
    ++under_way_;
    return next;
  }
  /// Nothing of this is touched once the lock is let go: whoever waits for the last one may then be gone.
  void end(ImageId id) {
    const std::lock_guard lock(mutex_);
    open_.erase(id);
    --under_way_;
    changed_.notify_all();
  }
  /// Until all that was added has ended, or `stop` is asked for.
  void finish(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, stop, [this] { return open_.empty(); });
  }
  /// Until nothing is under way.
  void wait_for_ends() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return under_way_ == 0; });
  }

 private:
  const std::size_t under_way_max_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<ImageId> waiting_;       // all below guarded by mutex_
  std::unordered_set<ImageId> open_;  // those and the ones under way
  std::size_t under_way_ = 0;
};

}  // namespace magpie::pipeline
