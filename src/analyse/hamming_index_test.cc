#include "analyse/hamming_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <random>

#include "analyse/copies.h"

namespace magpie::analyse {
namespace {

using Hash = std::array<std::uint64_t, 4>;

Hash random_hash(std::mt19937_64& random) { return {random(), random(), random(), random()}; }

Hash with_bits_turned(Hash hash, std::size_t count, std::size_t of, std::mt19937_64& random) {
  std::vector<std::size_t> bits(of);
  for (std::size_t i = 0; i < of; ++i) bits[i] = i;
  std::shuffle(bits.begin(), bits.end(), random);
  for (std::size_t i = 0; i < count; ++i) hash[bits[i] / 64] ^= std::uint64_t{1} << (bits[i] % 64);
  return hash;
}

struct Case {
  std::size_t words, size;
  int bits_max;
};

class HammingIndexFinds : public testing::TestWithParam<Case> {};

TEST_P(HammingIndexFinds, AllThatAPassOverAllHashesFinds) {
  const auto [words, size, bits_max] = GetParam();
  std::mt19937_64 random(5);
  const Hash wanted = random_hash(random);
  HammingIndex index(words);
  std::vector<std::uint32_t> near;
  for (std::uint32_t i = 0; i < size; ++i) {
    // One in a hundred is near, at all distances up to a little more than the radius.
    const bool is_near = i % 100 == 7;
    const Hash hash =
        is_near ? with_bits_turned(wanted, i / 100 % (static_cast<std::size_t>(bits_max) + 4), 64 * words, random) : random_hash(random);
    index.add(std::span(hash).first(words));
    int bits = 0;
    for (std::size_t w = 0; w < words; ++w) bits += std::popcount(hash[w] ^ wanted[w]);
    if (bits <= bits_max) near.push_back(i);
  }
  ASSERT_EQ(index.size(), size);
  ASSERT_GE(near.size(), 5U);
  std::vector<std::uint32_t> found = {99};
  index.within(std::span(wanted).first(words), bits_max, found);
  EXPECT_EQ(found, near);
}

INSTANTIATE_TEST_SUITE_P(Sizes, HammingIndexFinds,
                         testing::Values(Case{4, 1'000, 31}, Case{4, HammingIndex::kScanMax, 31}, Case{4, HammingIndex::kScanMax + 1, 31},
                                         Case{4, 60'000, 31}, Case{4, 60'000, 15}, Case{4, 60'000, 16}, Case{4, 60'000, 60},
                                         Case{1, 60'000, 6}, Case{1, 60'000, 3}, Case{1, 60'000, 7}, Case{1, 60'000, 8},
                                         Case{2, 60'000, 0}));

// Hashes as real pictures have them would be as good; what counts is that all parts of the rule are met, at their edges.
TEST(CopyFinder, FindsWhatTheRuleFindsOverAllPairsOfManyPictures) {
  std::mt19937_64 random(6);
  const auto turned = [&](std::uint64_t hash, std::size_t count) { return with_bits_turned({hash, 0, 0, 0}, count, 64, random)[0]; };
  const CopyEvidence wanted{.hashes = {.phash = random(), .dhash = random(), .pdq = {random_hash(random)}, .pdq_quality = 60},
                            .size = {4, 3},
                            .colours = image::ColourGrid{}};
  CopyFinder finder;
  std::vector<CopyEvidence> known;
  for (std::size_t i = 0; i < HammingIndex::kScanMax + 5'000; ++i) {
    CopyEvidence one{.hashes = {.phash = random(), .dhash = random(), .pdq = {random_hash(random)}, .pdq_quality = 60}, .size = {4, 3}};
    if (i % 20 == 0) {
      one.hashes.pdq = {with_bits_turned(wanted.hashes.pdq.words, random() % 56, 256, random)};
      one.hashes.phash = turned(wanted.hashes.phash, random() % 9);
      one.hashes.dhash = turned(wanted.hashes.dhash, random() % 9);
      one.hashes.pdq_quality = static_cast<std::uint8_t>(random() % 100);
      if (random() % 2 == 0) one.colours = image::ColourGrid{};
    }
    finder.add(i, one);
    known.push_back(one);
  }
  std::vector<std::uint64_t> expected, found;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (are_copies(wanted, known[i])) expected.push_back(i);
  }
  for (const Copy& copy : finder.copies_of(wanted)) found.push_back(copy.image);
  std::sort(found.begin(), found.end());
  EXPECT_GE(expected.size(), 100U);
  EXPECT_EQ(found, expected);
}

TEST(CopyFinder, FindsTurnedOnesAmongManyPictures) {
  std::mt19937_64 random(7);
  const auto made_up = [&] {
    return CopyEvidence{.hashes = {.phash = random(), .dhash = random(), .pdq = {random_hash(random)}, .pdq_quality = 60}, .size = {4, 4}};
  };
  CopyEvidence wanted = made_up();
  for (int turn = 1; turn < 8; ++turn) wanted.turned_pdq.push_back({random_hash(random)});
  CopyFinder finder;
  std::vector<std::uint64_t> expected, found;
  for (std::size_t i = 0; i < HammingIndex::kScanMax + 5'000; ++i) {
    CopyEvidence one = made_up();
    const std::size_t turn = 1 + i / 20 % 7;
    if (i % 20 == 0) one.hashes.pdq = {with_bits_turned(wanted.turned_pdq[turn - 1].words, random() % 36, 256, random)};
    finder.add(i, one);
    if (i % 20 == 0 && are_turned_copies(wanted, turn, one)) expected.push_back(i);
  }
  for (const Copy& copy : finder.copies_of(wanted)) {
    EXPECT_EQ(copy.turn, 1 + copy.image / 20 % 7);
    found.push_back(copy.image);
  }
  std::sort(found.begin(), found.end());
  EXPECT_GE(expected.size(), 1'000U);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace magpie::analyse
