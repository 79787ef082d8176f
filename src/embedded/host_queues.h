#pragma once
// The waiting URLs of one host of one job, as places in the frontier's log. Not thread-safe.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/frontier.h"

namespace magpie {

/// First in, first out; 8 bytes an entry and nothing for an empty one, as there may be a million hosts.
class OffsetQueue {
 public:
  void push(std::uint64_t offset) { offsets_.push_back(offset); }
  bool empty() const { return head_ == offsets_.size(); }
  std::size_t size() const { return offsets_.size() - head_; }
  std::uint64_t front() const { return offsets_[head_]; }
  void pop() {
    if (++head_ * 2 < offsets_.size()) return;  // moving only when half is free makes each pop O(1) on average
    offsets_.erase(offsets_.begin(), offsets_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
    if (offsets_.empty()) offsets_.shrink_to_fit();
  }

 private:
  std::vector<std::uint64_t> offsets_;
  std::size_t head_ = 0;
};

/// A URL that was put back.
struct WaitingUrl {
  std::int64_t not_before_ms = 0;
  std::uint64_t offset = 0;
  std::uint32_t tries = 0;
  bool operator>(const WaitingUrl& other) const {
    return not_before_ms != other.not_before_ms ? not_before_ms > other.not_before_ms : offset > other.offset;
  }
};

/// Earliest first.
class WaitingQueue {
 public:
  void push(WaitingUrl url) {
    heap_.push_back(url);
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  const WaitingUrl& front() const { return heap_.front(); }
  void pop() {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
  }

 private:
  std::vector<WaitingUrl> heap_;
};

struct HostQueues {
  std::string name;
  std::array<OffsetQueue, 2> fresh;  // by Lane
  std::array<WaitingQueue, 2> put_back;
  std::uint64_t in_flight = 0, done_pages = 0, done_images = 0, failed = 0;
  bool woken = false;  // stands in its job's list of woken hosts

  std::uint64_t queued(Lane lane) const {
    const auto i = static_cast<std::size_t>(lane);
    return fresh[i].size() + put_back[i].size();
  }
  HostCounts counts() const {
    return {.host = name,
            .queued_pages = queued(Lane::kPages),
            .queued_images = queued(Lane::kImages),
            .in_flight = in_flight,
            .done_pages = done_pages,
            .done_images = done_images,
            .failed = failed};
  }
};

}  // namespace magpie
