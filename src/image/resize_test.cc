#include "image/resize.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "image/test_pictures.h"

namespace magpie::image {
namespace {

TEST(Resize, FitsWithinABoxAndNeverEnlarges) {
  EXPECT_EQ(fit_within({1000, 500}, 256), (Size{256, 128}));
  EXPECT_EQ(fit_within({500, 1000}, 256), (Size{128, 256}));
  EXPECT_EQ(fit_within({100, 50}, 256), (Size{100, 50}));
  EXPECT_EQ(fit_within({100'000, 1}, 256), (Size{256, 1}));
}

TEST(Resize, AreaIsTheMeanOfWhatLiesUnderAPixel) {
  Pixels source(Size{4, 1}, 1);
  std::uint8_t values[] = {0, 100, 200, 40};
  std::copy(std::begin(values), std::end(values), source.data());
  const Pixels half = resize_area(source.view(), {2, 1});
  EXPECT_EQ(half.data()[0], 50);
  EXPECT_EQ(half.data()[1], 120);
  const Pixels third = resize_area(source.view(), {3, 1});  // 4/3 px each: (0 + 100/3) * 3/4, …
  EXPECT_EQ(third.data()[0], 25);
  EXPECT_EQ(third.data()[1], 150);
  EXPECT_EQ(third.data()[2], 80);
}

TEST(Resize, HiddenColoursDoNotBleed) {
  Pixels source(Size{2, 1}, 4);
  const std::uint8_t values[] = {200, 10, 10, 255, 0, 255, 0, 0};
  std::copy(std::begin(values), std::end(values), source.data());
  const Pixels one = resize_area(source.view(), {1, 1});
  EXPECT_EQ(one.data()[0], 200);
  EXPECT_EQ(one.data()[1], 10);
  EXPECT_EQ(one.data()[3], 128);
}

TEST(Resize, LanczosEqualsPillow) {
  // Pillow 9.4: Image.frombytes('L', (7, 5), bytes((i * 37) % 256 for i in range(35))).resize((3, 2), Image.LANCZOS).tobytes().hex()
  Pixels source(Size{7, 5}, 1);
  for (int i = 0; i < 35; ++i) source.data()[i] = static_cast<std::uint8_t>(i * 37 % 256);
  const Pixels small = resize_lanczos(source.view(), {3, 2});
  std::string hex;
  for (std::size_t i = 0; i < small.bytes(); ++i) hex += fmt::format("{:02x}", small.data()[i]);
  EXPECT_EQ(hex, "1a71c82279d0");
  const Pixels large = resize_lanczos(source.view(), {9, 6});
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < large.bytes(); ++i) sum = sum * 31 + large.data()[i];
  // The same, resize((9, 6)), folded by s = s * 31 + byte.
  EXPECT_EQ(sum, 3900567237u);
}

TEST(Resize, CropsWithinThePicture) {
  const Pixels part = crop(waves({10, 10}).view(), 8, 9, {5, 5});
  EXPECT_EQ(part.size(), (Size{2, 1}));
}

}  // namespace
}  // namespace magpie::image
