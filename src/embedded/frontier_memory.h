#pragma once
// All that the frontier keeps in memory: how each URL stands, and each host's queues and counts. Kept in a checkpoint as it is, or made
// again from the log. Not thread-safe.
#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/frontier.h"
#include "embedded/frontier_hosts.h"
#include "embedded/signature_table.h"

namespace magpie {

/// A URL's byte in the signature table: how it stands, and its lane in the highest bit. Kept in checkpoints.
struct FrontierUrlState {
  static constexpr std::uint8_t kQueued = 1;     // in a run
  static constexpr std::uint8_t kLeased = 2;     // in `flights`
  static constexpr std::uint8_t kPutBack = 3;    // in a host's WaitingQueue
  static constexpr std::uint8_t kDoneFirst = 4;  // and its cause's number on top

  std::uint8_t code = kQueued;
  Lane lane = Lane::kPages;

  static FrontierUrlState of(std::uint8_t byte) { return {static_cast<std::uint8_t>(byte & 0x7F), static_cast<Lane>(byte >> 7)}; }
  static FrontierUrlState done(Cause cause, Lane lane) {
    return {static_cast<std::uint8_t>(kDoneFirst + static_cast<unsigned>(cause)), lane};
  }
  std::uint8_t byte() const { return static_cast<std::uint8_t>(code | static_cast<unsigned>(lane) << 7); }
  bool is_done() const { return code >= kDoneFirst; }
  Cause cause() const { return static_cast<Cause>(code - kDoneFirst); }
  bool has_failed() const { return code > kDoneFirst; }
};

struct FrontierJob {
  HostTable hosts;
  std::unordered_map<HostId, BusyHost> busy;
  std::vector<HostId> woken;
  FrontierCounts counts;

  void wake(HostId id) {
    if (hosts[id].woken) return;
    hosts[id].woken = true;
    woken.push_back(id);
  }
  void count_queued(HostId id, Lane lane) {
    ++counts.queued;
    ++hosts[id].queued[static_cast<std::size_t>(lane)];
  }
  void uncount_queued(HostId id, Lane lane) {
    --counts.queued;
    --hosts[id].queued[static_cast<std::size_t>(lane)];
  }
  void count_done(HostId id, FrontierUrlState state) { change_done(id, state, 1); }
  void uncount_done(HostId id, FrontierUrlState state) { change_done(id, state, -1); }

 private:
  void change_done(HostId id, FrontierUrlState state, int by) {
    const auto change = static_cast<std::uint32_t>(by);  // wraps, so that adding takes away
    FrontierHost& host = hosts[id];
    if (!state.has_failed()) {
      counts.done += static_cast<std::uint64_t>(by);
      host.done[static_cast<std::size_t>(state.lane)] += change;
      return;
    }
    counts.failed += static_cast<std::uint64_t>(by);
    counts.failed_by_cause[std::min<std::size_t>(static_cast<std::size_t>(state.cause()), kCauseCount - 1)] +=
        static_cast<std::uint64_t>(by);
    host.failed = (host.failed + change) & 0x7FFF'FFFF;
  }
};

/// A lease.
struct FrontierFlight {
  FrontierJob* job = nullptr;
  HostId host = 0;
  unsigned group = 0;
  std::uint64_t offset = 0;
  std::uint32_t tries = 0;
  Lane lane() const { return static_cast<Lane>(group / (kUrlPriorityLast + 1u)); }
};

struct FrontierMemory {
  SignatureTable table;
  std::unordered_map<JobId, FrontierJob> jobs;                // entries never move
  std::unordered_map<std::uint64_t, FrontierFlight> flights;  // by signature
};

}  // namespace magpie
