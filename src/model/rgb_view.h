#pragma once
// A picture as networks are given it.
#include <cstddef>
#include <cstdint>

namespace magpie::model {

/// Upright RGB, 8 bits each, sRGB; borrowed for the call.
struct RgbView {
  const std::uint8_t* data = nullptr;
  int width = 0;  // pixels
  int height = 0;
  std::size_t stride = 0;  // bytes from one row to the next, >= 3 * width
};

}  // namespace magpie::model
