#pragma once
// Inner parts of sniff.h that are shared with decoders or large enough for a file of their own.
#include <string_view>

#include "image/sniff.h"

namespace magpie::image {

/// kAvif, kHeic or kUnknown, by the brands of the leading ftyp box (ISO 14496-12).
Format format_of_boxes(std::string_view bytes);
/// Header of an AVIF or HEIC file: the primary item's ispe property, or the largest one if it has none; the number of samples of an image
/// sequence, and its size where no item has one.
Result<Header> sniff_boxes(std::string_view bytes);

/// One picture in an ICO or CUR file. `data` is empty if the file has none that a decoder could read.
struct IcoEntry {
  std::string_view data;
  bool is_png = false;
  std::uint32_t bits_per_pixel = 0;
  Size size;
};
/// The one with most pixels, then most colours. Sizes come from the picture itself, not from the directory, which often lies.
IcoEntry largest_ico_entry(std::string_view bytes);

}  // namespace magpie::image
