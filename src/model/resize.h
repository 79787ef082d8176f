#pragma once
// Brings an upright picture to a network's input size by a triangle filter that widens with the scale, so that every source pixel
// counts when shrinking and growing is linear (what Pillow calls bilinear). Both axes apart, in fixed point.
#include <cstdint>
#include <vector>

#include "model/manifest.h"
#include "model/rgb_view.h"

namespace magpie::model {

/// @return target_width x target_height x 3 bytes, row-major. Cost: one pass over the source. Thread-safe.
/// `picture` and target sides must be positive (MAGPIE_CHECK).
std::vector<std::uint8_t> resize_rgb(RgbView picture, int target_width, int target_height, Fit fit);

}  // namespace magpie::model
