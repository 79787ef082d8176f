#include "image/hash.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "image/resize.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

TEST(Hash, DhashComparesNeighbours) {
  Pixels ramp(Size{9, 8}, 1);
  for (std::uint32_t i = 0; i < ramp.bytes(); ++i) ramp.data()[i] = static_cast<std::uint8_t>(i % 9 * 20);
  EXPECT_EQ(dhash(ramp.view()), ~std::uint64_t{0});
  Pixels first_bit_only = filled({9, 8}, 1, {100});
  first_bit_only.data()[0] = 50;
  EXPECT_EQ(dhash(first_bit_only.view()), std::uint64_t{1} << 63);
}

TEST(Hash, PhashOfAPlainPictureIsItsMeanAlone) { EXPECT_EQ(magpie::to_hex(phash(filled({50, 40}, 1, {77}).view())), "8000000000000000"); }

TEST(Hash, PhashOfRowsHasNoBitsOfNoise) {
  Pixels rows(Size{32, 32}, 1);
  for (std::uint32_t i = 0; i < rows.bytes(); ++i) rows.data()[i] = static_cast<std::uint8_t>(i / 32 * 7);
  // Every term but those of the first column is exactly zero, so only the top bit of each byte can be set.
  EXPECT_EQ(phash(rows.view()) & 0x7F7F7F7F7F7F7F7Full, 0u);
}

TEST(Hash, SmallerCopiesStayNear) {
  const Pixels large = waves({800, 600});
  const PerceptualHashes a = perceptual_hashes(large.view());
  const PerceptualHashes b = perceptual_hashes(shrink_to_fit(large.view(), 400).view());
  EXPECT_LE(hamming(a.phash, b.phash), 2);
  EXPECT_LE(hamming(a.dhash, b.dhash), 2);
  EXPECT_LE(hamming(a.pdq, b.pdq), 16);
  EXPECT_GE(a.pdq_quality, 50);
}

TEST(Hash, PdqOfTinyAndPlainPicturesHasNoQuality) {
  EXPECT_EQ(pdq(filled({4, 100}, 3, {1, 2, 3}).view()).quality, 0);
  EXPECT_EQ(pdq(filled({100, 100}, 3, {1, 2, 3}).view()).quality, 0);
}

TEST(Hash, TransparencyIsWhite) {
  const PerceptualHashes clear = perceptual_hashes(filled({64, 64}, 4, {9, 9, 9, 0}).view());
  EXPECT_EQ(clear, perceptual_hashes(filled({64, 64}, 3, {255, 255, 255}).view()));
}

TEST(Hash, TurnedPdqsAreThoseOfTurnedPictures) {
  const Pixels picture = scene({256, 256}, 1);
  const PdqTurns turns = pdq_turns(picture.view());
  constexpr std::uint8_t kOrientations[8] = {1, 6, 3, 8, 2, 7, 4, 5};  // EXIF's, as these turn a picture the same way
  for (std::size_t i = 0; i < 8; ++i) {
    const Pixels turned = upright(picture.copy(), kOrientations[i]);
    const PdqHash hash = pdq(turned.view()).hash;
    for (std::size_t k = 0; k < 8; ++k) {  // unrelated ones are 128 apart; the same ones not 0, as samples lie half a pixel off the middle
      EXPECT_EQ(hamming(turns.hashes[k], hash) < 64, k == i) << "turn " << i << " beside " << k;
    }
  }
  EXPECT_EQ(turns.hashes[0], pdq(picture.view()).hash);
  EXPECT_EQ(turns.quality, pdq(picture.view()).quality);
}

TEST(Hash, PdqTextHasTheHighestBitFirst) {
  PdqHash hash;
  hash.words = {1, 0, 0, 0xF000000000000000ull};
  EXPECT_EQ(to_hex(hash), "f" + std::string(62, '0') + "1");
}

}  // namespace
}  // namespace magpie::image
