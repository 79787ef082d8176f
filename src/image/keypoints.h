#pragma once
// Points of a picture that are found again after it was scaled, turned, cropped or laid on something else, each with 256 bits that say what
// its surroundings look like. Corners of a scale pyramid (Shi and Tomasi 1994) with oriented binary descriptors (BRIEF, Calonder 2010;
// turned by the intensity centroid as in ORB, Rublee 2011). The tests of a descriptor are our own: half of them mirror the other half, so
// that the descriptor of the mirrored picture is the same bits in another order.
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "image/pixels.h"

namespace magpie::image {

struct Descriptor {
  std::array<std::uint64_t, 4> words{};
  bool operator==(const Descriptor&) const = default;
};

inline int hamming(const Descriptor& a, const Descriptor& b) {
  int bits = 0;
  for (std::size_t i = 0; i < 4; ++i) bits += std::popcount(a.words[i] ^ b.words[i]);
  return bits;
}

/// What describe() gives for the same point of the picture mirrored left to right.
inline Descriptor mirrored(const Descriptor& d) { return {{d.words[2], d.words[3], d.words[0], d.words[1]}}; }

struct Keypoint {
  float x = 0, y = 0;  // 0..1 of the longer side, from the top left corner; pixels are as wide as they are high
  float scale = 0;     // side of a pixel of the level it was found on, in longer sides
  float angle = 0;     // of its surroundings, radians
  Descriptor descriptor;
};

struct KeypointOptions {
  std::uint32_t side = 256;   // px, longer side of the finest level, 64..1'024; smaller pictures are made twice as large at most
  std::uint32_t count = 300;  // at most so many, spread over the picture and its scales
};

/// `grey`: 1 channel, upright, not empty. A picture with nothing to see has none. Thread-safe, the same on each machine. Cost, one core:
/// README.md.
std::vector<Keypoint> find_keypoints(PixelsView grey, const KeypointOptions& options = {});

}  // namespace magpie::image
