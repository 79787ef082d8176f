#pragma once
// From a picture file's bytes to upright 8-bit pixels, within limits on pixels, bytes and time.
// JPEG goes to libjpeg-turbo directly (scaled in the DCT when a smaller picture is enough), BMP and ICO to our own decoders,
// PNG, GIF, WebP, AVIF, HEIC, TIFF and SVG to libvips, whose other loaders (ImageMagick, PDF, OpenSlide, MATLAB, ...) are blocked.
// C libraries parse foreign bytes here: run it in a worker process with resource limits; this code keeps every limit it can
// keep by itself, but a loader that spins inside one call (a hostile SVG) is only ended from outside.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "image/pixels.h"
#include "image/sniff.h"

namespace magpie::image {

struct DecodeLimits {
  std::uint64_t pixels_max = 100'000'000;  // of one frame, by the file's own size; also bounds memory: about 8 bytes a pixel at worst
  std::uint32_t frames_max = 100'000;      // of the file: few are decoded, but loaders list all of them
  // Of an animation only a beginning is looked at, as far as both of these reach (animation.h): they bound its time.
  std::uint32_t frames_read_max = 1'000;
  std::uint64_t frame_pixels_read_max = 32'000'000;  // of those frames together, each as large as the picture
  std::size_t bytes_max = 64 * 1024 * 1024;          // of the file
  Deadline deadline = Deadline::never();
};

struct DecodeOptions {
  /// Pixels that the longer side needs; 0 for all there are. A larger JPEG, WebP or SVG may then be decoded at a smaller
  /// scale, never below this; other formats come at full size. An SVG is drawn at this size even if it says it is smaller.
  std::uint32_t side_wanted = 0;
  /// Colour profiles (ICC) are converted to sRGB. Off for hashes that must equal those of programs that ignore profiles.
  bool apply_profile = true;
};

struct Decoded {
  Header header;  // as sniff() gives it, completed by what the decoder found (an SVG's size)
  Pixels pixels;  // first frame, upright, sRGB: 3 channels, or 4 where the file has transparency
};

/// Decodes the first frame. `bytes` is the whole file, borrowed for the call.
/// Errors: kBadInput (no picture, broken or cut off), kTooLarge (over a limit), kTimeout (deadline), kInternal (library).
/// Thread-safe. Cost, one core: a 1.2 MP JPEG about 10 ms at full size, less when scaled.
Result<Decoded> decode(std::string_view bytes, const DecodeLimits& limits = {}, const DecodeOptions& options = {});

/// Starts libvips (one thread an operation, no cache, blocked loaders) and opens libavif. decode() does it at first use; a sandboxed worker
/// calls it before it locks itself in, since libvips then opens its modules. kUnavailable if libvips does not start.
Result<void> start_decoders();

}  // namespace magpie::image
