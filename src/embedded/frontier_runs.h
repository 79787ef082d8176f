#pragma once
// The waiting URLs of one host, in 8 bytes for each run of them: URLs that were added together lie side by side in the log, so a
// run is where they begin and how many are left. Not thread-safe.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <span>
#include <utility>

#include "core/frontier.h"

namespace magpie {

/// Lane and priority as one number, 0..7; the order of a lane's priorities is the order of its groups.
constexpr unsigned frontier_group(Lane lane, std::uint8_t priority) {
  return static_cast<unsigned>(lane) * (kUrlPriorityLast + 1u) + std::min(priority, kUrlPriorityLast);
}

/// 64 bits, highest first: group 3, count 16, offset in the log 44 (16 TiB), and a 1 that tells a run from a pointer (RunList).
class UrlRun {
 public:
  static constexpr std::uint32_t kCountMax = 0xFFFF;
  static constexpr std::uint64_t kOffsetMax = (std::uint64_t{1} << 44) - 1;

  UrlRun(unsigned group, std::uint32_t count, std::uint64_t offset)
      : bits_(std::uint64_t{group} << 61 | std::uint64_t{count} << 45 | offset << 1 | 1) {}
  /// What bits() gave.
  static UrlRun of(std::uint64_t bits) { return UrlRun(bits | 1); }
  std::uint64_t bits() const { return bits_; }
  unsigned group() const { return static_cast<unsigned>(bits_ >> 61); }
  std::uint32_t count() const { return static_cast<std::uint32_t>(bits_ >> 45) & kCountMax; }
  std::uint64_t offset() const { return bits_ >> 1 & kOffsetMax; }
  /// Without its first URL, which took `bytes` in the log.
  UrlRun rest(std::uint64_t bytes) const { return {group(), count() - 1, offset() + bytes}; }

 private:
  explicit UrlRun(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_;
};

/// Runs ordered by group, within a group in no order. 8 bytes for none or one, as most of a million hosts have; else an array.
class RunList {
 public:
  RunList() = default;
  RunList(RunList&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  RunList& operator=(RunList&& other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  ~RunList() { clear(); }

  std::span<const UrlRun> runs() const { return const_cast<RunList*>(this)->all(); }
  bool empty() const { return word_ == 0; }
  void clear() {
    if (is_block()) std::free(block());
    word_ = 0;
  }

  /// Cost: a few moves, whatever the size; copies all when the array is full.
  void insert(UrlRun run) {
    if (word_ == 0) {
      __builtin_memcpy(&word_, &run, sizeof word_);
      return;
    }
    const std::size_t size = make_room();
    const std::span<UrlRun> all = {block()->runs(), size + 1};
    std::size_t hole = size;
    while (hole > 0 && all[hole - 1].group() > run.group()) {  // of each later group the first becomes the last
      const std::size_t first = begin_of(all.first(hole), all[hole - 1].group());
      all[hole] = all[first];
      hole = first;
    }
    all[hole] = run;
    block()->size = static_cast<std::uint32_t>(size + 1);
  }

  /// Indexes of runs() with a group in [first, last): the first group that has any, as [begin, end); begin == end for none.
  std::pair<std::size_t, std::size_t> first_group(unsigned first, unsigned last) const {
    const std::span<const UrlRun> all = runs();
    const std::size_t begin = begin_of(all, first);
    if (begin == all.size() || all[begin].group() >= last) return {begin, begin};
    return {begin, begin_of(all, all[begin].group() + 1)};
  }

  /// Puts a run of the same group in another's place; one without URLs is taken out.
  void replace(std::size_t at, UrlRun run) {
    if (run.count() > 0) all()[at] = run;
    else remove(at);
  }

 private:
  struct Block {
    std::uint32_t size;
    std::uint32_t capacity;
    UrlRun* runs() { return reinterpret_cast<UrlRun*>(this + 1); }
  };
  static_assert(sizeof(UrlRun) == sizeof(std::uintptr_t), "a run and a pointer share one word");

  bool is_block() const { return word_ != 0 && (word_ & 1) == 0; }
  Block* block() const { return reinterpret_cast<Block*>(word_); }
  std::span<UrlRun> all() {
    if (is_block()) return {block()->runs(), block()->size};
    return {reinterpret_cast<UrlRun*>(&word_), word_ == 0 ? 0u : 1u};
  }
  static std::size_t begin_of(std::span<const UrlRun> all, unsigned group) {
    return static_cast<std::size_t>(std::partition_point(all.begin(), all.end(), [&](UrlRun run) { return run.group() < group; }) -
                                    all.begin());
  }

  void resize_block(Block* old, std::size_t capacity) {
    auto* made = static_cast<Block*>(std::realloc(old, sizeof(Block) + capacity * sizeof(UrlRun)));
    if (made == nullptr) throw std::bad_alloc();
    made->capacity = static_cast<std::uint32_t>(capacity);
    word_ = reinterpret_cast<std::uintptr_t>(made);
  }
  // Makes an array with room for one more; how many there are.
  std::size_t make_room() {
    if (!is_block()) {
      const UrlRun one = all()[0];
      resize_block(nullptr, 2);
      block()->runs()[0] = one;
      block()->size = 1;
    }
    const std::size_t size = block()->size;
    if (size == block()->capacity) resize_block(block(), size + size / 4 + 1);
    return size;
  }
  void remove(std::size_t hole) {
    if (!is_block()) {
      word_ = 0;
      return;
    }
    const std::span<UrlRun> runs = all();
    for (unsigned group = runs[hole].group(); hole + 1 < runs.size(); group = runs[hole + 1].group()) {
      const std::size_t last = hole + begin_of(runs.subspan(hole), group + 1) - 1;  // the hole becomes the group's last
      runs[hole] = runs[last];
      hole = last;
      if (hole + 1 == runs.size()) break;
    }
    if (--block()->size == 0) clear();
    else if (block()->size < block()->capacity / 2) resize_block(block(), block()->capacity / 2);
  }

  std::uintptr_t word_ = 0;  // 0: none; odd: the one run; else a pointer to a Block
};

/// A run of the range to take the next URL from, drawn by how many URLs each still has: of eight at random, one by its count.
/// Exact for runs of one size, close to it for others, and the cost stays that of eight looks.
inline std::size_t draw_run(const RunList& list, std::pair<std::size_t, std::size_t> range, std::minstd_rand& random) {
  constexpr std::size_t kLooks = 8;
  const std::span<const UrlRun> runs = list.runs();
  const std::size_t size = range.second - range.first;
  if (size == 1) return range.first;
  std::size_t chosen = range.first;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kLooks; ++i) {
    const std::size_t look = range.first + random() % size;
    sum += runs[look].count();
    if (random() % sum < runs[look].count()) chosen = look;
  }
  return chosen;
}

}  // namespace magpie
