// Windows bitmaps and icons. Layout as in the Windows SDK (wingdi.h: BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER ..
// BITMAPV5HEADER):
//   file   14 bytes  "BM", size, reserved, offset of the pixels             (absent in icons)
//   header 12..124   its own size first; width, height (negative: top row first), bits a pixel, compression, colours used, masks
//   palette          blue green red (and a fourth byte, but not behind a 12-byte header)
//   rows             padded to 4 bytes, bottom row first
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "image/bytes.h"
#include "image/decoders.h"
#include "image/sniff_boxes.h"

namespace magpie::image {
namespace {

enum Compression : std::uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kAlphaBitFields = 6 };

// One channel's bits in a 16- or 32-bit pixel.
struct Mask {
  std::uint32_t bits = 0;
  int shift = 0;
  std::uint32_t max = 0;

  static Mask of(std::uint32_t bits) {
    if (bits == 0) return {};
    const int shift = std::countr_zero(bits);
    return {bits, shift, bits >> shift};
  }
  std::uint8_t value(std::uint32_t pixel) const {
    if (max == 0) return 0;
    return static_cast<std::uint8_t>(std::uint64_t{(pixel & bits) >> shift} * 255 / max);
  }
};

struct Bitmap {
  Size size;
  bool top_down = false;
  std::uint32_t bits = 0;
  std::uint32_t compression = kPlain;
  Mask red, green, blue, alpha;
  std::vector<std::array<std::uint8_t, 3>> palette;
  std::uint64_t end_of_palette = 0;

  std::array<std::uint8_t, 3> colour(std::uint32_t index) const {
    return index < palette.size() ? palette[index] : std::array<std::uint8_t, 3>{};
  }
  std::uint64_t row_bytes() const { return (std::uint64_t{size.width} * bits + 31) / 32 * 4; }
};

bool is_supported(const Bitmap& bitmap) {
  switch (bitmap.compression) {
    case kPlain:
      return bitmap.bits == 1 || bitmap.bits == 2 || bitmap.bits == 4 || bitmap.bits == 8 || bitmap.bits == 16 || bitmap.bits == 24 ||
             bitmap.bits == 32;
    case kRle8: return bitmap.bits == 8 && !bitmap.top_down;
    case kRle4: return bitmap.bits == 4 && !bitmap.top_down;
    case kBitFields:
    case kAlphaBitFields: return bitmap.bits == 16 || bitmap.bits == 32;
    default: return false;
  }
}

void default_masks(Bitmap& bitmap) {
  const bool wide = bitmap.bits == 32;
  bitmap.red = Mask::of(wide ? 0xFF0000 : 0x7C00);
  bitmap.green = Mask::of(wide ? 0xFF00 : 0x3E0);
  bitmap.blue = Mask::of(wide ? 0xFF : 0x1F);
}

// `at` is where the masks start; returns the bytes that they take behind a 40-byte header.
std::uint64_t read_masks(Bitmap& bitmap, std::string_view dib, std::uint32_t header_bytes) {
  bitmap.red = Mask::of(le32(dib, 40));
  bitmap.green = Mask::of(le32(dib, 44));
  bitmap.blue = Mask::of(le32(dib, 48));
  const bool has_alpha = header_bytes >= 56 || bitmap.compression == kAlphaBitFields;
  if (has_alpha) bitmap.alpha = Mask::of(le32(dib, 52));
  if (header_bytes > 40) return 0;
  return has_alpha ? 16 : 12;
}

void read_palette(Bitmap& bitmap, std::string_view dib, std::uint64_t at, std::uint32_t colours_used, std::uint64_t entry_bytes,
                  std::uint64_t end) {
  bitmap.end_of_palette = at;
  if (bitmap.bits > 8) {
    bitmap.end_of_palette += std::min<std::uint64_t>(colours_used, 65'536) * entry_bytes;  // advice for old displays
    return;
  }
  const std::uint32_t possible = 1u << bitmap.bits;
  const std::uint32_t count = colours_used == 0 ? possible : std::min(colours_used, 256u);
  for (std::uint32_t i = 0; i < count && at + entry_bytes <= end && has(dib, at, entry_bytes); ++i, at += entry_bytes) {
    bitmap.palette.push_back({u8(dib, at + 2), u8(dib, at + 1), u8(dib, at)});
  }
  bitmap.end_of_palette = at;
}

// `pixels_at` bounds the palette: where the pixels start, counted from the header, or npos if they follow it.
Result<Bitmap> read_header(std::string_view dib, std::uint64_t pixels_at) {
  const std::uint32_t header_bytes = le32(dib, 0);
  if (header_bytes != 12 && header_bytes != 16 && header_bytes < 40) return fail(Code::kBadInput, "header of {} bytes", header_bytes);
  if (!has(dib, 0, header_bytes)) return fail(Code::kBadInput, "the file is cut off in its header");
  Bitmap bitmap;
  if (header_bytes == 12) {
    bitmap.size = {le16(dib, 4), le16(dib, 6)};
    bitmap.bits = le16(dib, 10);
    default_masks(bitmap);
    read_palette(bitmap, dib, 12, 0, 3, pixels_at);
  } else {
    const auto height = static_cast<std::int32_t>(le32(dib, 8));
    const auto width = static_cast<std::int32_t>(le32(dib, 4));
    if (width <= 0 || height == 0 || height == INT32_MIN) return fail(Code::kBadInput, "{} x {} px", width, height);
    bitmap.top_down = height < 0;
    bitmap.size = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height < 0 ? -height : height)};
    bitmap.bits = le16(dib, 14);
    bitmap.compression = header_bytes >= 40 ? le32(dib, 16) : 0;
    default_masks(bitmap);
    std::uint64_t palette_at = header_bytes;
    const bool has_masks = bitmap.compression == kBitFields || bitmap.compression == kAlphaBitFields;
    if (has_masks && header_bytes != 64) palette_at += read_masks(bitmap, dib, header_bytes);
    if (bitmap.bits <= 32) read_palette(bitmap, dib, palette_at, header_bytes >= 40 ? le32(dib, 32) : 0, 4, pixels_at);
    if (header_bytes == 64 && bitmap.compression > kRle4) bitmap.compression = UINT32_MAX;  // OS/2's own: Huffman, RLE24
  }
  if (!is_supported(bitmap))
    return fail(Code::kBadInput, "{} bits a pixel with compression {} is not supported", bitmap.bits, bitmap.compression);
  return bitmap;
}

