#include "image/colours.h"

#include <gtest/gtest.h>

#include <numeric>

#include "image/test_pictures.h"

namespace magpie::image {
namespace {

float share(const Colours& colours, ColourName name) { return colours.names[static_cast<std::size_t>(name)]; }

// A square in the middle third.
Pixels square_on(Pixels ground, std::initializer_list<int> colour) {
  for (std::uint32_t y = ground.height() / 3; y < ground.height() * 2 / 3; ++y) {
    for (std::uint32_t x = ground.width() / 3; x < ground.width() * 2 / 3; ++x) {
      std::uint32_t c = 0;
      for (const int value : colour) ground.row(y)[x * ground.channels() + c++] = static_cast<std::uint8_t>(value);
    }
  }
  return ground;
}

TEST(Colours, WhiteBackgroundDoesNotCount) {
  const Colours colours = colours_of(square_on(filled({90, 90}, 3, {255, 255, 255}), {200, 20, 30}).view());
  ASSERT_EQ(colours.dominant.size(), 1u);
  EXPECT_EQ(colours.dominant[0].name, ColourName::kRed);
  EXPECT_FLOAT_EQ(share(colours, ColourName::kRed), 1);
  EXPECT_NEAR(colours.background, 8.0 / 9, 0.02);
  EXPECT_GT(colours.brightness, 200) << "brightness is of all pixels";
}

TEST(Colours, WhiteEnclosedByTheThingCounts) {
  const Colours colours = colours_of(square_on(filled({90, 90}, 3, {20, 40, 160}), {255, 255, 255}).view());
  EXPECT_NEAR(share(colours, ColourName::kWhite), 1.0 / 9, 0.01);
  EXPECT_NEAR(share(colours, ColourName::kBlue), 8.0 / 9, 0.01);
}

TEST(Colours, TransparentPixelsDoNotCount) {
  const Colours colours = colours_of(square_on(filled({90, 90}, 4, {255, 0, 0, 0}), {0, 128, 0, 255}).view());
  EXPECT_FLOAT_EQ(share(colours, ColourName::kGreen), 1);
}

TEST(Colours, APictureThatIsAllBackgroundStillHasAColour) {
  const Colours colours = colours_of(filled({20, 20}, 3, {255, 255, 255}).view());
  ASSERT_EQ(colours.dominant.size(), 1u);
  EXPECT_EQ(colours.dominant[0].name, ColourName::kWhite);
  EXPECT_FLOAT_EQ(colours.brightness, 255);
}

TEST(Colours, SharesSumToOne) {
  const Colours colours = colours_of(waves({200, 150}).view());
  EXPECT_NEAR(std::accumulate(colours.names.begin(), colours.names.end(), 0.0f), 1, 1e-4);
  EXPECT_LE(colours.dominant.size(), 5u);
}

TEST(Colours, WordsArePeoplesWords) {
  EXPECT_EQ(to_string(name_of({0, 0, 0})), "black");
  EXPECT_EQ(to_string(name_of({25, 30, 90})), "blue");
  EXPECT_EQ(to_string(name_of({250, 128, 20})), "orange");
  EXPECT_EQ(to_string(name_of({120, 72, 40})), "brown");
  EXPECT_EQ(to_string(name_of({255, 180, 200})), "pink");
  EXPECT_EQ(to_string(name_of({130, 130, 132})), "grey");
}

TEST(Colours, GridTellsTwoColoursOfOneThingApart) {
  const ColourGrid red = colour_grid(square_on(filled({90, 90}, 3, {255, 255, 255}), {200, 20, 30}).view());
  const ColourGrid blue = colour_grid(square_on(filled({90, 90}, 3, {255, 255, 255}), {20, 40, 160}).view());
  EXPECT_EQ(colour_distance(red, red), 0);
  EXPECT_GT(colour_distance(red, blue), 20);
}

}  // namespace
}  // namespace magpie::image
