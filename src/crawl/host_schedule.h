#pragma once
// Which host is due next: a heap by time with at most one live entry a host. O(log hosts) each. Ties go in the order they were made,
// so hosts without a delay take turns. Not thread-safe.
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

  /// Takes the host that has been due the longest.
  std::optional<std::uint32_t> pop_due(SteadyTime now) {
    drop_stale();
    if (heap_.empty() || heap_.top().when > now) return std::nullopt;
    const std::uint32_t host = heap_.top().host;
    heap_.pop();
    live_[host] = 0;
    return host;
  }

  /// The host that pop_due() would take next, whenever that is.
  std::optional<std::uint32_t> next_host() {
    drop_stale();
    return heap_.empty() ? std::nullopt : std::optional(heap_.top().host);
  }
  /// Takes a host out, should it be in.
  void remove(std::uint32_t host) {
    if (host < live_.size()) live_[host] = 0;
  }

  std::optional<SteadyTime> next_at() {
    drop_stale();
    return heap_.empty() ? std::nullopt : std::optional(heap_.top().when);
  }

 private:
  struct Entry {
    SteadyTime when;
    std::uint64_t sequence;
    std::uint32_t host;
    bool operator>(const Entry& other) const { return when != other.when ? when > other.when : sequence > other.sequence; }
  };
  void drop_stale() {
    while (!heap_.empty() && live_[heap_.top().host] != heap_.top().sequence) heap_.pop();
  }

  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
  std::vector<std::uint64_t> live_;  // by host: the sequence of its live entry, 0 for none
  std::vector<SteadyTime> live_at_;
  std::uint64_t sequence_ = 0;
};

}  // namespace magpie::crawl