void put_indexed_row(const Bitmap& bitmap, const std::uint8_t* from, std::uint8_t* to, std::uint32_t channels) {
  const std::uint32_t per_byte = 8 / bitmap.bits;
  const std::uint32_t low_bits = (1u << bitmap.bits) - 1;
  for (std::uint32_t x = 0; x < bitmap.size.width; ++x, to += channels) {
    const std::uint32_t shift = (per_byte - 1 - x % per_byte) * bitmap.bits;
    const std::array<std::uint8_t, 3> colour = bitmap.colour(from[x / per_byte] >> shift & low_bits);
    std::copy(colour.begin(), colour.end(), to);
    if (channels == 4) to[3] = 255;
  }
}

void put_direct_row(const Bitmap& bitmap, std::string_view row, std::uint8_t* to, std::uint32_t channels) {
  const std::uint32_t bytes = bitmap.bits / 8;
  for (std::uint32_t x = 0; x < bitmap.size.width; ++x, to += channels) {
    if (bytes == 3) {
      to[0] = u8(row, x * 3 + 2), to[1] = u8(row, x * 3 + 1), to[2] = u8(row, x * 3);
      if (channels == 4) to[3] = 255;
      continue;
    }
    const std::uint32_t pixel = bytes == 2 ? le16(row, std::uint64_t{x} * 2) : le32(row, std::uint64_t{x} * 4);
    to[0] = bitmap.red.value(pixel), to[1] = bitmap.green.value(pixel), to[2] = bitmap.blue.value(pixel);
    if (channels == 4) to[3] = bitmap.alpha.bits != 0 ? bitmap.alpha.value(pixel) : 255;
  }
}

