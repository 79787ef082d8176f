#pragma once
// The hosts of one job. A host that nobody asks now costs 32 bytes, its name and 12 to 20 bytes of index, and its runs of waiting URLs.
// What only hosts at work have (leases, URLs put back) is kept beside. Not thread-safe.
#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "core/frontier.h"
#include "embedded/frontier_runs.h"

namespace magpie {

struct FrontierHost {
  std::uint32_t name = 0;                         // HostTable::name
  std::array<std::uint32_t, 2> queued{}, done{};  // by Lane; put back ones are queued
  std::uint32_t failed : 31 = 0;
  bool woken : 1 = false;  // stands in its job's list of woken hosts
  RunList runs;
};
static_assert(sizeof(FrontierHost) == 32, "there may be a million of them");

using HostId = std::uint32_t;

class HostTable {
 public:
  static constexpr HostId kNone = ~HostId{0};

  std::size_t size() const { return hosts_.size(); }
  /// References stay valid.
  FrontierHost& operator[](HostId id) { return hosts_[id]; }
  const FrontierHost& operator[](HostId id) const { return hosts_[id]; }
  std::string_view name(HostId id) const {
    const char* at = chunks_[hosts_[id].name / kChunkBytes].get() + hosts_[id].name % kChunkBytes;
    std::uint16_t size;
    __builtin_memcpy(&size, at, sizeof size);
    return {at + sizeof size, size};
  }

  HostId find(std::string_view name) const {
    const std::size_t at = locate(hash_of(name), name);
    return index_[at] == 0 ? kNone : static_cast<HostId>(index_[at]) - 1;
  }
  /// Made when missing. `name` has at most Frontier::kUrlBytesMax bytes.
  HostId get(std::string_view name) {
    const std::uint32_t hash = hash_of(name);
    const std::size_t at = locate(hash, name);
    if (index_[at] != 0) return static_cast<HostId>(index_[at]) - 1;
    hosts_.emplace_back().name = keep(name);
    index_[at] = std::uint64_t{hash} << 32 | hosts_.size();
    if (hosts_.size() > index_.size() / 4 * 3) grow();
    return static_cast<HostId>(hosts_.size() - 1);
  }

 private:
  static constexpr std::size_t kChunkBytes = std::size_t{1} << 16;

  // Seeded, so that nobody can prepare names that all fall on one place.
  static std::uint32_t hash_of(std::string_view name) {
    static const std::uint64_t seed = random_u64();
    return static_cast<std::uint32_t>(signature64(name, seed) >> 32);
  }
  std::size_t home(std::uint32_t hash) const { return (std::uint64_t{hash} * index_.size()) >> 32; }
  std::size_t locate(std::uint32_t hash, std::string_view wanted) const {
    std::size_t at = home(hash);
    while (index_[at] != 0 && (index_[at] >> 32 != hash || name(static_cast<HostId>(index_[at]) - 1) != wanted)) {
      at = at + 1 == index_.size() ? 0 : at + 1;
    }
    return at;
  }
  void grow() {
    std::vector<std::uint64_t> old(index_.size() + index_.size() / 2);
    old.swap(index_);
    for (const std::uint64_t entry : old) {
      if (entry == 0) continue;
      std::size_t at = home(static_cast<std::uint32_t>(entry >> 32));
      while (index_[at] != 0) at = at + 1 == index_.size() ? 0 : at + 1;
      index_[at] = entry;
    }
  }
  // Names lie behind one another, each with its length, and none lies in two chunks.
  std::uint32_t keep(std::string_view name) {
    const auto size = static_cast<std::uint16_t>(name.size());
    if (chunks_.empty() || used_ + sizeof size + size > kChunkBytes) {
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
      used_ = 0;
    }
    char* at = chunks_.back().get() + used_;
    __builtin_memcpy(at, &size, sizeof size);
    std::copy(name.begin(), name.end(), at + sizeof size);
    const std::size_t place = (chunks_.size() - 1) * kChunkBytes + used_;
    used_ += sizeof size + size;
    return static_cast<std::uint32_t>(place);
  }

  std::deque<FrontierHost> hosts_;
  std::vector<std::uint64_t> index_ = std::vector<std::uint64_t>(64);  // hash in the upper half, HostId + 1 in the lower; 0: empty
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = 0;  // of the last chunk
};

/// A URL that was put back.
struct WaitingUrl {
  std::uint64_t signature = 0;
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
  const std::vector<WaitingUrl>& all() const { return heap_; }

 private:
  std::vector<WaitingUrl> heap_;
};

/// A host with leases or URLs that were put back.
struct BusyHost {
  std::uint32_t in_flight = 0;
  std::array<WaitingQueue, 2> put_back;  // by Lane
  bool idle() const { return in_flight == 0 && put_back[0].empty() && put_back[1].empty(); }
};

}  // namespace magpie
