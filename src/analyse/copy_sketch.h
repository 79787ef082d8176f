#pragma once
// What of a picture is kept in order to find its copies: small pixels, keypoints, and PDQ of its eight turns, all of what lies within its
// border. Made where pictures are decoded, in a worker; the form on the pipe is encode_sketch()'s.
//
// Message, base/wire.h, version 1
//   u64 version · u64 width, height of the picture · u64 left, top, width, height within its border · f64 red, blue of the tone, both 0 if
//   it has no colour · u64 width, height, then bytes rgb of the small pixels, none for a sketch without them · u64 quality, bytes pdq[256],
//   eight of 32 bytes keypoints, 40 each, little-endian: u16 x, y (65'535 is 1) · u16 scale (2^20 is 1) · i16 angle (32'767 is pi) · u64
//   descriptor[4]
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/copies.h"
#include "image/border.h"
#include "image/hash.h"
#include "image/keypoints.h"
#include "image/overlap.h"
#include "image/pixels.h"

namespace magpie::analyse {

struct CopySketch {
  image::Size size;          // px, of the upright picture
  image::Box inner;          // px, of it: what is left within its border, and what all below is of
  std::optional<Tone> tone;  // if enough of it is coloured to tell two colours of one thing apart
  image::OverlapPicture overlap;
  image::PdqTurns pdq;
  std::vector<image::Keypoint> keypoints;
};

/// Pixels of the longer side that a sketch looks at: a JPEG may be decoded at a scale that leaves these.
inline constexpr std::uint32_t kSketchSide = 256;
inline constexpr std::size_t kSketchKeypointsMax = 300;

/// `rgb`: 3 channels, upright, not empty, perhaps smaller than `size`, which is the picture's own. Thread-safe. Cost: README.md.
CopySketch make_sketch(image::PixelsView rgb, image::Size size);

/// About 60 KB; without the small pixels, which the thumbnail gives again (see_pixels), 13 KB.
std::string encode_sketch(const CopySketch& sketch, bool with_pixels = true);
/// kCorrupt for anything encode_sketch cannot have written: sides of 0 or over kSide, places outside the picture, broken lengths.
Result<CopySketch> decode_sketch(std::string_view bytes);
/// Gives a sketch without small pixels those of its picture: `rgb` as for make_sketch, of a picture of the same shape.
void see_pixels(CopySketch& sketch, image::PixelsView rgb);

}  // namespace magpie::analyse