Result<void> read_plain(const Bitmap& bitmap, std::string_view rows, Pixels& out, const DecodeLimits& limits) {
  const std::uint64_t row_bytes = bitmap.row_bytes();
  // Some writers leave out the last row's padding.
  const std::uint64_t needed = row_bytes * (bitmap.size.height - 1) + (std::uint64_t{bitmap.size.width} * bitmap.bits + 7) / 8;
  if (rows.size() < needed) return fail(Code::kBadInput, "the file is cut off");
  for (std::uint32_t i = 0; i < bitmap.size.height; ++i) {
    if (i % 256 == 0 && limits.deadline.passed()) return fail(Code::kTimeout, "decoding took too long");
    const std::string_view row = part(rows, i * row_bytes, row_bytes);
    std::uint8_t* to = out.row(bitmap.top_down ? i : bitmap.size.height - 1 - i);
    if (bitmap.bits <= 8) {
      put_indexed_row(bitmap, reinterpret_cast<const std::uint8_t*>(row.data()), to, out.channels());
    } else {
      put_direct_row(bitmap, row, to, out.channels());
    }
  }
  return {};
}

// Run-length pixels: pairs (count, value); count 0 escapes: 0 end of row, 1 end of picture, 2 move by (dx, dy), else that many literal
// pixels, padded to two bytes. Pixels passed over have index 0.
class RleReader {
 public:
  RleReader(const Bitmap& bitmap, std::string_view data, Pixels& out) : bitmap_(bitmap), data_(data), out_(out) {}

  void run() {
    while (has(data_, at_, 2) && y_ < bitmap_.size.height) {
      const std::uint32_t count = u8(data_, at_);
      const std::uint8_t value = u8(data_, at_ + 1);
      at_ += 2;
      if (count > 0) {
        for (std::uint32_t i = 0; i < count; ++i) put(index_in(value, i));
      } else if (!escape(value)) {
        return;
      }
    }
  }

 private:
  bool four_bits() const { return bitmap_.compression == kRle4; }
  std::uint8_t index_in(std::uint8_t byte, std::uint32_t i) const {
    if (!four_bits()) return byte;
    return i % 2 == 0 ? byte >> 4 : byte & 15;
  }
  void put(std::uint8_t index) {
    if (x_ >= bitmap_.size.width || y_ >= bitmap_.size.height) return;
    const std::array<std::uint8_t, 3> colour = bitmap_.colour(index);
    std::copy(colour.begin(), colour.end(), out_.row(bitmap_.size.height - 1 - y_) + std::size_t{x_} * out_.channels());
    ++x_;
  }
  bool escape(std::uint8_t code) {
    if (code == 0) {
      x_ = 0;
      ++y_;
    } else if (code == 1) {
      return false;
    } else if (code == 2) {
      x_ = std::min(x_ + u8(data_, at_), bitmap_.size.width);
      y_ += u8(data_, at_ + 1);
      at_ += 2;
    } else {
      for (std::uint32_t i = 0; i < code; ++i) put(index_in(u8(data_, at_ + (four_bits() ? i / 2 : i)), i));
      const std::uint64_t bytes = four_bits() ? (code + 1u) / 2 : code;
      at_ += bytes + bytes % 2;
    }
    return true;
  }

  const Bitmap& bitmap_;
  std::string_view data_;
  Pixels& out_;
  std::uint64_t at_ = 0;
  std::uint32_t x_ = 0;
  std::uint32_t y_ = 0;
};

void fill(Pixels& pixels, std::array<std::uint8_t, 3> colour) {
  for (std::uint64_t i = 0; i < pixels.size().pixels(); ++i) std::copy(colour.begin(), colour.end(), pixels.data() + i * pixels.channels());
}

