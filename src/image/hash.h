#pragma once
// Perceptual hashes: small fingerprints that stay near (in Hamming distance) when a picture is re-encoded or resized.
// All are of upright pixels laid on white. Values equal those of other programs, so hashes can be exchanged:
//   phash  64 bits   ImageHash's phash(): 32 x 32 grey by Lanczos, DCT-II both ways, low 8 x 8 over their median (Zauner 2010)
//   dhash  64 bits   ImageHash's dhash(): 9 x 8 grey by Lanczos, each pixel brighter than its left neighbour (Krawetz 2013)
//   pdq    256 bits  Facebook's PDQ (Davis, Rosen: "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019)
#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "image/pixels.h"

namespace magpie::image {

/// Bit k of the paper (row k / 16, column k % 16 of the DCT) is bit k % 64 of words[k / 64].
struct PdqHash {
  std::array<std::uint64_t, 4> words{};
  bool operator==(const PdqHash&) const = default;
};

struct PerceptualHashes {
  std::uint64_t phash = 0;  // the lowest frequency in the highest bit, row by row: to_hex(phash) is ImageHash's text
  std::uint64_t dhash = 0;  // top left in the highest bit, row by row
  PdqHash pdq;
  std::uint8_t pdq_quality = 0;  // 0..100, how much there is to see; the paper advises against matching under 50
  bool operator==(const PerceptualHashes&) const = default;
};

/// All three in one go. `pixels` is upright, 1, 3 or 4 channels, not empty. Thread-safe.
/// Cost: about 15 ms a megapixel; a copy of 640 px gives the same hashes but for a few bits (measured in README.md).
PerceptualHashes perceptual_hashes(PixelsView pixels);

std::uint64_t phash(PixelsView grey);
std::uint64_t dhash(PixelsView grey);
struct PdqResult {
  PdqHash hash;
  std::uint8_t quality = 0;
};
/// 1, 3 or 4 channels. A picture with a side under 5 px gets the zero hash with quality 0, as in the reference.
PdqResult pdq(PixelsView pixels);

/// PDQ of the picture as it is, turned by 90, 180 and 270 degrees clockwise, and the same four of the mirrored picture (left to right),
/// mirrored before it is turned. All from one transform: next to no dearer than one. The quality is that of all.
struct PdqTurns {
  std::array<PdqHash, 8> hashes{};
  std::uint8_t quality = 0;
};
PdqTurns pdq_turns(PixelsView pixels);

/// 64 lower-case hex digits, highest bit first, as the reference prints it.
std::string to_hex(const PdqHash& hash);

/// Bits that differ.
inline int hamming(std::uint64_t a, std::uint64_t b) { return std::popcount(a ^ b); }
inline int hamming(const PdqHash& a, const PdqHash& b) {
  int bits = 0;
  for (std::size_t i = 0; i < 4; ++i) bits += std::popcount(a.words[i] ^ b.words[i]);
  return bits;
}

}  // namespace magpie::image
