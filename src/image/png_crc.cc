#include "image/png_crc.h"

#include <array>

#include "image/bytes.h"

namespace magpie::image {

namespace {

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
    table[byte] = crc;
  }
  return table;
}();

}  // namespace

std::uint32_t png_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFF];
  return ~crc;
}

std::string with_png_crcs_mended(std::string_view bytes) {
  std::string mended(bytes);
  for (std::uint64_t at = 8; has(bytes, at, 12);) {
    const std::uint64_t length = be32(bytes, at);
    if (!has(bytes, at, 12 + length)) break;
    if (part(bytes, at + 4, 4) == "IDAT") {
      const std::uint32_t crc = png_crc(part(bytes, at + 4, 4 + length));
      for (int i = 0; i < 4; ++i) mended[at + 8 + length + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
    at += 12 + length;
  }
  return mended;
}

}  // namespace magpie::image
