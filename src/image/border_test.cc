#include "image/border.h"

#include <gtest/gtest.h>

#include "image/test_pictures.h"

namespace magpie::image {
namespace {

// `inner` laid on a ground of `size` at the given place.
Pixels laid_on(Pixels ground, const Pixels& inner, std::uint32_t left, std::uint32_t top) {
  for (std::uint32_t y = 0; y < inner.height(); ++y)
    std::copy_n(inner.row(y), std::size_t{inner.width()} * 3, ground.row(top + y) + std::size_t{left} * 3);
  return ground;
}

TEST(Border, BarsAreTakenAway) {
  const Pixels picture = laid_on(filled({140, 120}, 3, {0, 0, 0}), waves({100, 80}), 30, 20);
  EXPECT_EQ(within_border(picture.view()), (Box{30, 20, {100, 80}}));
}

TEST(Border, BarsOnTwoSidesOrOneAreTakenAway) {
  const Pixels wide = laid_on(filled({140, 80}, 3, {9, 200, 9}), waves({100, 80}), 20, 0);
  EXPECT_EQ(within_border(wide.view()), (Box{20, 0, {100, 80}}));
  const Pixels below = laid_on(filled({100, 120}, 3, {255, 255, 255}), waves({100, 80}), 0, 0);
  EXPECT_EQ(within_border(below.view()), (Box{0, 0, {100, 80}}));
}

TEST(Border, WhatIsPlainOrHasNoneIsLeftWhole) {
  EXPECT_EQ(within_border(filled({50, 40}, 3, {7, 7, 7}).view()), (Box{0, 0, {50, 40}}));
  EXPECT_EQ(within_border(filled({1, 1}, 3, {7, 7, 7}).view()), (Box{0, 0, {1, 1}}));
  EXPECT_EQ(within_border(waves({50, 40}).view()), (Box{0, 0, {50, 40}}));
}

TEST(Border, NoiseOfAnEncoderIsNoPicture) {
  Pixels picture = laid_on(filled({140, 120}, 3, {250, 250, 250}), waves({100, 80}), 30, 20);
  for (std::uint32_t x = 0; x < 140; ++x) picture.row(3)[3 * x] = static_cast<std::uint8_t>(245 + x % 10);
  EXPECT_EQ(within_border(picture.view()), (Box{30, 20, {100, 80}}));
}

}  // namespace
}  // namespace magpie::image
