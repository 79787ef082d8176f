#include "image/decode.h"

#include <algorithm>
#include <utility>

#include "image/decoders.h"

namespace magpie::image {
namespace {

Result<Pixels> decode_stored(std::string_view bytes, Header& header, const DecodeLimits& limits, const DecodeOptions& options) {
  switch (header.format) {
    case Format::kJpeg: {
      MAGPIE_TRY(DecodedJpeg jpeg, decode_jpeg(bytes, limits, options.side_wanted));
      if (!options.apply_profile) return std::move(jpeg.pixels);
      return profile_to_srgb(std::move(jpeg.pixels), jpeg.profile);
    }
    case Format::kBmp: return decode_bmp(bytes, limits);
    case Format::kIco: return decode_ico(bytes, limits);
    default: return decode_with_vips(bytes, header, limits, options);
  }
}

}  // namespace

Result<void> check_size(Size size, const DecodeLimits& limits) {
  if (size.pixels() == 0) return fail(Code::kBadInput, "the picture is {} x {} px", size.width, size.height);
  if (size.pixels() > limits.pixels_max) {
    return fail(Code::kTooLarge, "the picture has {} x {} px, over the limit of {} px", size.width, size.height, limits.pixels_max);
  }
  return {};
}

Result<Header> sniff_within(std::string_view bytes, const DecodeLimits& limits, const DecodeOptions& options) {
  if (bytes.size() > limits.bytes_max) {
    return fail(Code::kTooLarge, "the picture file has {} bytes, over the limit of {}", bytes.size(), limits.bytes_max);
  }
  MAGPIE_TRY(Header header, sniff(bytes));
  if (header.frames > limits.frames_max) {
    return fail(Code::kTooLarge, "the picture has {} frames, over the limit of {}", header.frames, limits.frames_max);
  }
  const bool is_drawn = header.format == Format::kSvg;  // its size is a wish; what is drawn is judged by its decoder
  if (header.size.pixels() > 0 && !(is_drawn && options.side_wanted > 0)) MAGPIE_TRY_DO(check_size(header.size, limits));
  if (limits.deadline.passed()) return fail(Code::kTimeout, "no time left to decode the picture");
  return header;
}

Result<Decoded> decode(std::string_view bytes, const DecodeLimits& limits, const DecodeOptions& options) {
  MAGPIE_TRY(Header header, sniff_within(bytes, limits, options));
  auto stored = decode_stored(bytes, header, limits, options);
  if (!stored) return fail(std::move(stored.error()), to_string(header.format));
  return Decoded{header, upright(std::move(*stored), header.orientation)};
}

}  // namespace magpie::image
