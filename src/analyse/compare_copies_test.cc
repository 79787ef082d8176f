#include "analyse/compare_copies.h"

#include <gtest/gtest.h>

#include "image/encode.h"
#include "image/resize.h"
#include "image/test_pictures.h"

namespace magpie::analyse {
namespace {

using image::Pixels;

std::string jpeg(const Pixels& picture) { return *image::encode_jpeg(picture.view()); }

// As it would travel to a worker and back.
CopyComparison compare(const std::string& thumbnail, const std::vector<CopyCandidate>& candidates) {
  const WorkRequest request = compare_request(thumbnail, candidates);
  EXPECT_EQ(request.kind, kCompareCopies);
  const auto answer = compare_copies({.kind = request.kind, .payload = request.payload});
  EXPECT_TRUE(answer) << answer.error().message;
  auto comparison = decode_comparison(*answer, candidates.size());
  EXPECT_TRUE(comparison) << comparison.error().message;
  return std::move(*comparison);
}

TEST(CompareCopies, FindsWhatAPictureWasMadeOfAmongOthers) {
  const Pixels whole = image::scene({256, 192}, 1);
  const std::vector<std::string> known = {jpeg(image::scene({256, 192}, 2)), jpeg(whole), jpeg(image::scene({256, 192}, 3))};
  const std::vector<CopyCandidate> candidates = {{1, known[0], {}}, {2, known[1], {}}, {3, known[2], {}}};
  std::vector<std::pair<Pixels, std::string>> made;
  made.emplace_back(image::crop(whole.view(), 40, 20, {160, 140}), "100 % of it, 4");
  made.emplace_back(image::upright(whole.copy(), 6), "turned by ");
  made.emplace_back(image::upright(whole.copy(), 2), "mirrored, ");
  for (const auto& [picture, words] : made) {
    const CopyComparison found = compare(jpeg(picture), candidates);
    ASSERT_EQ(found.copies.size(), 1u) << words;
    EXPECT_EQ(found.copies[0].candidate, 1u);
    EXPECT_NE(found.copies[0].words.find(words), std::string::npos) << found.copies[0].words;
  }
  EXPECT_TRUE(compare(jpeg(image::scene({256, 192}, 4)), candidates).copies.empty());
}

TEST(CompareCopies, AKeptSketchServesLikeAThumbnailAlone) {
  const Pixels whole = image::scene({256, 192}, 1);
  const std::string thumbnail = jpeg(whole), part = jpeg(image::crop(whole.view(), 40, 20, {160, 140}));
  const std::string sketch = compare(thumbnail, {}).sketch;
  EXPECT_LT(sketch.size(), 13'000u) << "without pixels";
  const auto with = compare(part, {{1, thumbnail, sketch}}), without = compare(part, {{1, thumbnail, {}}});
  ASSERT_EQ(with.copies.size(), 1u);
  ASSERT_EQ(without.copies.size(), 1u);
  EXPECT_EQ(with.copies[0].words, without.copies[0].words);
}

TEST(CompareCopies, OneLinkAGroupIsEnough) {
  const std::string picture = jpeg(image::scene({256, 192}, 1)),
                    small = jpeg(image::resize_area(image::scene({256, 192}, 1).view(), {128, 96}));
  const CopyComparison found = compare(picture, {{7, small, {}}, {7, picture, {}}, {8, small, {}}});
  ASSERT_EQ(found.copies.size(), 2u);
  EXPECT_EQ(found.copies[0].candidate, 0u);
  EXPECT_EQ(found.copies[1].candidate, 2u);
}

TEST(CompareCopies, GroupsInAnotherColourAreNotJoined) {
  const auto thing = [](std::initializer_list<int> colour) {
    Pixels picture = image::filled({256, 256}, 3, {255, 255, 255});
    const Pixels folds = image::to_grey(image::scene({180, 200}, 3).view());
    for (std::uint32_t y = 0; y < 200; ++y) {
      for (std::uint32_t x = 0; x < 180; ++x) {
        std::uint32_t c = 0;
        for (const int part : colour)
          picture.row(y + 30)[3 * (x + 40) + c++] = static_cast<std::uint8_t>(part * (100 + folds.row(y)[x] * 155 / 255) / 255);
      }
    }
    return picture;
  };
  const Pixels blue_pixels = thing({40, 80, 220});
  const std::string blue = jpeg(blue_pixels), red = jpeg(thing({220, 70, 40}));
  const std::string grey = jpeg(image::flatten_on_white(image::to_grey(blue_pixels.view()).view()));
  EXPECT_TRUE(compare(blue, {{1, red, {}}}).copies.empty());
  EXPECT_EQ(compare(blue, {{1, grey, {}}, {2, red, {}}}).other_colours, std::vector<std::size_t>{1});
  EXPECT_EQ(compare(grey, {{1, red, {}}}).copies.size(), 1u);
  EXPECT_EQ(compare(grey, {{1, red, {}}, {2, blue, {}}}).copies.size(), 1u) << "or it would join the two";
  EXPECT_TRUE(compare(blue, {{1, grey, {}}, {1, red, {}}}).copies.empty() || compare(blue, {{1, red, {}}, {1, grey, {}}}).copies.empty());
}

TEST(CompareCopies, BrokenCandidatesArePassedOver) {
  const std::string picture = jpeg(image::scene({256, 192}, 1));
  const CopyComparison found = compare(picture, {{1, "no picture", {}}, {2, picture, "no sketch"}, {3, picture, {}}});
  ASSERT_EQ(found.copies.size(), 1u);
  EXPECT_EQ(found.copies[0].candidate, 2u);
  const WorkRequest request = compare_request("no picture", {});
  EXPECT_FALSE(compare_copies({.kind = request.kind, .payload = request.payload}));
  EXPECT_FALSE(compare_copies({.kind = request.kind, .payload = "\xFF"}));
}

TEST(CompareCopies, AnAnswerThatWasNotAskedForIsRefused) {
  const std::string picture = jpeg(image::scene({256, 192}, 1));
  const std::vector<CopyCandidate> candidates = {{1, picture, {}}};
  const WorkRequest request = compare_request(picture, candidates);
  const std::string answer = *compare_copies({.kind = request.kind, .payload = request.payload});
  EXPECT_TRUE(decode_comparison(answer, 1));
  EXPECT_FALSE(decode_comparison(answer, 0)) << "of a candidate that there was not";
  for (std::size_t cut = 0; cut < answer.size(); cut += 53)
    EXPECT_FALSE(decode_comparison(std::string_view(answer).substr(0, cut), 1)) << cut;
}

}  // namespace
}  // namespace magpie::analyse
