#include "image/picture.h"

#include <algorithm>
#include <utility>

#include "image/animation.h"
#include "image/encode.h"
#include "image/resize.h"

namespace magpie::image {
namespace {

Result<Variant> encode_variant(PixelsView pixels, int quality) {
  MAGPIE_TRY(std::string jpeg, encode_jpeg(pixels, quality));
  return Variant{pixels.size, std::move(jpeg)};
}

// pHash and dHash average so many pixels that a quarter of a thumbnail would do; PDQ looks closer.
void put_hashes(PixelsView thumbnail, PixelsView preview, AnalysedPicture& picture) {
  const Pixels grey = to_grey(thumbnail);
  picture.turns = pdq_turns(preview);
  picture.hashes = {phash(grey.view()), dhash(grey.view()), picture.turns.hashes[0], picture.turns.quality};
}

Pixels at_most(Pixels pixels, std::uint32_t side) {
  const Size target = fit_within(pixels.size(), side);
  return target == pixels.size() ? std::move(pixels) : resize_area(pixels.view(), target);
}

bool is_within(Size size, std::uint32_t side) { return std::max(size.width, size.height) <= side; }

// By its header: false when that does not tell.
bool gets_no_preview(std::string_view bytes, const PictureOptions& options) {
  const auto header = sniff(bytes);
  return header && header->size.pixels() > 0 && is_within(header->size, options.preview_side);
}

}  // namespace

Result<AnalysedPicture> analyse_picture(std::string_view bytes, const DecodeLimits& limits, const PictureOptions& options) {
  const std::uint32_t side = std::max(options.preview_side, options.thumbnail_side);
  const std::uint32_t side_wanted = !options.wants_pixels && gets_no_preview(bytes, options) ? options.thumbnail_side : side;
  MAGPIE_TRY(Shown shown, decode_shown(bytes, limits, {.side_wanted = side_wanted}, kOtherFrames));
  Pixels preview = at_most(std::move(shown.still.pixels), side);

  AnalysedPicture picture{.header = shown.still.header};
  for (Pixels& frame : shown.others) picture.other_frames.push_back(flatten_on_white(std::move(frame)));
  if (options.pixels_only) {
    picture.pixels = flatten_on_white(std::move(preview));
    return picture;
  }
  const Pixels thumbnail = shrink_to_fit(preview.view(), options.thumbnail_side);  // keeps the alpha that colours need
  picture.pixels = flatten_on_white(std::move(preview));
  put_hashes(thumbnail.view(), picture.pixels.view(), picture);
  picture.colours = colours_of(thumbnail.view());
  picture.colour_grid = colour_grid(thumbnail.view());
  MAGPIE_TRY(picture.thumbnail, encode_variant(thumbnail.view(), options.quality));
  if (!is_within(picture.header.size, options.preview_side)) {
    MAGPIE_TRY(picture.preview, encode_variant(picture.pixels.view(), options.quality));
  }
  return picture;
}

Result<Variant> make_variant(std::string_view bytes, std::uint32_t side, const DecodeLimits& limits, int quality) {
  MAGPIE_TRY(Shown shown, decode_shown(bytes, limits, {.side_wanted = side}));
  const Pixels pixels = at_most(std::move(shown.still.pixels), side);
  return encode_variant(pixels.view(), quality);
}

}  // namespace magpie::image
