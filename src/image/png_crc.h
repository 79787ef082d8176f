#pragma once
// The sums that PNG keeps behind each chunk. Inner part of sniffing and decoding.
#include <cstdint>
#include <string>
#include <string_view>

namespace magpie::image {

/// CRC-32 of ISO 3309 over a chunk's type and data. A byte at a time.
std::uint32_t png_crc(std::string_view bytes);

/// A copy whose pixel chunks (IDAT) all carry the right sum; nothing else changes. Pillow and browsers do not look at these sums, libpng
/// stops at a wrong one, and the compressed pixels carry a sum of their own.
std::string with_png_crcs_mended(std::string_view bytes);

}  // namespace magpie::image
