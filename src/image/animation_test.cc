#include "image/animation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/files.h"
#include "image/decoders.h"
#include "image/png_crc.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;

// tests/pictures/make_animations.py says what is in them.
std::string picture(const std::string& name) { return read_file(fs::path(MAGPIE_SOURCE_DIR) / "tests/pictures" / name).value_or(""); }

std::array<int, 3> pixel(const Pixels& pixels, std::uint32_t x, std::uint32_t y) {
  const std::uint8_t* at = pixels.row(y) + x * pixels.channels();
  return {at[0], at[1], at[2]};
}

constexpr std::array kRed = {255, 0, 0}, kBlue = {0, 0, 255}, kWhite = {255, 255, 255};

// The left edge of the red square, which the frame's number gives. AVIF's quality is 80.
int square_left(const Pixels& pixels) {
  for (std::uint32_t x = 0; x < pixels.width(); ++x) {
    const std::array<int, 3> seen = pixel(pixels, x, 24);
    if (seen[0] > 150 && seen[1] < 60 && seen[2] < 100) return static_cast<int>(x);
  }
  return -1;
}

testing::Matcher<std::array<int, 3>> near(std::array<int, 3> colour) {
  const auto close = [](int value) { return testing::AllOf(testing::Ge(value - 12), testing::Le(value + 12)); };
  return ElementsAre(close(colour[0]), close(colour[1]), close(colour[2]));
}

std::vector<int> square_lefts(const std::vector<Pixels>& frames) {
  std::vector<int> lefts;
  for (const Pixels& frame : frames) lefts.push_back(square_left(frame));
  return lefts;
}

// A GIF of 1 x 1 px frames, all black and without a time.
std::string long_gif(int frames) {
  std::string gif = "GIF89a" + le(8, 2) + le(8, 2) + "\x80\0\0"s + "\0\0\0\xFF\xFF\xFF"s;
  for (int i = 0; i < frames; ++i) gif += "\x2C" + le(0, 4) + le(1, 2) + le(1, 2) + "\0\x02\x02\x44\x01\0"s;
  return gif + ";";
}

class MovingPicture : public testing::TestWithParam<const char*> {};

