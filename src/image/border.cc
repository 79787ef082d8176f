#include "image/border.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace magpie::image {
namespace {

constexpr int kDifferenceMax = 10;     // of a channel, from the line's first pixel: what JPEG leaves at quality 75
constexpr double kOutliersMax = 0.01;  // of a line's pixels: speckles
constexpr double kLeftMin = 1.0 / 6;   // of a side

using Rgb3 = std::array<int, 3>;

struct Line {
  const std::uint8_t* first;
  std::size_t step;  // bytes from a pixel to the next
  std::uint32_t count;
};

Line row_of(PixelsView rgb, std::uint32_t y) { return {rgb.row(y), 3, rgb.size.width}; }
Line column_of(PixelsView rgb, std::uint32_t x) { return {rgb.data + std::size_t{x} * 3, rgb.row_bytes(), rgb.size.height}; }

Rgb3 middle_of(const Line& line) {
  const std::uint8_t* pixel = line.first + line.step * (line.count / 2);
  return {pixel[0], pixel[1], pixel[2]};
}

bool is_plain(const Line& line, const Rgb3& colour) {
  const auto outliers_max = static_cast<std::uint32_t>(kOutliersMax * line.count);
  std::uint32_t outliers = 0;
  const std::uint8_t* pixel = line.first;
  for (std::uint32_t i = 0; i < line.count; ++i, pixel += line.step) {
    for (std::size_t c = 0; c < 3; ++c) {
      if (std::abs(pixel[c] - colour[c]) <= kDifferenceMax) continue;
      if (++outliers > outliers_max) return false;
      break;
    }
  }
  return true;
}

// Lines from one side on that are all of the first one's colour.
template <typename LineAt>
std::uint32_t bars(std::uint32_t count, LineAt line_at) {
  const Rgb3 colour = middle_of(line_at(0));
  std::uint32_t plain = 0;
  while (plain < count && is_plain(line_at(plain), colour)) ++plain;
  return plain;
}

struct Side {
  std::uint32_t first = 0, count = 0;
};
Side left_between(std::uint32_t before, std::uint32_t after, std::uint32_t count) {
  if (before + after >= count || count - before - after < kLeftMin * count) return {0, count};
  return {before, count - before - after};
}

}  // namespace

Box within_border(PixelsView rgb) {
  const Size size = rgb.size;
  const Side down = left_between(bars(size.height, [&](std::uint32_t y) { return row_of(rgb, y); }),
                                 bars(size.height, [&](std::uint32_t y) { return row_of(rgb, size.height - 1 - y); }), size.height);
  const Side across = left_between(bars(size.width, [&](std::uint32_t x) { return column_of(rgb, x); }),
                                   bars(size.width, [&](std::uint32_t x) { return column_of(rgb, size.width - 1 - x); }), size.width);
  return {across.first, down.first, {across.count, down.count}};
}

}  // namespace magpie::image
