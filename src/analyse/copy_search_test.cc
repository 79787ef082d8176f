#include "analyse/copy_search.h"

#include <gtest/gtest.h>

#include <functional>

#include "image/resize.h"
#include "image/test_pictures.h"

namespace magpie::analyse {
namespace {

using image::Pixels;
using image::Size;

CopySketch sketch_of(const Pixels& picture) { return make_sketch(picture.view(), picture.size()); }

Pixels framed(const Pixels& picture, std::uint32_t bar) {
  Pixels large = image::filled({picture.width() + 2 * bar, picture.height() + 2 * bar}, 3, {20, 90, 30});
  for (std::uint32_t y = 0; y < picture.height(); ++y)
    std::copy_n(picture.row(y), std::size_t{picture.width()} * 3, large.row(y + bar) + 3 * bar);
  return large;
}

Pixels with_bytes(const Pixels& picture, const std::function<int(std::size_t, std::uint32_t)>& change) {
  Pixels changed = picture.copy();
  for (std::size_t i = 0; i < changed.bytes(); ++i)
    changed.data()[i] = static_cast<std::uint8_t>(std::clamp(change(i, picture.data()[i]), 0, 255));
  return changed;
}

struct Change {
  std::string name;
  std::function<Pixels(const Pixels&)> make;
};
void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }

class FindsACopy : public testing::TestWithParam<Change> {};

TEST_P(FindsACopy, AmongOtherPictures) {
  CopySearch search;
  for (std::uint32_t seed = 10; seed < 14; ++seed) search.add(sketch_of(image::scene({360, 270}, seed)));
  const Pixels picture = image::scene({360, 270}, 1);
  search.add(sketch_of(picture));
  const std::vector<CopyLink> links = search.add(sketch_of(GetParam().make(picture)));
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links[0].picture, 4U);
  EXPECT_EQ(search.group_of(5), 4U);
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_EQ(search.group_of(i), i);
}

INSTANTIATE_TEST_SUITE_P(
    Changes, FindsACopy,
    testing::Values(
        Change{"smaller",
               [](const Pixels& p) {
                 return image::resize_area(p.view(), {150, 112});
               }},
        Change{"larger",
               [](const Pixels& p) {
                 return image::resize_area(p.view(), {720, 540});
               }},
        Change{"squeezed",
               [](const Pixels& p) {
                 return image::resize_area(p.view(), {270, 270});
               }},
        Change{"cropped",
               [](const Pixels& p) {
                 return image::crop(p.view(), 60, 20, {250, 200});
               }},
        Change{"halved",
               [](const Pixels& p) {
                 return image::crop(p.view(), 100, 60, {255, 191});
               }},
        Change{"framed", [](const Pixels& p) { return framed(p, 90); }},
        Change{"mirrored", [](const Pixels& p) { return image::upright(p.copy(), 2); }},
        Change{"upside_down", [](const Pixels& p) { return image::upright(p.copy(), 3); }},
        Change{"flipped", [](const Pixels& p) { return image::upright(p.copy(), 4); }},
        Change{"transposed", [](const Pixels& p) { return image::upright(p.copy(), 5); }},
        Change{"quarter", [](const Pixels& p) { return image::upright(p.copy(), 6); }},
        Change{"transversed", [](const Pixels& p) { return image::upright(p.copy(), 7); }},
        Change{"three_quarters", [](const Pixels& p) { return image::upright(p.copy(), 8); }},
        Change{"mirrored_crop",
               [](const Pixels& p) {
                 return image::crop(image::upright(p.copy(), 2).view(), 60, 20, {250, 200});
               }},
        Change{"darker", [](const Pixels& p) { return with_bytes(p, [](std::size_t, int b) { return b * 6 / 10; }); }},
        Change{"less_contrast", [](const Pixels& p) { return with_bytes(p, [](std::size_t, int b) { return 100 + b / 3; }); }},
        Change{"grey", [](const Pixels& p) { return image::flatten_on_white(image::to_grey(p.view()).view()); }},
        Change{"warm", [](const Pixels& p) { return with_bytes(p, [](std::size_t i, int b) { return i % 3 == 2 ? b * 85 / 100 : b; }); }},
        Change{"words",
               [](const Pixels& p) {
                 return with_bytes(
                     p, [](std::size_t i, int b) { return i / 1080 >= 210 && i / 1080 < 235 ? (i / 24 % 3 == 0 ? 0 : 255) : b; });
               }}),
    [](const auto& tested) { return tested.param.name; });

