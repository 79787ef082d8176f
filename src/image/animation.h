#pragma once
// What stands for a picture that moves. A still stands for itself. Of an animation (GIF, WebP, PNG, AVIF) that is the first frame that
// shows something: many begin with an empty one, or fade in. Beside it come a few frames spread over its time, for those who judge the
// whole. Frames are as they are seen: laid over what earlier ones left. A HEIC sequence stands for itself, by its primary item, since no
// library of Debian 12 reads HEVC sequences out of their boxes.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "image/decode.h"

namespace magpie::image {

struct Shown {
  Decoded still;
  std::uint32_t still_frame = 0;  // its number, from 0
  std::vector<Pixels> others;     // further frames that show something, in their order; fits side_wanted, if that is given
};

/// As decode(), but of an animation the frame that stands for it: the first one of the beginning that limits allow to read whose contrast
/// is at least kContrastTelling, or else the one with most contrast; and up to `others_max` of the frames at even steps through that
/// beginning. A later frame that is broken ends the reading, a first one is left to decode(). Errors: those of decode(). Thread-safe.
/// Cost: the frames up to the last one taken, at most frames_read_max and frame_pixels_read_max of DecodeLimits: 0.2 s for 100 GIF frames
/// of 0.25 MP. Memory: `others_max` + 3 frames.
Result<Shown> decode_shown(std::string_view bytes, const DecodeLimits& limits = {}, const DecodeOptions& options = {},
                           std::uint32_t others_max = 0);

/// How much there is to see: the standard deviation, 0..127, of the colours of a 32 x 32 area mean of the picture on white.
double contrast_of(PixelsView pixels);
/// A line of text on white has 4.5, a photograph at a tenth of its brightness 6, a small logo on white 28, a photograph 40 to 80.
inline constexpr double kContrastTelling = 8;

}  // namespace magpie::image