// Sets the alpha of an icon from its mask: one bit a pixel, set where the background shows. A missing row leaves its pixels as they are.
void apply_icon_mask(Pixels& pixels, std::string_view mask) {
  const std::uint64_t row_bytes = (std::uint64_t{pixels.width()} + 31) / 32 * 4;
  for (std::uint32_t i = 0; i < pixels.height() && has(mask, i * row_bytes, row_bytes); ++i) {
    const std::string_view row = part(mask, i * row_bytes, row_bytes);
    std::uint8_t* to = pixels.row(pixels.height() - 1 - i);
    for (std::uint32_t x = 0; x < pixels.width(); ++x) {
      if ((u8(row, x / 8) >> (7 - x % 8) & 1) != 0) to[x * 4 + 3] = 0;
    }
  }
}

bool has_any_alpha(const Pixels& pixels) {
  for (std::uint64_t i = 0; i < pixels.size().pixels(); ++i) {
    if (pixels.data()[i * 4 + 3] != 0) return true;
  }
  return false;
}

void make_opaque(Pixels& pixels) {
  for (std::uint64_t i = 0; i < pixels.size().pixels(); ++i) pixels.data()[i * 4 + 3] = 255;
}

Result<Pixels> decode_icon_bitmap(std::string_view dib, const DecodeLimits& limits) {
  MAGPIE_TRY(Bitmap bitmap, read_header(dib, std::string_view::npos));
  bitmap.size.height /= 2;
  MAGPIE_TRY_DO(check_size(bitmap.size, limits));
  if (bitmap.compression == kRle4 || bitmap.compression == kRle8) return fail(Code::kBadInput, "an icon must not be run-length encoded");
  const bool may_have_alpha = bitmap.bits == 32;
  if (may_have_alpha && bitmap.alpha.bits == 0) bitmap.alpha = Mask::of(0xFF000000);
  const std::string_view rows = part(dib, bitmap.end_of_palette);
  Pixels pixels(bitmap.size, 4);
  MAGPIE_TRY_DO(read_plain(bitmap, rows, pixels, limits));
  if (may_have_alpha && has_any_alpha(pixels)) return pixels;
  make_opaque(pixels);
  apply_icon_mask(pixels, part(rows, bitmap.row_bytes() * bitmap.size.height));
  return pixels;
}

}  // namespace

Result<Pixels> decode_bmp(std::string_view bytes, const DecodeLimits& limits) {
  const std::uint32_t stated = le32(bytes, 10);
  const std::string_view dib = part(bytes, 14);
  const std::uint64_t pixels_at = stated > 14 ? stated - 14 : std::string_view::npos;
  MAGPIE_TRY(Bitmap bitmap, read_header(dib, pixels_at));
  MAGPIE_TRY_DO(check_size(bitmap.size, limits));
  const std::string_view rows = part(dib, pixels_at == std::string_view::npos ? bitmap.end_of_palette : pixels_at);

  if (bitmap.compression == kRle4 || bitmap.compression == kRle8) {
    // A run of 255 pixels takes two bytes, and a jump passes over more: so few bytes for so many pixels are refused as a bomb.
    if (rows.empty() || bitmap.size.pixels() / 4'096 > rows.size()) return fail(Code::kBadInput, "the file is cut off");
    Pixels pixels(bitmap.size, 3);
    fill(pixels, bitmap.colour(0));
    RleReader(bitmap, rows, pixels).run();
    return pixels;
  }
  Pixels pixels(bitmap.size, bitmap.alpha.bits != 0 ? 4 : 3);
  MAGPIE_TRY_DO(read_plain(bitmap, rows, pixels, limits));
  return pixels;
}

Result<Pixels> decode_ico(std::string_view bytes, const DecodeLimits& limits) {
  const IcoEntry entry = largest_ico_entry(bytes);
  if (entry.data.empty()) return fail(Code::kBadInput, "no picture inside");
  if (!entry.is_png) return decode_icon_bitmap(entry.data, limits);
  MAGPIE_TRY(Header header, sniff(entry.data));
  MAGPIE_TRY_DO(check_size(header.size, limits));
  return decode_with_vips(entry.data, header, limits, {});
}

}  // namespace magpie::image
