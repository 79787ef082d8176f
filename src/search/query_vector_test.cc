#include "search/query_vector.h"

#include <gtest/gtest.h>

#include <cmath>

namespace magpie {
namespace {

void expect_near(const Result<Embedding>& found, const Embedding& wanted) {
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR((*found)[i], wanted[i], 1e-6) << i;
}

TEST(Rocchio, OnePictureIsItself) { expect_near(rocchio({{{0.6F, 0.8F}, 0.3F}}, {}), {0.6F, 0.8F}); }

TEST(Rocchio, LikesLieBetweenByTheirWeights) {
  const float half = std::sqrt(0.5F);
  expect_near(rocchio({{{1, 0}, 1}, {{0, 1}, 1}}, {}), {half, half});
  expect_near(rocchio({{{1, 0}, 0.3F}, {{0, 1}, 0.4F}}, {}), {0.6F, 0.8F});
}

TEST(Rocchio, UnlikesPushAwayByTheirMean) {
  // (1, 0) - 0.75 x (0, 1), as long as 1.
  expect_near(rocchio({{{1, 0}, 1}}, {{{0, 1}, 0.75F}}), {0.8F, -0.6F});
  // Two of the same push no harder than one.
  expect_near(rocchio({{{1, 0}, 1}}, {{{0, 1}, 0.75F}, {{0, 1}, 0.75F}}), {0.8F, -0.6F});
}

TEST(Rocchio, WhatLeavesNothingIsRefused) {
  EXPECT_EQ(rocchio({{{0.6F, 0.8F}, 1}}, {{{0.6F, 0.8F}, 1}}).error().code, Code::kBadInput);
  EXPECT_EQ(rocchio({{{0, 0}, 1}}, {}).error().code, Code::kBadInput);
  EXPECT_EQ(rocchio({{{NAN, 0}, 1}}, {}).error().code, Code::kBadInput);
  EXPECT_EQ(rocchio({{{1, 0}, 1}}, {{{1, 0, 0}, 0.5F}}).error().code, Code::kBadInput);
}

}  // namespace
}  // namespace magpie
