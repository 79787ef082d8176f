#pragma once
// A set of 64-bit signatures with one byte of state each, for tens of millions of entries. A signature's first byte chooses one of 256
// shards, and the state takes its place in the slot, so a slot has 8 bytes. Shards are filled to between 70 and 87 % and start
// with different sizes, so that they grow one after the other: 10 to 10.5 bytes an entry at any size, and no insert() copies more
// than one shard (40,000 entries of 10 million, 0.3 ms). Within a shard a signature's home is its share of the slots, so growing copies in
// order. Not thread-safe.
#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

namespace magpie {

class SignatureTable {
 public:
  static constexpr std::size_t kShards = 256;

  /// One signature's slot: the signature's lower 56 bits, then its state. 0: empty.
  class Entry {
   public:
    std::uint8_t state() const { return static_cast<std::uint8_t>(bits_); }
    void set_state(std::uint8_t state) { bits_ = (bits_ & ~std::uint64_t{0xFF}) | state; }

   private:
    friend class SignatureTable;
    std::uint64_t bits_ = 0;
  };

  SignatureTable() {
    for (std::size_t i = 0; i < kShards; ++i) shards_[i].slots = Slots(kSlotsMin + i * kSlotsMin / (4 * kShards));
  }

  /// The entry, or null. Valid until the next insert() or erase().
  Entry* find(std::uint64_t signature) {
    Shard& shard = shard_of(signature);
    Entry& entry = shard.slots[shard.locate(signature)];
    return entry.bits_ == 0 ? nullptr : &entry;
  }
  const Entry* find(std::uint64_t signature) const { return const_cast<SignatureTable*>(this)->find(signature); }

  /// False when it is there already, and its state is left as it was. `state` must not be 0.
  bool insert(std::uint64_t signature, std::uint8_t state) {
    Shard& shard = shard_of(signature);
    if (shard.size >= shard.slots.size() / 8 * 7) shard.grow();
    Entry& entry = shard.slots[shard.locate(signature)];
    if (entry.bits_ != 0) return false;
    entry.bits_ = signature << 8 | state;
    ++shard.size;
    return true;
  }

  /// Takes an entry out again; for an insert() whose write failed.
  void erase(std::uint64_t signature) { shard_of(signature).erase(signature); }

  /// Brings a signature's slot near, for a find() or insert() some hundred instructions later.
  void prefetch(std::uint64_t signature) const {
    const Shard& shard = shards_[signature >> 56];
    __builtin_prefetch(&shard.slots[shard.home(signature << 8)], 1);
  }

  std::size_t size() const {
    std::size_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.size;
    return sum;
  }

  /// A shard as it lies in memory, to be kept in a file.
  std::span<const Entry> shard(std::size_t i) const { return {&shards_[i].slots[0], shards_[i].slots.size()}; }
  /// Replaces a shard by what shard() gave, `bytes` long. False for what it cannot have given.
  bool load_shard(std::size_t i, const char* slots, std::size_t bytes) {
    Shard shard;
    if (bytes % sizeof(Entry) != 0 || bytes < kSlotsMin * sizeof(Entry)) return false;
    shard.slots = Slots(bytes / sizeof(Entry));
    __builtin_memcpy(static_cast<void*>(&shard.slots[0]), slots, bytes);
    for (std::size_t at = 0; at < shard.slots.size(); ++at) shard.size += shard.slots[at].bits_ != 0 ? 1 : 0;
    if (shard.size == shard.slots.size()) return false;  // a search would not end
    shards_[i] = std::move(shard);
    return true;
  }

 private:
  static_assert(std::endian::native == std::endian::little, "slots are kept in files as they lie in memory");
  static constexpr std::size_t kSlotsMin = 512;  // one page

  // Pages of their own, so that what grew out of them goes back to the system at once.
  class Slots {
   public:
    Slots() = default;
    explicit Slots(std::size_t count) : count_(count) {
      void* pages = mmap(nullptr, count * sizeof(Entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (pages == MAP_FAILED) throw std::bad_alloc();
      entries_ = static_cast<Entry*>(pages);
    }
    Slots(Slots&& other) noexcept : entries_(std::exchange(other.entries_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    Slots& operator=(Slots&& other) noexcept {
      std::swap(entries_, other.entries_);
      std::swap(count_, other.count_);
      return *this;
    }
    ~Slots() {
      if (entries_ != nullptr) munmap(entries_, count_ * sizeof(Entry));
    }
    Entry& operator[](std::size_t at) { return entries_[at]; }
    const Entry& operator[](std::size_t at) const { return entries_[at]; }
    std::size_t size() const { return count_; }

   private:
    Entry* entries_ = nullptr;
    std::size_t count_ = 0;
  };

  struct Shard {
    Slots slots;
    std::size_t size = 0;

    // `high` has the 56 bits that a slot keeps in its upper bytes; what is below them does not matter.
    std::size_t home(std::uint64_t high) const {
      __extension__ using Wide = unsigned __int128;
      return static_cast<std::size_t>((static_cast<Wide>(high & ~std::uint64_t{0xFF}) * slots.size()) >> 64);
    }
    std::size_t next(std::size_t at) const { return at + 1 == slots.size() ? 0 : at + 1; }
    std::size_t distance(std::size_t from, std::size_t to) const { return to >= from ? to - from : to + slots.size() - from; }
    // The slot that holds it, or the empty one where it would go.
    std::size_t locate(std::uint64_t signature) const {
      const std::uint64_t high = signature << 8;
      std::size_t at = home(high);
      while (slots[at].bits_ != 0 && (slots[at].bits_ ^ high) > 0xFF) at = next(at);
      return at;
    }
    void grow() {
      const Slots old = std::exchange(slots, Slots(slots.size() + slots.size() / 4));
      for (std::size_t i = 0; i < old.size(); ++i) {
        if (old[i].bits_ != 0) slots[locate(old[i].bits_ >> 8)] = old[i];
      }
    }
    void erase(std::uint64_t signature) {
      std::size_t hole = locate(signature);
      if (slots[hole].bits_ == 0) return;
      // Entries behind the hole move into it unless that would put them before their home (Knuth 6.4, algorithm R).
      for (std::size_t at = next(hole); slots[at].bits_ != 0; at = next(at)) {
        if (distance(home(slots[at].bits_), at) < distance(hole, at)) continue;
        slots[hole] = slots[at];
        hole = at;
      }
      slots[hole] = Entry();
      --size;
    }
  };

  Shard& shard_of(std::uint64_t signature) { return shards_[signature >> 56]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace magpie
