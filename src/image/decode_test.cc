#include "image/decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/files.h"
#include "image/encode.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

std::array<int, 3> pixel(const Pixels& pixels, std::uint32_t x, std::uint32_t y) {
  const std::uint8_t* p = pixels.row(y) + std::size_t{x} * pixels.channels();
  return {p[0], p[1], p[2]};
}

// Left half red, right half blue, and a green bottom right corner: every orientation looks different.
std::string marked_jpeg() {
  Pixels pixels = filled({64, 32}, 3, {255, 0, 0});
  for (std::uint32_t y = 0; y < 32; ++y) {
    for (std::uint32_t x = 32; x < 64; ++x) {
      std::uint8_t* p = pixels.row(y) + x * 3;
      p[0] = 0, p[1] = y >= 16 ? 255 : 0, p[2] = y >= 16 ? 0 : 255;
    }
  }
  return *encode_jpeg(pixels.view(), 95);
}

char colour_letter(const Pixels& pixels, std::uint32_t x, std::uint32_t y) {
  const std::array<int, 3> p = pixel(pixels, x, y);
  return "rgb"[std::max_element(p.begin(), p.end()) - p.begin()];
}

TEST(Decode, TurnsEveryOrientationUpright) {
  // Corners top left, top right, bottom left, bottom right of the upright picture, by the definition of EXIF 2.32, tag 274.
  constexpr const char* kCorners[9] = {"", "rbrg", "brgr", "grbr", "rgrb", "rrbg", "rrgb", "gbrr", "bgrr"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Result<Decoded> decoded = decode(with_orientation(marked_jpeg(), orientation));
    ASSERT_TRUE(decoded);
    const Pixels& p = decoded->pixels;
    EXPECT_EQ(p.size(), orientation >= 5 ? (Size{32, 64}) : (Size{64, 32}));
    EXPECT_EQ(decoded->header.size, (Size{64, 32}));
    const std::uint32_t right = p.width() - 4, bottom = p.height() - 4;
    const std::string corners = {colour_letter(p, 3, 3), colour_letter(p, right, 3), colour_letter(p, 3, bottom),
                                 colour_letter(p, right, bottom)};
    EXPECT_EQ(corners, kCorners[orientation]) << "orientation " << orientation;
  }
}

TEST(Decode, ScalesJpegButNeverBelowTheSideWanted) {
  const std::string jpeg = *encode_jpeg(waves({1000, 500}).view());
  EXPECT_EQ(decode(jpeg, {}, {.side_wanted = 500})->pixels.size(), (Size{500, 250}));
  EXPECT_EQ(decode(jpeg, {}, {.side_wanted = 501})->pixels.size(), (Size{1000, 500}));
  EXPECT_EQ(decode(jpeg, {}, {.side_wanted = 100})->pixels.size(), (Size{125, 63}));
}

// tests/pictures/README.md says how the files were made.
TEST(Decode, ReadsAvifAndHeic) {
  const Pixels original = waves({320, 200});
  for (const char* name : {"waves.avif", "waves.heic"}) {
    const auto bytes = read_file(fs::path(MAGPIE_SOURCE_DIR) / "tests/pictures" / name);
    ASSERT_TRUE(bytes) << name;
    const Result<Decoded> decoded = decode(*bytes);
    ASSERT_TRUE(decoded) << name << ": " << decoded.error().message;
    ASSERT_EQ(decoded->pixels.size(), original.size()) << name;
    ASSERT_EQ(decoded->pixels.channels(), 3u) << name;
    double difference = 0;
    for (std::uint32_t y = 0; y < 200; ++y) {
      for (std::uint32_t i = 0; i < 320 * 3; ++i) difference += std::abs(decoded->pixels.row(y)[i] - original.row(y)[i]);
    }
    EXPECT_LT(difference / (320 * 200 * 3), 6) << name;
    EXPECT_FALSE(decode(std::string_view(*bytes).substr(0, bytes->size() / 2))) << name << " cut in half";
  }
}

TEST(Decode, ReadsBitmaps) {
  const Result<Decoded> decoded = decode(small_bmp());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(pixel(decoded->pixels, 0, 0), (std::array{0, 0, 255}));
  EXPECT_EQ(pixel(decoded->pixels, 1, 0), (std::array{255, 255, 255}));
  EXPECT_EQ(pixel(decoded->pixels, 0, 1), (std::array{255, 0, 0}));
  EXPECT_EQ(pixel(decoded->pixels, 1, 1), (std::array{0, 255, 0}));
}

