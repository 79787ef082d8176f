#include "vec/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "vec/dot.h"

namespace magpie::vec {
namespace {

/// Unit vectors of `dims` components that lie in a space of `rank` dimensions, but for `noise`.
class Rows {
 public:
  Rows(std::size_t count, std::size_t dims, std::size_t rank, float noise, std::uint32_t seed)
      : size_(padded(dims)), dims_(dims), noise_(noise), random_(seed), centre_(size_, 0.0F) {
    for (std::size_t i = 0; i < rank; ++i) axes_.push_back(normal(dims));
    offset_ = normal(dims);
    for (std::size_t i = 0; i < count; ++i) {
      vectors_.push_back(draw());
      for (std::size_t j = 0; j < size_; ++j) centre_[j] += vectors_.back()[j] / static_cast<float>(count);
    }
    codes_.resize(count * size_);
    for (std::size_t i = 0; i < count; ++i) scales_.push_back(quantise(vectors_[i], std::span(codes_).subspan(i * size_, size_)));
  }
  std::vector<float> draw() {
    std::vector<float> vector(size_, 0.0F);
    const std::vector<float> weights = normal(axes_.size()), rest = normal(dims_);
    for (std::size_t j = 0; j < dims_; ++j) {
      vector[j] = 2 * offset_[j] + noise_ * rest[j];
      for (std::size_t i = 0; i < axes_.size(); ++i) vector[j] += weights[i] * axes_[i][j] / std::sqrt(static_cast<float>(axes_.size()));
    }
    EXPECT_TRUE(normalise(vector));
    return vector;
  }
  GraphRows view() const { return {vectors_.size(), size_, codes_.data(), scales_.data(), centre_}; }
  const std::vector<float>& operator[](std::size_t row) const { return vectors_[row]; }
  std::size_t count() const { return vectors_.size(); }

 private:
  std::vector<float> normal(std::size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    return values;
  }
  std::size_t size_, dims_;
  float noise_;
  std::mt19937 random_;
  std::vector<float> centre_, offset_;
  std::vector<std::vector<float>> axes_, vectors_;
  std::vector<std::uint8_t> codes_;
  std::vector<CodeScale> scales_;
};

/// Standard deviation of estimates from the cosine.
double deviation(Rows& rows) {
  const Reduction reduction(rows.view());
  double squares = 0;
  std::size_t compared = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<float> query = rows.draw();
    const ReducedQuery reduced(query, reduction.view());
    for (std::size_t row = 0; row < rows.count(); row += 7, ++compared) {
      const double off = reduced.similarity(reduction.reduce(row)) - dot(query, rows[row]);
      squares += off * off;
    }
  }
  return std::sqrt(squares / static_cast<double>(compared));
}

TEST(Reduce, FewDimensionsLoseNothingButRounding) {
  for (const std::size_t dims : {16U, 64U, 100U, 170U}) {
    Rows rows(500, dims, dims, 0, 1);
    EXPECT_LT(deviation(rows), 0.003) << dims;
  }
}

TEST(Reduce, FindsTheSpaceThatRowsLieNear) {
  Rows rows(1'500, 700, 120, 0, 2), noisy(1'500, 700, 120, 0.2F, 3);
  EXPECT_LT(deviation(rows), 0.003);
  EXPECT_LT(deviation(noisy), 0.006);
}

TEST(Reduce, DirectionsAreAtRightAnglesAndOfUnitLength) {
  const Rows rows(1'000, 400, 300, 0.1F, 4);
  const Reduction reduction(rows.view());
  const ReductionView view = reduction.view();
  const std::size_t size = rows.view().size;
  for (std::size_t a = 0; a < kReducedSize; a += 3) {
    for (std::size_t b = a; b < kReducedSize; b += 5) {
      const auto sum = dot_functions().pair(view.directions.data() + a * size, view.directions.data() + b * size, size);
      EXPECT_NEAR(static_cast<float>(sum) * view.scales[a].scale * view.scales[b].scale, a == b ? 1 : 0, 0.02) << a << " " << b;
    }
  }
}

TEST(Reduce, WhatIsKeptAndTheRestMakeUpTheDifference) {
  const Rows rows(300, 500, 250, 0.3F, 5);
  const Reduction reduction(rows.view());
  for (std::size_t row = 0; row < rows.count(); ++row) {
    const ReducedRow reduced = reduction.reduce(row);
    double squares = double{reduced.rest} * reduced.rest, expected = 0;
    for (const std::uint8_t code : reduced.codes) squares += std::pow(reduced.scale * (code - 128.0), 2);
    for (std::size_t i = 0; i < rows[row].size(); ++i) expected += std::pow(rows[row][i] - rows.view().centre[i], 2);
    EXPECT_NEAR(squares, expected, 0.01 * expected);
  }
}

TEST(Reduce, RowsThatDoNotDifferAreNoTrouble) {
  for (const std::size_t count : {1U, 2U, 70U}) {
    Rows one(1, 40, 3, 0, 6);
    std::vector<std::uint8_t> codes;
    const std::vector<CodeScale> scales(count, one.view().scales[0]);
    for (std::size_t i = 0; i < count; ++i) codes.insert(codes.end(), one.view().codes, one.view().codes + one.view().size);
    const Reduction reduction({count, one.view().size, codes.data(), scales.data(), one.view().centre});
    const std::vector<float> query = one.draw();
    for (std::size_t row = 0; row < count; ++row) {
      EXPECT_NEAR(ReducedQuery(query, reduction.view()).similarity(reduction.reduce(row)), dot(query, one[0]), 0.01);
    }
  }
}

TEST(Reduce, TheSameRowsGiveTheSameBytes) {
  const Rows rows(600, 300, 200, 0.2F, 7);
  const Reduction once(rows.view()), again(rows.view());
  EXPECT_TRUE(std::ranges::equal(once.view().directions, again.view().directions));
  for (std::size_t row = 0; row < rows.count(); row += 50) {
    const ReducedRow a = once.reduce(row), b = again.reduce(row);
    EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0);
  }
}

}  // namespace
}  // namespace magpie::vec
