#pragma once
// Pictures that tests make for themselves.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include "image/pixels.h"

namespace magpie::image {

inline Pixels filled(Size size, std::uint32_t channels, std::initializer_list<int> colour) {
  Pixels pixels(size, channels);
  for (std::uint64_t i = 0; i < size.pixels(); ++i) {
    std::uint32_t c = 0;
    for (const int value : colour) pixels.data()[i * channels + c++] = static_cast<std::uint8_t>(value);
  }
  return pixels;
}

/// Smooth coloured waves: enough structure for every hash, and it survives JPEG.
inline Pixels waves(Size size) {
  Pixels pixels(size, 3);
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      const std::uint32_t u = x * 256 / size.width, v = y * 256 / size.height;
      const auto tent = [](std::uint32_t t) { return static_cast<std::uint8_t>((t & 255) < 128 ? (t & 127) * 2 : 254 - (t & 127) * 2); };
      std::uint8_t* p = pixels.row(y) + std::size_t{x} * 3;
      p[0] = tent(u * 3 + v), p[1] = tent(v * 5 + u / 2), p[2] = tent(u + u * v / 64);
    }
  }
  return pixels;
}

/// Discs and boxes in many colours, another arrangement for each seed: what a photograph has for whoever looks for corners.
inline Pixels scene(Size size, std::uint32_t seed) {
  Pixels pixels = filled(size, 3, {120, 130, 140});
  std::mt19937 random(seed);
  for (int shape = 0; shape < 60; ++shape) {
    const std::uint32_t side = size.width / 20 + random() % (size.width / 6);
    const std::uint32_t left = random() % size.width, top = random() % size.height, kind = random() % 2, colour = random();
    for (std::uint32_t y = top; y < std::min(top + side, size.height); ++y) {
      for (std::uint32_t x = left; x < std::min(left + side, size.width); ++x) {
        const std::uint32_t dx = 2 * (x - left) > side ? 2 * (x - left) - side : side - 2 * (x - left);
        const std::uint32_t dy = 2 * (y - top) > side ? 2 * (y - top) - side : side - 2 * (y - top);
        if (kind == 0 && dx * dx + dy * dy > side * side) continue;
        for (std::uint32_t c = 0; c < 3; ++c) pixels.row(y)[3 * x + c] = static_cast<std::uint8_t>(colour >> (8 * c));
      }
    }
  }
  return pixels;
}

inline std::string le(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return out;
}
inline std::string be(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes; i-- > 0;) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return out;
}

/// A BMP of 24 bits: the pixels as they are, without their alpha.
inline std::string bmp(const Pixels& pixels) {
  std::string rows;
  for (std::uint32_t y = pixels.height(); y-- > 0;) {
    for (std::uint32_t x = 0; x < pixels.width(); ++x) {
      const std::uint8_t* at = pixels.row(y) + x * pixels.channels();
      for (const int c : {2, 1, 0}) rows += static_cast<char>(at[c]);
    }
    rows.resize((rows.size() + 3) / 4 * 4);
  }
  return "BM" + le(54 + rows.size(), 4) + le(0, 4) + le(54, 4) + le(40, 4) + le(pixels.width(), 4) + le(pixels.height(), 4) + le(1, 2) +
         le(24, 2) + le(0, 4) + le(rows.size(), 4) + le(0, 16) + rows;
}

/// A BMP of 2 x 2: bottom row red, green; top row blue, white.
inline std::string small_bmp() {
  return "BM" + le(70, 4) + le(0, 4) + le(54, 4) + le(40, 4) + le(2, 4) + le(2, 4) + le(1, 2) + le(24, 2) + le(0, 4) + le(16, 4) +
         le(0, 16) + std::string("\x00\x00\xFF\x00\xFF\x00\x00\x00\xFF\x00\x00\xFF\xFF\xFF\x00\x00", 16);
}

/// EXIF in TIFF form with nothing but an orientation.
inline std::string exif_with(int orientation) {
  return std::string("MM\0*\0\0\0\x08", 8) + be(1, 2) + be(274, 2) + be(3, 2) + be(1, 4) + be(static_cast<std::uint64_t>(orientation), 2) +
         be(0, 2) + be(0, 4);
}

/// The JPEG with an EXIF segment behind its start marker.
inline std::string with_orientation(const std::string& jpeg, int orientation) {
  const std::string exif = std::string("Exif\0\0", 6) + exif_with(orientation);
  return jpeg.substr(0, 2) + "\xFF\xE1" + be(exif.size() + 2, 2) + exif + jpeg.substr(2);
}

}  // namespace magpie::image
