#include "image/picture.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "image/encode.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

TEST(Picture, GivesVariantsHashesAndColoursAtOnce) {
  const Pixels original = waves({1600, 1200});
  const Result<AnalysedPicture> picture = analyse_picture(*encode_jpeg(original.view(), 92));
  ASSERT_TRUE(picture) << picture.error().message;
  EXPECT_EQ(picture->header.size, (Size{1600, 1200}));
  EXPECT_EQ(picture->thumbnail.size, (Size{256, 192}));
  EXPECT_EQ(picture->preview.size, (Size{640, 480}));
  EXPECT_EQ(picture->pixels.size(), picture->preview.size);
  EXPECT_EQ(decode(picture->thumbnail.jpeg)->pixels.size(), picture->thumbnail.size);
  const PerceptualHashes exact = perceptual_hashes(original.view());
  EXPECT_LE(hamming(exact.phash, picture->hashes.phash), 2);
  EXPECT_LE(hamming(exact.pdq, picture->hashes.pdq), 16);
}

TEST(Picture, SmallPicturesAreNotEnlarged) {
  const Result<AnalysedPicture> picture = analyse_picture(small_bmp());
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->thumbnail.size, (Size{2, 2}));
  EXPECT_EQ(picture->preview.jpeg, "");
  EXPECT_EQ(make_variant(small_bmp(), 1600)->size, (Size{2, 2}));
}

TEST(Picture, WithoutANetworkAMiddlingJpegIsDecodedAtTheScaleOfItsThumbnail) {
  const std::string jpeg = *encode_jpeg(scene({600, 480}, 3).view(), 90);
  const AnalysedPicture whole = *analyse_picture(jpeg), scaled = *analyse_picture(jpeg, {}, {.wants_pixels = false});
  EXPECT_EQ(whole.pixels.size(), (Size{600, 480}));
  EXPECT_EQ(scaled.pixels.size(), (Size{300, 240}));
  EXPECT_EQ(scaled.thumbnail.size, whole.thumbnail.size);
  EXPECT_EQ(scaled.preview.jpeg, "");
  EXPECT_LE(hamming(whole.hashes.pdq, scaled.hashes.pdq), 8);
  EXPECT_LE(hamming(whole.hashes.phash, scaled.hashes.phash), 2);
  const std::string larger = *encode_jpeg(scene({1400, 1000}, 3).view(), 90);
  EXPECT_EQ(analyse_picture(larger, {}, {.wants_pixels = false})->preview.jpeg, analyse_picture(larger)->preview.jpeg);
}

TEST(Picture, PixelsOnlyAreThoseOfTheWholeAnalysis) {
  const std::string jpeg = *encode_jpeg(scene({1400, 1000}, 3).view(), 90);
  const AnalysedPicture whole = *analyse_picture(jpeg), asked = *analyse_picture(jpeg, {}, {.pixels_only = true});
  EXPECT_EQ(asked.header.size, whole.header.size);
  ASSERT_EQ(asked.pixels.bytes(), whole.pixels.bytes());
  EXPECT_TRUE(std::equal(asked.pixels.data(), asked.pixels.data() + asked.pixels.bytes(), whole.pixels.data()));
  EXPECT_EQ(asked.preview.jpeg + asked.thumbnail.jpeg, "");
  EXPECT_EQ(asked.hashes, PerceptualHashes());
}

TEST(Picture, OrientationHoldsForVariantsToo) {
  const std::string lying = with_orientation(*encode_jpeg(waves({800, 400}).view()), 6);
  EXPECT_EQ(analyse_picture(lying)->thumbnail.size, (Size{128, 256}));
}

}  // namespace
}  // namespace magpie::image
