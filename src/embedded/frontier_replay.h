#pragma once
// Makes the frontier's memory from its log: all of it, or what was written after a checkpoint.
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "embedded/frontier_log.h"
#include "embedded/frontier_memory.h"

namespace magpie {

class FrontierReplay {
 public:
  /// `memory` is empty, or a checkpoint's. `log` is the whole file; both must outlive this.
  FrontierReplay(FrontierMemory& memory, std::uint64_t seed, std::string_view log) : memory_(memory), seed_(seed), log_(log) {}

  /// What a checkpoint says was leased or put back: it waits again. kCorrupt for places that are not in the log.
  Result<void> reopen(std::span<const FrontierMark> open);
  /// The next record. kCorrupt when it cannot be what the frontier wrote.
  Result<void> apply(const FrontierRecord& record);
  /// After the last record: queues what was put back, takes from the runs what has ended meanwhile, wakes every host with URLs.
  /// Cost: one look at each URL waiting on hosts where something has ended.
  Result<void> finish();

 private:
  struct Place {
    FrontierEntry entry;
    FrontierJob* job;
    HostId host;
    unsigned group() const { return frontier_group(lane_of(entry.kind), entry.priority); }
  };
  struct Url {
    std::uint64_t signature;
    FrontierEntry entry;
  };

  Result<Place> place_at(std::uint64_t offset);
  Result<void> apply_urls(const FrontierRecord& record);
  Result<void> apply_mark(FrontierRecordType type, const FrontierMark& mark);
  bool queue(const Url& url, bool revisit, FrontierJob& job, HostId host);
  void tidy(FrontierHost& host);

  FrontierMemory& memory_;
  std::uint64_t seed_;
  std::string_view log_;
  std::unordered_map<std::uint64_t, FrontierMark> put_back_;  // few: what failed and waits for its next try
  std::uint64_t stale_ = 0;                                   // URLs that runs still hold though they have ended
  std::vector<Url> urls_;                                     // of one record, so that its slots can be fetched ahead
};

}  // namespace magpie
