#include "image/keypoints.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "image/resize.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

Pixels grey_scene(Size size, std::uint32_t seed) { return to_grey(scene(size, seed).view()); }

// Keypoints of `query` that have one of `known` within 40 bits at the place that `place` gives, as a share.
template <typename Place>
double share_found(const std::vector<Keypoint>& query, const std::vector<Keypoint>& known, bool mirror, Place place) {
  std::size_t found = 0;
  for (const Keypoint& q : query) {
    const auto [x, y] = place(q);
    found += std::any_of(known.begin(), known.end(), [&, x = x, y = y](const Keypoint& k) {
      return std::hypot(k.x - x, k.y - y) < 0.03 && hamming(mirror ? mirrored(q.descriptor) : q.descriptor, k.descriptor) <= 40;
    });
  }
  return static_cast<double>(found) / static_cast<double>(query.size());
}

TEST(Keypoints, AreFoundAgainInASmallerCopy) {
  const Pixels large = grey_scene({400, 300}, 1);
  const auto known = find_keypoints(large.view()), query = find_keypoints(resize_area(large.view(), {240, 180}).view());
  ASSERT_GE(query.size(), 100U);
  EXPECT_GE(share_found(query, known, false, [](const Keypoint& q) { return std::pair(q.x, q.y); }), 0.6);
}

TEST(Keypoints, AreFoundAgainInACropAtTheirPlaces) {
  const Pixels whole = grey_scene({400, 400}, 2);
  const auto known = find_keypoints(whole.view()), query = find_keypoints(crop(whole.view(), 80, 60, {280, 280}).view());
  EXPECT_GE(share_found(query, known, false, [](const Keypoint& q) { return std::pair(0.2F + 0.7F * q.x, 0.15F + 0.7F * q.y); }), 0.5);
}

TEST(Keypoints, OfAMirroredPictureAreTheSameBitsInAnotherOrder) {
  const Pixels picture = grey_scene({320, 240}, 3);
  const auto known = find_keypoints(picture.view()), query = find_keypoints(upright(picture.copy(), 2).view());
  EXPECT_GE(share_found(query, known, true, [](const Keypoint& q) { return std::pair(1 - q.x, q.y); }), 0.8);
  EXPECT_LE(share_found(query, known, false, [](const Keypoint& q) { return std::pair(1 - q.x, q.y); }), 0.3);
}

TEST(Keypoints, TurnWithThePicture) {
  const Pixels picture = grey_scene({300, 300}, 4);
  const auto known = find_keypoints(picture.view()), query = find_keypoints(upright(picture.copy(), 3).view());  // by 180 degrees
  EXPECT_GE(share_found(query, known, false, [](const Keypoint& q) { return std::pair(1 - q.x, 1 - q.y); }), 0.8);
}

TEST(Keypoints, AreAtMostAsManyAsWantedAndNoneOnAPlainPicture) {
  EXPECT_LE(find_keypoints(grey_scene({640, 480}, 5).view(), {.count = 50}).size(), 50U);
  EXPECT_TRUE(find_keypoints(filled({200, 100}, 1, {128}).view()).empty());
  EXPECT_TRUE(find_keypoints(filled({1, 1}, 1, {128}).view()).empty());
}

TEST(Keypoints, ALongStripAndATinyPictureAreFine) {
  const Pixels picture = grey_scene({300, 300}, 6);
  for (const Size size : {Size{1, 900}, Size{900, 3}, Size{2, 2}, Size{17, 9}}) {
    EXPECT_LE(find_keypoints(resize_area(picture.view(), size).view()).size(), 300U);
  }
}

}  // namespace
}  // namespace magpie::image
