#include "image/pixels.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "image/wide.h"

namespace magpie::image {
namespace {

// (a * alpha + 255 * (255 - alpha)) / 255, rounded, without a division.
std::uint8_t on_white(std::uint8_t value, std::uint8_t alpha) {
  const std::uint32_t mixed = std::uint32_t{value} * alpha + 255u * (255u - alpha) + 128u;
  return static_cast<std::uint8_t>((mixed + (mixed >> 8)) >> 8);
}

MAGPIE_WIDE void grey_of(const std::uint8_t* rgb, std::size_t count, std::uint8_t* grey) {
  for (std::size_t i = 0; i < count; ++i, rgb += 3) {
    grey[i] = static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
  }
}

template <std::size_t Channels>
void put(std::uint8_t* target, const std::uint8_t* source) {
  for (std::size_t c = 0; c < Channels; ++c) target[c] = source[c];
}

// Where pixel (x, y) of the stored picture goes in the upright one.
struct Turn {
  bool swap_sides, flip_x, flip_y;  // swap first, then flip in the upright picture's axes
};
constexpr Turn kTurns[9] = {
    {false, false, false},                                                                   // unused
    {false, false, false}, {false, true, false}, {false, true, true}, {false, false, true},  // 1 upright, 2 mirrored, 3 half turn, 4
    {true, false, false},  {true, true, false},  {true, true, true},  {true, false, true},   // 5 transposed, 6, 7, 8
};

template <std::size_t Channels>
void turn(const Pixels& source, Pixels& target, Turn how) {
  const std::ptrdiff_t step_x = Channels;
  const std::ptrdiff_t step_y = static_cast<std::ptrdiff_t>(target.width() * Channels);
  const std::ptrdiff_t right = how.flip_x ? -step_x : step_x;
  const std::ptrdiff_t down = how.flip_y ? -step_y : step_y;
  std::uint8_t* start = target.data();
  if (how.flip_x) start += (target.width() - 1) * Channels;
  if (how.flip_y) start += std::size_t{target.height() - 1} * target.width() * Channels;
  const std::ptrdiff_t per_x = how.swap_sides ? down : right;
  const std::ptrdiff_t per_y = how.swap_sides ? right : down;
  for (std::uint32_t y = 0; y < source.height(); ++y) {
    const std::uint8_t* from = source.row(y);
    std::uint8_t* to = start + per_y * static_cast<std::ptrdiff_t>(y);
    for (std::uint32_t x = 0; x < source.width(); ++x, from += Channels, to += per_x) put<Channels>(to, from);
  }
}

}  // namespace

Pixels::Pixels(Size size, std::uint32_t channels) : size_(size), channels_(channels) {
  MAGPIE_CHECK(channels == 1 || channels == 3 || channels == 4, "{} channels", channels);
  data_ = std::make_unique_for_overwrite<std::uint8_t[]>(bytes());
}

Pixels Pixels::copy() const {
  if (empty()) return {};
  Pixels out(size_, channels_);
  std::memcpy(out.data(), data(), bytes());
  return out;
}

Pixels flatten_on_white(PixelsView pixels) {
  Pixels out(pixels.size, 3);
  const std::size_t count = pixels.size.pixels();
  const std::uint8_t* from = pixels.data;
  std::uint8_t* to = out.data();
  switch (pixels.channels) {
    case 1:
      for (std::size_t i = 0; i < count; ++i, to += 3) to[0] = to[1] = to[2] = from[i];
      break;
    case 4:
      for (std::size_t i = 0; i < count; ++i, from += 4, to += 3) {
        for (std::size_t c = 0; c < 3; ++c) to[c] = on_white(from[c], from[3]);
      }
      break;
    default:
      if (count > 0) std::memcpy(to, from, count * 3);
  }
  return out;
}

Pixels flatten_on_white(Pixels pixels) {
  if (pixels.channels() == 3) return pixels;
  return flatten_on_white(pixels.view());
}

Pixels to_grey(PixelsView pixels) {
  if (pixels.channels == 4) return to_grey(flatten_on_white(pixels).view());
  Pixels out(pixels.size, 1);
  const std::size_t count = pixels.size.pixels();
  if (pixels.channels == 1) {
    if (count > 0) std::memcpy(out.data(), pixels.data, count);
    return out;
  }
  grey_of(pixels.data, count, out.data());
  return out;
}

Pixels upright(Pixels pixels, std::uint8_t orientation) {
  if (orientation < 2 || orientation > 8 || pixels.empty()) return pixels;
  const Turn how = kTurns[orientation];
  const Size size = how.swap_sides ? Size{pixels.height(), pixels.width()} : pixels.size();
  Pixels out(size, pixels.channels());
  switch (pixels.channels()) {
    case 1: turn<1>(pixels, out, how); break;
    case 3: turn<3>(pixels, out, how); break;
    default: turn<4>(pixels, out, how);
  }
  return out;
}

}  // namespace magpie::image