TEST_P(MovingPicture, SaysHowLongItTakes) {
  const Result<Header> header = sniff(picture(GetParam()));
  ASSERT_TRUE(header);
  EXPECT_TRUE(is_animated(*header));
  EXPECT_EQ(header->frames, 6u);
  EXPECT_EQ(header->duration, 1'000ms);
  EXPECT_EQ(header->size, (Size{64, 48}));
}

INSTANTIATE_TEST_SUITE_P(OfEveryFormat, MovingPicture, testing::Values("moving.gif", "moving.webp", "moving.png", "moving.avif"),
                         [](const auto& one) { return std::string(one.param).substr(7); });

TEST(Animation, SaysHowOftenItIsShown) {
  for (const char* name : {"moving.gif", "moving.webp", "moving.png"}) EXPECT_EQ(sniff(picture(name))->plays, 3u) << name;
  EXPECT_EQ(sniff(picture("moving.avif"))->plays, 0u) << "without end";
  EXPECT_EQ(sniff(long_gif(2))->plays, 1u) << "nothing is said";
  EXPECT_EQ(sniff(long_gif(1))->plays, 0u) << "a still";
}

class ReadableFrames : public testing::TestWithParam<const char*> {};

TEST_P(ReadableFrames, AreChosenPastABlankFirst) {
  const Result<Shown> shown = decode_shown(picture(GetParam()), {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->still_frame, 1u);
  EXPECT_EQ(shown->still.header.frames, 6u);
  EXPECT_EQ(square_left(shown->still.pixels), 8);
  EXPECT_THAT(pixel(shown->still.pixels, 0, 0), near(kBlue));
  EXPECT_THAT(square_lefts(shown->others), ElementsAre(3 * 8, 4 * 8)) << "frames 0, 1, 3 and 4 are at even steps";
  EXPECT_TRUE(decode_shown(picture(GetParam()))->others.empty()) << "none was wanted";
  EXPECT_THAT(pixel(decode(picture(GetParam()))->pixels, 10, 20), near(kWhite)) << "decode() gives the very first";
}

TEST_P(ReadableFrames, AreFewerWithinTighterLimits) {
  const std::string bytes = picture(GetParam());
  EXPECT_EQ(decode_shown(bytes, {.frames_read_max = 1})->still_frame, 0u);
  EXPECT_EQ(decode_shown(bytes, {.frame_pixels_read_max = 64 * 48})->still_frame, 0u);
  const Result<Shown> shown = decode_shown(bytes, {.frame_pixels_read_max = 3 * 64 * 48}, {}, 3);
  EXPECT_EQ(shown->still_frame, 1u);
  EXPECT_THAT(square_lefts(shown->others), ElementsAre(2 * 8)) << "steps through three frames";
  EXPECT_EQ(decode_shown(bytes, {.frames_max = 5}).error().code, Code::kTooLarge);
}

TEST_P(ReadableFrames, FitTheSideWanted) {
  const Result<Shown> shown = decode_shown(picture(GetParam()), {}, {.side_wanted = 32}, 3);
  ASSERT_TRUE(shown);
  for (const Pixels& frame : shown->others) EXPECT_EQ(frame.size(), (Size{32, 24}));
}

TEST_P(ReadableFrames, EveryCutAndFlippedByteIsSurvived) {
  const std::string whole = picture(GetParam());
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    (void)decode_shown(whole.substr(0, i), {.pixels_max = 100'000}, {}, 3);
    std::string flipped = whole;
    flipped[i] = static_cast<char>(~flipped[i]);
    (void)decode_shown(flipped, {.pixels_max = 100'000}, {}, 3);
  }
}

INSTANTIATE_TEST_SUITE_P(OfEveryFormat, ReadableFrames, testing::Values("moving.gif", "moving.webp", "moving.png", "moving.avif"),
                         [](const auto& one) { return std::string(one.param).substr(7); });

TEST(Animation, BrokenBehindItsFirstFramesStillShowsThem) {
  const std::string png = picture("moving.png");
  const std::size_t third = png.find("fcTL", png.find("fcTL", png.find("fcTL") + 4) + 4);
  const Result<Shown> shown = decode_shown(png.substr(0, third + 4 + 26 + 4), {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(square_left(shown->still.pixels), 8);
}

TEST(Animation, OfManyFramesCostsTheFirstOnly) {
  const std::string gif = long_gif(99'000);
  const Result<Shown> shown = decode_shown(gif, {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->still.header.frames, 99'000u);
  EXPECT_TRUE(shown->others.empty());
  const Result<Shown> too_many = decode_shown(long_gif(100'001));
  EXPECT_EQ(too_many.error().code, Code::kTooLarge);
  EXPECT_THAT(too_many.error().message, testing::HasSubstr("100001 frames, over the limit of 100000"));
}

std::string with_box_hidden(std::string bytes, std::string_view type) {
  const std::size_t at = bytes.find(type);
  return at == std::string::npos ? "no box" : bytes.replace(at, type.size(), "free");
}

TEST(Animation, AnAvifSequenceNeedsNoPrimaryItem) {
  std::string bytes = with_box_hidden(picture("moving.avif"), "meta");
  bytes.replace(bytes.find("avif"), 4, "msf1");  // the brand that promises one
  EXPECT_EQ(sniff(bytes)->size, (Size{64, 48}));
  EXPECT_FALSE(decode(bytes)) << "which is what libheif would show";
  const Result<Shown> shown = decode_shown(bytes, {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(square_left(shown->still.pixels), 8);
  EXPECT_EQ(shown->others.size(), 2u);
}

TEST(Animation, AnAvifSequenceThatCannotBeReadShowsItsPrimaryItem) {
  const Result<Shown> shown = decode_shown(with_box_hidden(picture("moving.avif"), "stco"), {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->still_frame, 0u);
  EXPECT_THAT(pixel(shown->still.pixels, 10, 20), near(kWhite));
  EXPECT_TRUE(shown->others.empty());
}

TEST(Animation, AnAvifSequenceHasATimeLimit) {
  const auto late =
      read_avif_frames(picture("moving.avif"), {}, {.deadline = Deadline::after(0s)}, {}, 6, [](auto n, Pixels) { return n + 1; });
  EXPECT_EQ(late.error().code, Code::kTimeout);
}

// Another program's reading of layers.png, but for the half transparent part over red, which it makes half transparent.
TEST(Animation, PngFramesAreLaidOverAndMakeWay) {
  const std::string bytes = picture("layers.png");
  std::vector<Pixels> seen;
  const auto take = [&](std::uint32_t number, Pixels pixels) {
    seen.push_back(std::move(pixels));
    return number + 1;
  };
  ASSERT_TRUE(read_apng_frames(bytes, *sniff(bytes), {}, {}, 4, take));
  ASSERT_EQ(seen.size(), 4u);
  const auto at = [&](std::size_t frame, std::uint32_t x, std::uint32_t y) { return pixel(seen[frame], x, y); };
  EXPECT_EQ(at(0, 28, 20), kRed);
  EXPECT_EQ(at(1, 2, 2), (std::array{0, 255, 0}));
  EXPECT_EQ(at(2, 2, 2), kRed) << "the green part made way";
  EXPECT_EQ(at(2, 12, 12), (std::array{127, 0, 128}));
  EXPECT_EQ(seen[2].row(12)[4 * 12 + 3], 255) << "over what is not transparent";
  EXPECT_EQ(at(3, 28, 20), kWhite);
  EXPECT_EQ(seen[3].row(0)[3], 0) << "cleared";
}

TEST(Animation, PngWithAFrameOutsideItShowsItsStill) {
  std::string png = picture("moving.png");
  const std::size_t second = png.find("fcTL", png.find("fcTL") + 4);
  png.replace(second + 4 + 12, 4, be(60, 4));  // its left edge; 64 px wide frames then stick out
  const std::string control = png.substr(second, 4 + 26);
  png.replace(second + 30, 4, be(png_crc(control), 4));
  const Result<Shown> shown = decode_shown(png, {}, {}, 3);
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->still_frame, 0u);
}

TEST(Contrast, TellsAPictureFromABlankOne) {
  EXPECT_LT(contrast_of(filled({300, 200}, 3, {12, 90, 200}).view()), 0.1);
  EXPECT_LT(contrast_of(filled({300, 200}, 4, {0, 0, 0, 0}).view()), 0.1) << "transparent is white";
  Pixels logo = filled({300, 200}, 3, {255, 255, 255});
  for (std::uint32_t y = 80; y < 115; ++y) std::fill_n(logo.row(y) + 3 * 130, 3 * 35, std::uint8_t{40});
  EXPECT_GT(contrast_of(logo.view()), 2 * kContrastTelling);
  EXPECT_GT(contrast_of(waves({300, 200}).view()), 5 * kContrastTelling);
  EXPECT_EQ(contrast_of(filled({1, 1}, 3, {9, 9, 9}).view()), 0);
}

}  // namespace
}  // namespace magpie::image
