#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "vec/dot.h"
#include "vec/quantise.h"
#include "vec/sketch.h"
#include "vec/top_k.h"

namespace magpie::vec {
namespace {

std::vector<float> unit_vector(std::size_t dims, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(dims);
  for (float& value : vector) value = normal(random);
  EXPECT_TRUE(normalise(vector));
  return vector;
}

std::vector<Instructions> available() {
  std::vector<Instructions> all{Instructions::kScalar};
  if (best_instructions() >= Instructions::kAvx2) all.push_back(Instructions::kAvx2);
  if (best_instructions() >= Instructions::kAvx512) all.push_back(Instructions::kAvx512);
  return all;
}

TEST(Dot, EveryVersionGivesTheSameCodeSum) {
  std::mt19937 random(1);
  for (const std::size_t size : {64u, 128u, 1'280u, 4'096u}) {
    std::vector<std::uint8_t> codes(size);
    std::vector<std::int16_t> query(size);
    for (auto& code : codes) code = static_cast<std::uint8_t>(random());
    for (auto& value : query) value = static_cast<std::int16_t>(static_cast<int>(random() % (2 * kQueryValueMax + 1)) - kQueryValueMax);
    const std::int64_t expected = dot_functions(Instructions::kScalar).codes(codes.data(), query.data(), size);
    for (const Instructions set : available()) { EXPECT_EQ(dot_functions(set).codes(codes.data(), query.data(), size), expected) << size; }
  }
}

TEST(Dot, EveryVersionGivesTheSameByteSumAndPairSum) {
  std::mt19937 random(8);
  for (const std::size_t size : {64u, 128u, 192u, 1'280u, 4'096u}) {
    std::vector<std::uint8_t> a(size), b(size), highest(size, 255), lowest(size, 0);
    std::vector<std::int8_t> query(size), least(size, -128);
    for (std::size_t i = 0; i < size; ++i) {
      a[i] = static_cast<std::uint8_t>(random());
      b[i] = static_cast<std::uint8_t>(random());
      query[i] = static_cast<std::int8_t>(random());
    }
    const DotFunctions& plain = dot_functions(Instructions::kScalar);
    std::int32_t bytes = 0, pair = 0;
    for (std::size_t i = 0; i < size; ++i) {
      bytes += a[i] * query[i];
      pair += (a[i] - 128) * (b[i] - 128);
    }
    EXPECT_EQ(plain.bytes(a.data(), query.data(), size), bytes);
    EXPECT_EQ(plain.pair(a.data(), b.data(), size), pair);
    for (const Instructions set : available()) {
      EXPECT_EQ(dot_functions(set).bytes(a.data(), query.data(), size), bytes) << size;
      EXPECT_EQ(dot_functions(set).pair(a.data(), b.data(), size), pair) << size;
      EXPECT_EQ(dot_functions(set).bytes(highest.data(), least.data(), size), -255 * 128 * static_cast<std::int32_t>(size));
      EXPECT_EQ(dot_functions(set).pair(lowest.data(), lowest.data(), size), 128 * 128 * static_cast<std::int32_t>(size));
    }
  }
}

TEST(Dot, SumsOfRowsHereAndThereAreThoseOfEach) {
  std::mt19937 random(9);
  for (const std::size_t size : {64u, 192u, 1'280u}) {
    std::vector<std::uint8_t> codes(40 * size);
    std::vector<std::int8_t> query(size);
    for (auto& code : codes) code = static_cast<std::uint8_t>(random());
    for (auto& value : query) value = static_cast<std::int8_t>(random());
    for (std::size_t count = 0; count <= 11; ++count) {
      std::vector<const std::uint8_t*> rows;
      for (std::size_t i = 0; i < count; ++i) rows.push_back(codes.data() + random() % 40 * size);
      for (const Instructions set : available()) {
        std::vector<std::int32_t> sums(count + 1, 77);
        dot_functions(set).bytes_each(rows.data(), count, query.data(), size, sums.data());
        for (std::size_t i = 0; i < count; ++i) {
          EXPECT_EQ(sums[i], dot_functions(Instructions::kScalar).bytes(rows[i], query.data(), size));
        }
        EXPECT_EQ(sums[count], 77);
      }
    }
  }
}

TEST(Dot, LargestValuesDoNotOverflow) {
  const std::size_t size = 4'096;
  const std::vector<std::uint8_t> codes(size, 255);
  for (const std::int16_t value : {kQueryValueMax, static_cast<std::int16_t>(-kQueryValueMax)}) {
    const std::vector<std::int16_t> query(size, value);
    for (const Instructions set : available()) {
      EXPECT_EQ(dot_functions(set).codes(codes.data(), query.data(), size), std::int64_t{255} * value * 4'096);
    }
  }
}

TEST(Dot, EveryVersionAgreesOnFloatsWithinRounding) {
  std::mt19937 random(2);
  for (const std::size_t size : {64u, 512u, 1'280u}) {
    const auto a = unit_vector(size, random), b = unit_vector(size, random);
    for (const Instructions set : available()) { EXPECT_NEAR(dot_functions(set).floats(a.data(), b.data(), size), dot(a, b), 2e-6); }
  }
}

TEST(Dot, EveryVersionGivesTheSameSketchSum) {
  std::mt19937_64 random(4);
  for (const std::size_t words : {1u, 7u, 8u, 20u, 64u}) {
    std::vector<std::uint64_t> bits(3 * words), planes(kSketchPlanes * words);
    for (auto& word : bits) word = random();
    for (auto& word : planes) word = random();
    std::vector<std::uint32_t> expected(3, 0), sums(3);
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t i = 0; i < planes.size(); ++i) {
        expected[row] += static_cast<std::uint32_t>(__builtin_popcountll(planes[i] & bits[row * words + i % words])) << (i / words);
      }
    }
    for (const SketchSums sum : all_sketch_sums()) {
      sum({bits.data(), 3, words}, planes.data(), sums.data());
      EXPECT_EQ(sums, expected) << words;
    }
  }
}

/// Of one vector.
SketchQuery::Estimate estimate(const SketchQuery& query, std::span<const std::uint64_t> words, const SketchScale& scale) {
  SketchQuery::Sums sums;
  query.sums({words.data(), 1, words.size()}, sums);
  return query.estimate(sums[0], scale);
}

TEST(Sketch, RotationKeepsProductsAndIsAlwaysTheSame) {
  std::mt19937 random(5);
  for (const std::size_t size : {64u, 128u, 1'280u}) {
    const Rotation rotation(size);
    std::vector<float> a = unit_vector(size, random), b = unit_vector(size, random), spike(size, 0.0F);
    const double before = dot(a, b);
    rotation.apply(a), rotation.apply(b);
    EXPECT_NEAR(dot(a, b), before, 1e-5);
    spike[0] = 1;
    rotation.apply(spike);  // one component spreads over all
    for (const float value : spike) EXPECT_LT(std::abs(value), 6 / std::sqrt(static_cast<float>(size)));
  }
}

TEST(Sketch, EstimatesAreWithinTheirBound) {
  std::mt19937 random(6);
  constexpr std::size_t kSize = 1'280;
  const Rotation rotation(kSize);
  const std::vector<float> centre = [&] {
    std::vector<float> vector = unit_vector(kSize, random);
    for (float& value : vector) value *= 0.7F;
    return vector;
  }();
  const auto near_centre = [&] {
    std::vector<float> vector = unit_vector(kSize, random);
    for (std::size_t i = 0; i < kSize; ++i) vector[i] += 1.5F * centre[i];
    EXPECT_TRUE(normalise(vector));
    return vector;
  };
  const std::vector<float> query = near_centre();
  const SketchQuery sketched(query, centre, rotation);
  std::vector<std::uint64_t> words(sketch_words(kSize));
  double squares = 0, bounds = 0;
  // Of the vector itself its signs say all, but for four bits of the query, which round it up by a hundredth or so.
  const SketchScale own = make_sketch(query, centre, rotation, words);
  EXPECT_NEAR(estimate(sketched, words, own).similarity, 1, 0.015);
  for (int i = 0; i < 2'000; ++i) {
    const std::vector<float> vector = near_centre();
    const SketchScale scale = make_sketch(vector, centre, rotation, words);
    const auto [similarity, bound] = estimate(sketched, words, scale);
    const double off = similarity - dot(query, vector);
    EXPECT_LT(std::abs(off), bound) << i;
    squares += off * off;
    bounds += bound;
  }
  // The bound is as many deviations as it says: not loose, not tight.
  EXPECT_NEAR(bounds / 2'000 / SketchQuery::kDeviations / std::sqrt(squares / 2'000), 1, 0.15);
}

TEST(Sketch, AVectorAtTheCentreIsItsOwnEstimate) {
  std::mt19937 random(7);
  const std::vector<float> centre = unit_vector(64, random), query = unit_vector(64, random);
  const Rotation rotation(64);
  std::vector<std::uint64_t> words(1);
  const SketchScale scale = make_sketch(centre, centre, rotation, words);
  EXPECT_NEAR(estimate(SketchQuery(query, centre, rotation), words, scale).similarity, dot(query, centre), 1e-5);
  EXPECT_NEAR(estimate(SketchQuery(centre, centre, rotation), words, scale).similarity, 1, 1e-5);
}

TEST(Quantise, TheBoundHolds) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    const std::size_t dims = 1 + random() % 600;
    auto query = unit_vector(dims, random);
    auto vector = unit_vector(dims, random);
    if (round % 3 == 0) vector[0] += 5;  // one component that dwarfs the others: coarse steps for the rest
    if (round % 3 == 1) vector = query;
    ASSERT_TRUE(normalise(vector));
    std::vector<std::uint8_t> codes(padded(dims));
    const CodeScale scale = quantise(vector, codes);
    const QuantisedQuery quantised(query);
    const auto sum = dot_functions().codes(codes.data(), quantised.values.data(), codes.size());
    EXPECT_LE(std::abs(quantised.similarity(sum, scale) - dot(query, vector)), quantised.bound(scale)) << "dims " << dims;
  }
}

TEST(Quantise, TheBoundIsSmallForUsualVectors) {
  std::mt19937 random(4);
  const auto query = unit_vector(1'280, random), vector = unit_vector(1'280, random);
  std::vector<std::uint8_t> codes(1'280);
  const CodeScale scale = quantise(vector, codes);
  EXPECT_LT(QuantisedQuery(query).bound(scale), 0.012F);
}

TEST(Normalise, RefusesWhatHasNoDirection) {
  std::vector<float> zero(8, 0.0F);
  EXPECT_FALSE(normalise(zero));
  std::vector<float> strange{1.0F, NAN};
  EXPECT_FALSE(normalise(strange));
  EXPECT_EQ(strange[0], 1.0F);
}

TEST(TopK, KeepsTheBestWhateverTheOrder) {
  std::mt19937 random(5);
  std::vector<Scored> all;
  for (std::uint32_t id = 1; id <= 500; ++id) all.push_back({static_cast<float>(random() % 20), id});
  std::shuffle(all.begin(), all.end(), random);
  TopK top(50);
  for (const Scored& one : all) top.offer(one);
  std::sort(all.begin(), all.end(), better);
  all.resize(50);
  EXPECT_EQ(top.take(), all);
}

}  // namespace
}  // namespace magpie::vec
