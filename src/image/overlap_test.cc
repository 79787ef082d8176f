#include "image/overlap.h"

#include <gtest/gtest.h>

#include "image/resize.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

TEST(AffineMap, InverseAndChainUndoEachOther) {
  const AffineMap map{0.8, -0.3, 0.1, 0.2, 1.1, -0.4};
  const AffineMap same = chained(map, *inverse(map));
  EXPECT_NEAR(same.x(0.3, 0.7), 0.3, 1e-12);
  EXPECT_NEAR(same.y(0.3, 0.7), 0.7, 1e-12);
  EXPECT_FALSE(inverse(AffineMap{1, 2, 0, 2, 4, 0}));
}

TEST(Overlap, APictureAgreesWithItself) {
  const OverlapPicture picture(scene({400, 300}, 1).view());
  const auto overlap = overlay(picture, picture, {});
  ASSERT_TRUE(overlap);
  EXPECT_GT(overlap->agreement, 0.99F);
  EXPECT_GT(overlap->share_of_first, 0.95F);
  EXPECT_EQ(overlap->other_hue, 0.0F);
}

TEST(Overlap, ACropsPlaceIsFoundFromAGuessThatIsOff) {
  const Pixels whole = scene({400, 400}, 2);
  const Pixels part = crop(whole.view(), 80, 60, {280, 280});
  const auto overlap = overlay(OverlapPicture(part.view()), OverlapPicture(whole.view()), {0.72, 0, 0.18, 0, 0.69, 0.17});
  ASSERT_TRUE(overlap);
  EXPECT_NEAR(overlap->map.xx, 0.7, 0.01);
  EXPECT_NEAR(overlap->map.x0, 0.2, 0.01);
  EXPECT_NEAR(overlap->map.y0, 0.15, 0.01);
  EXPECT_GT(overlap->share_of_first, 0.95F);
  EXPECT_NEAR(overlap->share_of_second, 0.49F, 0.03F);
  EXPECT_GT(overlap->agreement, 0.95F);
}

TEST(Overlap, IsTheSameTheOtherWayRound) {
  const Pixels whole = scene({400, 400}, 2);
  const OverlapPicture large(whole.view()), part(crop(whole.view(), 80, 60, {280, 280}).view());
  const auto overlap = overlay(large, part, *inverse(AffineMap{0.7, 0, 0.2, 0, 0.7, 0.15}));
  ASSERT_TRUE(overlap);
  EXPECT_NEAR(overlap->share_of_first, 0.49F, 0.03F);
  EXPECT_GT(overlap->share_of_second, 0.95F);
  EXPECT_GT(overlap->agreement, 0.95F);
}

TEST(Overlap, OtherPicturesDoNotAgree) {
  const auto overlap = overlay(OverlapPicture(scene({400, 300}, 3).view()), OverlapPicture(scene({400, 300}, 4).view()), {});
  EXPECT_TRUE(!overlap || overlap->agreement < 0.5F);
}

TEST(Overlap, WordsOnOnePartAreToldFromAnotherPicture) {
  const Pixels picture = scene({400, 300}, 5);
  Pixels marked = picture.copy();
  for (std::uint32_t y = 225; y < 262; ++y) {
    for (std::uint32_t x = 0; x < 1200; ++x) marked.row(y)[x] = x / 30 % 2 == 0 ? 255 : 0;
  }
  const auto overlap = overlay(OverlapPicture(marked.view()), OverlapPicture(picture.view()), {});
  ASSERT_TRUE(overlap);
  EXPECT_LT(overlap->agreement, 0.95F);
  EXPECT_GT(overlap->agreement_beside_mark, 0.98F);
}

TEST(Overlap, AnotherHueShowsThoughGreyLevelsAgree) {
  const Pixels picture = scene({400, 300}, 6);
  Pixels recoloured = picture.copy();
  for (std::uint64_t i = 0; i < picture.size().pixels(); ++i) {
    std::uint8_t* p = recoloured.data() + 3 * i;
    const std::uint8_t red = p[0];
    p[0] = p[1], p[1] = p[2], p[2] = red;
  }
  const auto overlap = overlay(OverlapPicture(recoloured.view()), OverlapPicture(picture.view()), {});
  EXPECT_TRUE(!overlap || overlap->other_hue > 0.2F);
}

TEST(Overlap, WhiteBalanceIsNoOtherHue) {
  Pixels picture = filled({320, 240}, 3, {200, 200, 200});
  for (std::uint32_t y = 0; y < 240; ++y) {
    for (std::uint32_t x = 0; x < 320; ++x) {
      const bool dark = (x / 16 * 7 + y / 16 * 13) % 5 < 2;
      if (dark) std::fill_n(picture.row(y) + 3 * x, 3, std::uint8_t{90});
    }
  }
  Pixels warm = picture.copy(), cold = picture.copy();
  for (std::uint64_t i = 0; i < picture.size().pixels(); ++i) {
    warm.data()[3 * i + 2] = static_cast<std::uint8_t>(warm.data()[3 * i + 2] * 8 / 10);
    cold.data()[3 * i] = static_cast<std::uint8_t>(cold.data()[3 * i] * 8 / 10);
  }
  const auto overlap = overlay(OverlapPicture(warm.view()), OverlapPicture(picture.view()), {});
  ASSERT_TRUE(overlap);
  EXPECT_EQ(overlap->other_hue, 0.0F);
}

TEST(Overlap, TinyPicturesAndMapsThatLeadAwayAreRefusedOrJudged) {
  const OverlapPicture dot(filled({1, 1}, 3, {9, 9, 9}).view()), picture(scene({200, 200}, 7).view());
  EXPECT_FALSE(overlay(OverlapPicture(), picture, {}));
  EXPECT_FALSE(overlay(picture, picture, {1, 0, 5, 0, 1, 5}));
  const auto overlap = overlay(dot, picture, {});
  EXPECT_TRUE(!overlap || overlap->blocks < 6);
}

}  // namespace
}  // namespace magpie::image
