#pragma once
// All hashes within a few bits of a given one, among millions (Norouzi, Punjani, Fleet: "Fast Exact Search in Hamming Space with
// Multi-Index Hashing", 2014). A hash is cut into parts of 16 bits, with a table each. Of two hashes that differ in at most r bits, some
// part differs in at most r / parts, so looking up each part with that many bits turned over finds all of them. The same holds of pairs of
// parts: some pair differs in at most r / pairs, and one part of it in at most half of that. So each entry of a table carries the other
// part of its pair, and only the few whose pair is near are looked at whole; the others, hundreds to one, cost no access to their hash.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace magpie::analyse {

/// Hashes of 1 to 4 words, in memory: 8 bytes a word and, from kScanMax hashes on, 32 to 60 more. Not thread-safe: one owner.
class HammingIndex {
 public:
  explicit HammingIndex(std::size_t words);

  /// Numbers it 0, 1, … `hash` has as many words as the index.
  void add(std::span<const std::uint64_t> hash);
  std::size_t size() const { return words_.size() / width_; }

  /// Puts the numbers of all hashes that differ in at most `bits_max` bits into `found`, ascending. Exact. Cost: README.md; where
  /// bits_max is twice the number of parts (4 a word) or more, one pass over all hashes.
  void within(std::span<const std::uint64_t> hash, int bits_max, std::vector<std::uint32_t>& found) const;

  static constexpr std::size_t kScanMax = 20'000;  // up to which a pass over all hashes is as fast, and tables are not worth their memory

 private:
  static constexpr std::size_t kPartBits = 16;

  struct Entry {
    std::uint32_t number = 0;
    std::uint16_t beside = 0;  // the other part of the pair
  };

  void enter(std::uint32_t number);
  std::size_t bucket_of(std::size_t part, std::uint64_t key) const { return part << kPartBits | key; }

  std::size_t width_;                        // words of a hash
  std::vector<std::uint64_t> words_;         // of all hashes
  std::vector<std::vector<Entry>> buckets_;  // by part and key: who has it there
};

}  // namespace magpie::analyse