TEST(CopySearch, AnotherColourOfOneThingIsNoCopyAndGreyOnesDoNotJoinThem) {
  // A thing on white ground, which is the same in both.
  const auto thing = [](std::initializer_list<int> colour) {
    Pixels picture = image::filled({300, 300}, 3, {255, 255, 255});
    const Pixels folds = image::to_grey(image::scene({200, 220}, 3).view());
    for (std::uint32_t y = 0; y < 220; ++y) {
      for (std::uint32_t x = 0; x < 200; ++x) {
        std::uint32_t c = 0;
        for (const int part : colour)
          picture.row(y + 40)[3 * (x + 50) + c++] = static_cast<std::uint8_t>(part * (100 + folds.row(y)[x] * 155 / 255) / 255);
      }
    }
    return picture;
  };
  const Pixels blue = thing({40, 80, 220}), red = thing({220, 70, 40});
  CopySearch search;
  search.add(sketch_of(blue));
  search.add(sketch_of(red));
  EXPECT_NE(search.group_of(0), search.group_of(1));
  search.add(sketch_of(image::flatten_on_white(image::to_grey(blue.view()).view())));
  EXPECT_NE(search.group_of(0), search.group_of(1));
  search.add(sketch_of(image::resize_area(red.view(), {200, 200})));
  EXPECT_EQ(search.group_of(3), search.group_of(1));
}

TEST(CopySearch, PicturesThatShareAPartAreNoCopies) {
  // The same logo, on a third of two other pictures.
  const Pixels logo = image::scene({120, 90}, 20);
  CopySearch search;
  for (const std::uint32_t seed : {1U, 2U}) {
    Pixels picture = image::scene({360, 270}, seed);
    for (std::uint32_t y = 0; y < 90; ++y) std::copy_n(logo.row(y), 360, picture.row(y + 100) + 3 * 100);
    search.add(sketch_of(picture));
  }
  EXPECT_NE(search.group_of(0), search.group_of(1));
}

TEST(CopySearch, BlankPicturesAreNobodysCopies) {
  CopySearch search;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(search.add(sketch_of(image::filled({200, 200}, 3, {255, 255, 255}))).empty());
  EXPECT_TRUE(search.add(sketch_of(image::filled({1, 1}, 3, {255, 255, 255}))).empty());
}

TEST(CopySearch, APartJoinsTheGroupsOfWhatItIsAPartOf) {
  // Two crops with little in common are copies by way of the whole.
  const Pixels whole = image::scene({400, 300}, 5);
  CopySearch search;
  search.add(sketch_of(image::crop(whole.view(), 0, 0, {220, 300})));
  search.add(sketch_of(image::crop(whole.view(), 180, 0, {220, 300})));
  EXPECT_NE(search.group_of(0), search.group_of(1));
  EXPECT_EQ(search.add(sketch_of(whole)).size(), 2U);
  EXPECT_EQ(search.group_of(0), search.group_of(1));
}

TEST(CopySearch, TellsHowACopyWasMade) {
  const Pixels picture = image::scene({400, 300}, 6);
  CopySearch search;
  search.add(sketch_of(picture));
  const auto links = search.add(sketch_of(image::upright(image::crop(picture.view(), 50, 40, {300, 225}), 2)));
  ASSERT_EQ(links.size(), 1U);
  EXPECT_TRUE(describe(links[0].overlap).starts_with("mirrored, 9")) << describe(links[0].overlap);
  EXPECT_NEAR(links[0].overlap.share_of_second, 0.56F, 0.04F);
}

TEST(CopySketch, ComesBackFromThePipe) {
  const CopySketch made = sketch_of(framed(image::scene({360, 270}, 7), 40));
  const auto read = decode_sketch(encode_sketch(made));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->size, made.size);
  EXPECT_EQ(read->inner, made.inner);
  EXPECT_EQ(read->pdq.hashes, made.pdq.hashes);
  ASSERT_EQ(read->keypoints.size(), made.keypoints.size());
  EXPECT_EQ(read->keypoints[3].descriptor, made.keypoints[3].descriptor);
  EXPECT_NEAR(read->keypoints[3].x, made.keypoints[3].x, 1e-4);
  EXPECT_NEAR(read->keypoints[3].angle, made.keypoints[3].angle, 1e-3);
  EXPECT_EQ(read->overlap.size(), made.overlap.size());
}

TEST(CopySketch, IsNotReadWhenItIsDamaged) {
  const std::string bytes = encode_sketch(sketch_of(image::scene({100, 80}, 8)));
  for (std::size_t cut = 0; cut < bytes.size(); cut += 97) EXPECT_FALSE(decode_sketch(std::string_view(bytes).substr(0, cut))) << cut;
  EXPECT_FALSE(decode_sketch(bytes + "x"));
  std::string other_version = bytes;
  other_version[0] = 9;
  EXPECT_FALSE(decode_sketch(other_version));
}

}  // namespace
}  // namespace magpie::analyse
