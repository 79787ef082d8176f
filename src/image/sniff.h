#pragma once
// What a picture file says about itself, read from its bytes by our own code, without decoding and without any library:
// the format from its signature, then size, frames, duration and orientation where they stand in headers or block lists.
// Sources: PNG 3rd edition (with APNG), JFIF/EXIF 2.32, GIF89a, RFC 9649 (WebP), BMP/ICO of the Windows SDK, TIFF 6.0,
// ISO 14496-12 and 23008-12 (AVIF, HEIC), SVG 2. Foreign bytes are bounded everywhere: nothing is read outside the view,
// every loop is limited by the bytes there are or by a constant.
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "image/pixels.h"

namespace magpie::image {

enum class Format : std::uint8_t {  // persisted: append only
  kUnknown = 0,
  kPng = 1,  // also animated PNG: then frames > 1
  kJpeg = 2,
  kGif = 3,
  kWebp = 4,
  kBmp = 5,
  kTiff = 6,
  kAvif = 7,
  kHeic = 8,
  kIco = 9,  // also Windows cursors
  kSvg = 10,
};

/// "png", "jpeg", ...; "unknown".
std::string_view to_string(Format format);
/// "image/png", "image/jpeg", "image/svg+xml", ...; "application/octet-stream" for kUnknown.
std::string_view media_type(Format format);

/// The format by signature alone; kUnknown if none fits. The first 4 KiB are enough. Thread-safe, no heap.
Format sniff_format(std::string_view bytes);

struct Header {
  Format format = Format::kUnknown;
  Size size;                              // the file's own, before orientation; 0 x 0 when only a decoder can tell (some SVG, broken files)
  std::uint32_t frames = 1;               // frames of an animation, pages of a TIFF; an ICO's alternatives count as one
  std::chrono::milliseconds duration{0};  // of an animation shown once, as the file says (browsers slow down frames of under 20 ms)
  std::uint32_t plays = 0;                // how many times an animation is shown; 0 without end, and for a still
  std::uint8_t orientation = 1;           // EXIF orientation 1..8; 1 for AVIF and HEIC, whose decoder already turns them
};

/// Whether it moves: several frames, and a format whose frames are shown one after the other.
constexpr bool is_animated(const Header& header) { return header.frames > 1 && header.format != Format::kTiff; }

/// Format, size, frames with their duration, orientation. `bytes` should be the whole file (animations are counted to its end); a cut-off
/// file gives what its beginning says. Errors: kBadInput for bytes of no known format, or a header that contradicts itself. Thread-safe, no
/// heap. Cost: headers and block lists only, pixel data is skipped over.
Result<Header> sniff(std::string_view bytes);

/// The EXIF orientation in a TIFF structure (what follows "Exif\0\0"); 1 if absent or damaged.
std::uint8_t exif_orientation(std::string_view tiff);

}  // namespace magpie::image
