#pragma once
// The decoders behind decode.h, one .cc each. All take the whole file, keep the limits, and give the first frame as it is
// stored (not yet upright). Thread-safe. Errors: those of decode().
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/decode.h"
#include "image/pixels.h"

namespace magpie::image {

/// The header of a file that may be decoded. kTooLarge for one over a limit, kTimeout when the deadline has passed.
Result<Header> sniff_within(std::string_view bytes, const DecodeLimits& limits, const DecodeOptions& options);

/// kTooLarge if the size is over the limit, kBadInput if it is empty.
Result<void> check_size(Size size, const DecodeLimits& limits);

struct DecodedJpeg {
  Pixels pixels;        // RGB
  std::string profile;  // ICC, of the RGB that the pixels are in; empty if none, or if it is for CMYK or grey
};
/// libjpeg-turbo. Scaled by 1/2, 1/4 or 1/8 if `side_wanted` allows. CMYK and YCCK become RGB by ink on paper, without their profile.
Result<DecodedJpeg> decode_jpeg(std::string_view bytes, const DecodeLimits& limits, std::uint32_t side_wanted);

/// Windows and OS/2 bitmaps: 1, 2, 4, 8, 16, 24, 32 bits, bit fields, RLE4, RLE8. Alpha only where a mask for it is given.
Result<Pixels> decode_bmp(std::string_view bytes, const DecodeLimits& limits);
/// The largest picture of an icon or cursor file, with its transparency.
Result<Pixels> decode_ico(std::string_view bytes, const DecodeLimits& limits);

/// PNG, GIF, WebP, TIFF, AVIF, HEIC, SVG. Completes `header` where the loader knows better.
Result<Pixels> decode_with_vips(std::string_view bytes, Header& header, const DecodeLimits& limits, const DecodeOptions& options);

/// Takes a frame of an animation, as it is shown (not yet upright), and gives the number of the next one that is wanted. One that is
/// not behind `number` ends the reading.
using TakeFrame = std::function<std::uint32_t(std::uint32_t number, Pixels pixels)>;
/// The first `frames` frames of a GIF or WebP, in their order, beginning with number 0. An error ends the reading after what was taken.
Result<void> read_frames_with_vips(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options,
                                   std::uint32_t frames, const TakeFrame& take);
/// The same of an animated PNG, which libpng and so libvips take for a still: apng.cc laid out.
Result<void> read_apng_frames(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options,
                              std::uint32_t frames, const TakeFrame& take);

/// The same of an AVIF image sequence, through libavif: its track, whatever its primary item is. kUnavailable without libavif.
Result<void> read_avif_frames(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options,
                              std::uint32_t frames, const TakeFrame& take);
/// Opens libavif, once a process. kUnavailable if it is not there.
Result<void> open_libavif();

/// RGB(A) pixels from the given ICC profile to sRGB. Pixels come back unchanged if the profile is sRGB, damaged, or for other channels.
Pixels profile_to_srgb(Pixels pixels, const std::string& profile);

}  // namespace magpie::image
