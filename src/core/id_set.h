#pragma once
// IdSet: a set of pictures as one bit per ImageId. Ids are dense from 1 (core/records.h), so 1 million pictures take 125 KB,
// membership is one load, and intersecting two sets runs at memory speed; a compressed bitmap would save little and cost a branch
// per look-up. A value: copy it, move it, pass it between threads as one does a vector.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/records.h"

namespace magpie {

class IdSet {
 public:
  IdSet() = default;
  /// Empty, with room for ids up to `id_max` so that adding them does not allocate.
  explicit IdSet(ImageId id_max) : words_(std::size_t{id_max} / 64 + 1) {}

  void add(ImageId id) { add_word(id / 64, std::uint64_t{1} << (id % 64)); }
  /// Adds those of the ids 64 × word and on whose bits are set.
  void add_word(std::size_t word, std::uint64_t bits) {
    if (word >= words_.size()) words_.resize(std::max(word + 1, words_.size() + words_.size() / 2));
    words_[word] |= bits;
  }
  void remove(ImageId id) {
    if (id / 64 < words_.size()) words_[id / 64] &= ~(std::uint64_t{1} << (id % 64));
  }
  bool contains(ImageId id) const { return id / 64 < words_.size() && ((words_[id / 64] >> (id % 64)) & 1) != 0; }

  /// One pass over the bits: about 20 µs for a million ids.
  std::size_t count() const {
    std::size_t total = 0;
    for (const std::uint64_t word : words_) total += static_cast<std::size_t>(std::popcount(word));
    return total;
  }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }

  IdSet& operator&=(const IdSet& other) {
    if (words_.size() > other.words_.size()) words_.resize(other.words_.size());
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  IdSet& operator|=(const IdSet& other) {
    if (words_.size() < other.words_.size()) words_.resize(other.words_.size());
    for (std::size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  /// Takes the other's ids out.
  IdSet& operator-=(const IdSet& other) {
    const std::size_t shared = std::min(words_.size(), other.words_.size());
    for (std::size_t i = 0; i < shared; ++i) words_[i] &= ~other.words_[i];
    return *this;
  }

  /// Calls `use(ImageId)` for each id, ascending.
  template <class Use>
  void for_each(Use&& use) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1) {
        use(static_cast<ImageId>(i * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  /// 64 ids each, lowest first; ids beyond them are not in the set.
  const std::vector<std::uint64_t>& words() const { return words_; }
  std::vector<ImageId> to_vector() const {
    std::vector<ImageId> ids;
    ids.reserve(count());
    for_each([&](ImageId id) { ids.push_back(id); });
    return ids;
  }

  /// The same ids, whatever room either set has.
  friend bool operator==(const IdSet& a, const IdSet& b) {
    const IdSet& longer = a.words_.size() < b.words_.size() ? b : a;
    const IdSet& shorter = a.words_.size() < b.words_.size() ? a : b;
    for (std::size_t i = 0; i < longer.words_.size(); ++i) {
      if (longer.words_[i] != (i < shorter.words_.size() ? shorter.words_[i] : 0)) return false;
    }
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace magpie
