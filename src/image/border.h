#pragma once
// Bars of one colour around a picture, as editors, shops and video players add them.
#include <cstdint>

#include "image/pixels.h"

namespace magpie::image {

struct Box {
  std::uint32_t left = 0, top = 0;
  Size size;
  bool operator==(const Box&) const = default;
};

/// What is left without the bars: from each side lines are taken away that show one colour only, but for what encoders leave behind. A
/// picture that would lose more than five sixths of a side is left whole, as one that is plain. `rgb`: 3 channels, not empty. Cost: one
/// pass over the bars.
Box within_border(PixelsView rgb);

}  // namespace magpie::image
