#pragma once
// Which host is due next: by time, with at most one live entry a host. O(log hosts) each. Ties go in the order they were made, so hosts
// without a delay take turns. When more hosts are due than can be asked, those with the most work left go ahead of the others by what
// they are given for it: a huge host loses no turn to a thousand small ones that are done long before it. Not thread-safe.
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "crawl/host_state.h"

namespace magpie::crawl {

class HostSchedule {
 public:
  /// Hosts are small numbers from 0, given in order. Moves an entry that is there already when `when` is earlier; leaves it otherwise.
  void schedule(std::uint32_t host, SteadyTime when) {
    if (host >= live_.size()) {
      live_.resize(host + 1, 0);
      live_at_.resize(host + 1);
    }
    if (live_[host] != 0 && live_at_[host] <= when) return;
    live_[host] = ++sequence_;
    live_at_[host] = when;
    heap_.push({when, sequence_, host});
  }

  /// Takes the host that has been due the longest, its head start counted in: `head_start(host)`, asked once a turn, not negative.
  template <class HeadStart>
  std::optional<std::uint32_t> pop_due(SteadyTime now, HeadStart&& head_start) {
    for (drop_stale(heap_); !heap_.empty() && heap_.top().when <= now; drop_stale(heap_)) {
      Entry entry = heap_.top();
      heap_.pop();
      entry.when -= head_start(entry.host);
      due_.push(entry);
    }
    drop_stale(due_);
    if (due_.empty()) return std::nullopt;
    const std::uint32_t host = due_.top().host;
    due_.pop();
    live_[host] = 0;
    return host;
  }

  /// The host that pop_due() would take next, whenever that is.
  std::optional<std::uint32_t> next_host() {
    const Heap& heap = next_heap();
    return heap.empty() ? std::nullopt : std::optional(heap.top().host);
  }
  /// Takes a host out, should it be in.
  void remove(std::uint32_t host) {
    if (host < live_.size()) live_[host] = 0;
  }

  /// Nothing when no host is in; a time that has passed when one is due.
  std::optional<SteadyTime> next_at() {
    const Heap& heap = next_heap();
    return heap.empty() ? std::nullopt : std::optional(heap.top().when);
  }

 private:
  struct Entry {
    SteadyTime when;
    std::uint64_t sequence;
    std::uint32_t host;
    bool operator>(const Entry& other) const { return when != other.when ? when > other.when : sequence > other.sequence; }
  };
  using Heap = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;
  void drop_stale(Heap& heap) const {
    while (!heap.empty() && live_[heap.top().host] != heap.top().sequence) heap.pop();
  }
  const Heap& next_heap() {
    drop_stale(due_);
    drop_stale(heap_);
    return due_.empty() ? heap_ : due_;
  }

  Heap heap_;                        // by the time they are due
  Heap due_;                         // what was due at the last look, by that time less the head start
  std::vector<std::uint64_t> live_;  // by host: the sequence of its live entry, 0 for none
  std::vector<SteadyTime> live_at_;
  std::uint64_t sequence_ = 0;
};

}  // namespace magpie::crawl
