#pragma once
// A rectangle that somebody drew on a picture.
#include <cstdint>

namespace magpie {

/// In ten-thousandths of the upright picture's width and height, so that it is the same for every size of the picture. Within the picture,
/// width and height above 0.
struct PicturePart {
  static constexpr std::uint16_t kWhole = 10'000;
  std::uint16_t left = 0, top = 0, width = kWhole, height = kWhole;
  bool operator==(const PicturePart&) const = default;

  bool is_within() const { return width > 0 && height > 0 && left + width <= kWhole && top + height <= kWhole; }
};

}  // namespace magpie
