#include "analyse/hamming_index.h"

#include <algorithm>

#include "base/check.h"
#include "image/wide.h"

namespace magpie::analyse {
namespace {

constexpr std::size_t kWordsMax = 4;
constexpr std::size_t kAhead = 12;  // hashes fetched before they are needed: they lie all over the memory

// Of the listed hashes those within bits_max. Compiled for AVX2 too, as plain x86-64 has no instruction that counts bits.
MAGPIE_WIDE void pick_listed(const std::uint64_t* words, std::size_t width, const std::uint64_t* wanted,
                             std::span<const std::uint32_t> listed, int bits_max, std::vector<std::uint32_t>& found) {
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (i + kAhead < listed.size()) __builtin_prefetch(words + listed[i + kAhead] * width);
    const std::uint64_t* hash = words + listed[i] * width;
    int bits = 0;
    for (std::size_t w = 0; w < width; ++w) bits += __builtin_popcountll(hash[w] ^ wanted[w]);
    if (bits <= bits_max) found.push_back(listed[i]);
  }
}

// Adds the numbers of those entries whose other part differs from `beside` in at most bits_max bits.
template <class Entry>
MAGPIE_WIDE void pick_pairs(std::span<const Entry> entries, std::uint64_t beside, int bits_max, std::vector<std::uint32_t>& listed) {
  for (const Entry& entry : entries) {
    if (__builtin_popcountll(entry.beside ^ beside) <= bits_max) listed.push_back(entry.number);
  }
}

MAGPIE_WIDE void pick_all(const std::uint64_t* words, std::size_t width, const std::uint64_t* wanted, std::size_t count, int bits_max,
                          std::vector<std::uint32_t>& found) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t* hash = words + i * width;
    int bits = 0;
    for (std::size_t w = 0; w < width; ++w) bits += __builtin_popcountll(hash[w] ^ wanted[w]);
    if (bits <= bits_max) found.push_back(static_cast<std::uint32_t>(i));
  }
}

std::uint64_t key_of(std::span<const std::uint64_t> hash, std::size_t part) { return hash[part / 4] >> (16 * (part % 4)) & 0xFFFF; }
std::uint64_t key_beside(std::span<const std::uint64_t> hash, std::size_t part) { return key_of(hash, part ^ 1); }

}  // namespace

HammingIndex::HammingIndex(std::size_t words) : width_(words) {
  MAGPIE_CHECK(words >= 1 && words <= kWordsMax, "hashes of {} words", words);
}

void HammingIndex::enter(std::uint32_t number) {
  const std::span hash(words_.data() + number * width_, width_);
  for (std::size_t part = 0; part < 4 * width_; ++part) {
    buckets_[bucket_of(part, key_of(hash, part))].push_back({number, static_cast<std::uint16_t>(key_beside(hash, part))});
  }
}

void HammingIndex::add(std::span<const std::uint64_t> hash) {
  MAGPIE_CHECK(hash.size() == width_, "a hash of {} words", hash.size());
  words_.insert(words_.end(), hash.begin(), hash.end());
  if (size() <= kScanMax) return;
  if (!buckets_.empty()) return enter(static_cast<std::uint32_t>(size() - 1));
  buckets_.resize(4 * width_ << kPartBits);
  for (std::uint32_t number = 0; number < size(); ++number) enter(number);
}

void HammingIndex::within(std::span<const std::uint64_t> hash, int bits_max, std::vector<std::uint32_t>& found) const {
  found.clear();
  const std::size_t parts = 4 * width_;
  if (buckets_.empty() || bits_max >= static_cast<int>(2 * parts)) {
    return pick_all(words_.data(), width_, hash.data(), size(), bits_max, found);
  }
  const int pair_bits_max = bits_max / static_cast<int>(parts / 2);
  std::vector<std::uint32_t> listed;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::uint64_t key = key_of(hash, part), beside = key_beside(hash, part);
    pick_pairs(std::span(buckets_[bucket_of(part, key)]), beside, pair_bits_max, listed);
    if (bits_max < static_cast<int>(parts)) continue;
    for (std::size_t bit = 0; bit < kPartBits; ++bit) {
      pick_pairs(std::span(buckets_[bucket_of(part, key ^ std::uint64_t{1} << bit)]), beside, pair_bits_max - 1, listed);
    }
  }
  std::sort(listed.begin(), listed.end());
  listed.erase(std::unique(listed.begin(), listed.end()), listed.end());
  pick_listed(words_.data(), width_, hash.data(), listed, bits_max, found);
}

}  // namespace magpie::analyse