TEST(Decode, ReadsRunLengthBitmaps) {
  // 4 x 2, 8 bits: bottom row three of colour 1 and one of 2, top row a jump over two pixels, then two literals.
  const std::string palette = le(0, 4) + le(0xFF0000, 4) + le(0x0000FF, 4);
  const std::string runs(
      "\x03\x01\x01\x02\x00\x00"
      "\x00\x02\x02\x00"
      "\x00\x03\x01\x02\x01\x00"
      "\x00\x01",
      18);
  const std::string bmp = "BM" + le(0, 8) + le(66, 4) + le(40, 4) + le(4, 4) + le(2, 4) + le(1, 2) + le(8, 2) + le(1, 4) + le(0, 12) +
                          le(3, 4) + le(0, 4) + palette + runs;
  const Result<Decoded> decoded = decode(bmp);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(pixel(decoded->pixels, 0, 1), (std::array{255, 0, 0}));
  EXPECT_EQ(pixel(decoded->pixels, 3, 1), (std::array{0, 0, 255}));
  EXPECT_EQ(pixel(decoded->pixels, 1, 0), (std::array{0, 0, 0}));
  EXPECT_EQ(pixel(decoded->pixels, 2, 0), (std::array{255, 0, 0}));
  EXPECT_EQ(pixel(decoded->pixels, 3, 0), (std::array{0, 0, 255}));
}

TEST(Decode, ReadsIconsWithTheirMask) {
  // 2 x 1, 24 bits: red, green; the mask hides the second.
  const std::string dib = le(40, 4) + le(2, 4) + le(2, 4) + le(1, 2) + le(24, 2) + le(0, 24) +
                          std::string("\x00\x00\xFF\x00\xFF\x00\x00\x00", 8) + std::string("\x40\0\0\0", 4);
  const std::string icon = le(0, 2) + le(1, 2) + le(1, 2) + le(0, 4) + le(1, 2) + le(24, 2) + le(dib.size(), 4) + le(22, 4) + dib;
  const Result<Decoded> decoded = decode(icon);
  ASSERT_TRUE(decoded) << decoded.error().message;
  ASSERT_EQ(decoded->pixels.channels(), 4u);
  EXPECT_EQ(pixel(decoded->pixels, 0, 0), (std::array{255, 0, 0}));
  EXPECT_EQ(decoded->pixels.row(0)[3], 255);
  EXPECT_EQ(decoded->pixels.row(0)[7], 0);
}

TEST(Decode, DrawsSvgAtTheSideWanted) {
  constexpr std::string_view kSvg =
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 10'><rect width='20' height='10' fill='#00f'/></svg>";
  const Result<Decoded> decoded = decode(kSvg, {}, {.side_wanted = 200});
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(decoded->header.size, (Size{20, 10}));
  EXPECT_EQ(decoded->pixels.size(), (Size{200, 100}));
  EXPECT_EQ(pixel(decoded->pixels, 100, 50), (std::array{0, 0, 255}));
}

TEST(Decode, KeepsItsLimits) {
  const std::string jpeg = *encode_jpeg(waves({200, 100}).view());
  EXPECT_EQ(decode(jpeg, {.pixels_max = 19'999}).error().code, Code::kTooLarge);
  EXPECT_TRUE(decode(jpeg, {.pixels_max = 20'000}));
  EXPECT_EQ(decode(jpeg, {.bytes_max = 100}).error().code, Code::kTooLarge);
  EXPECT_EQ(decode(jpeg, {.deadline = Deadline::after(0ns)}).error().code, Code::kTimeout);
  constexpr std::string_view kHuge = "<svg xmlns='http://www.w3.org/2000/svg' width='1000000' height='1000000'/>";
  EXPECT_EQ(decode(kHuge).error().code, Code::kTooLarge);
}

TEST(Decode, AJpegThatIsCutOffIsAnError) {
  const std::string jpeg = *encode_jpeg(waves({200, 100}).view());
  EXPECT_FALSE(decode(std::string_view(jpeg).substr(0, jpeg.size() / 2)));
  EXPECT_TRUE(decode(std::string_view(jpeg).substr(0, jpeg.size() - 2))) << "only the end marker is missing";
}

TEST(Decode, EveryCutAndFlippedByteIsSurvived) {
  const std::string jpeg = *encode_jpeg(waves({48, 32}).view());
  for (const std::string& whole : {jpeg, small_bmp()}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      (void)decode(std::string(whole.data(), i), {.pixels_max = 100'000});
      std::string flipped = whole;
      flipped[i] = static_cast<char>(~flipped[i]);
      (void)decode(flipped, {.pixels_max = 100'000});
    }
  }
}

}  // namespace
}  // namespace magpie::image
