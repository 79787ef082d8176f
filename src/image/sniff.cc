#include "image/sniff.h"

#include <algorithm>
#include <array>

#include "image/bytes.h"
#include "image/png_crc.h"
#include "image/sniff_boxes.h"
#include "image/sniff_svg.h"

namespace magpie::image {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n"sv;
constexpr std::string_view kExifPrefix = "Exif\0\0"sv;
constexpr std::uint32_t kTiffPagesMax = 100'000;

bool is_bmp(std::string_view bytes) {
  if (!bytes.starts_with("BM")) return false;
  const std::uint32_t header = le32(bytes, 14);
  return header == 12 || header == 16 || header == 64 || (header >= 40 && header <= 124);
}

bool is_ico(std::string_view bytes) {
  if (!bytes.starts_with("\0\0\1\0"sv) && !bytes.starts_with("\0\0\2\0"sv)) return false;
  const std::uint32_t count = le16(bytes, 4);
  return count > 0 && le32(bytes, 6 + 8) > 0 && le32(bytes, 6 + 12) >= 6 + 16 * std::uint64_t{count};
}

bool is_tiff(std::string_view bytes) {
  return bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv) || bytes.starts_with("II+\0\x08\0"sv) ||
         bytes.starts_with("MM\0+\0\x08"sv);
}

// In microseconds, of a frame control chunk: a fraction of a second, whose denominator 0 stands for 100.
std::uint64_t apng_delay(std::string_view control) {
  const std::uint64_t denominator = be16(control, 22);
  return be16(control, 20) * std::uint64_t{1'000'000} / (denominator == 0 ? 100 : denominator);
}

Result<Header> sniff_png(std::string_view bytes) {
  Header header{.format = Format::kPng};
  if (part(bytes, 12, 4) != "IHDR" || be32(bytes, 8) != 13 || !has(bytes, 16, 17))
    return fail(Code::kBadInput, "PNG without a header chunk");
  if (png_crc(part(bytes, 12, 17)) != be32(bytes, 29)) return fail(Code::kBadInput, "PNG header chunk is damaged (CRC)");
  header.size = {be32(bytes, 16), be32(bytes, 20)};
  std::uint64_t microseconds = 0;
  // Chunks: length, type, data, CRC. Animation control and EXIF may stand anywhere before the pixels, EXIF also behind them.
  for (std::uint64_t at = 33; has(bytes, at, 12);) {
    const std::uint32_t length = be32(bytes, at);
    const std::string_view type = part(bytes, at + 4, 4);
    if (type == "IEND") break;
    if (type == "acTL" && length >= 8) {
      header.frames = std::max(1u, be32(bytes, at + 8));
      header.plays = be32(bytes, at + 12);
    }
    if (type == "fcTL") microseconds += apng_delay(part(bytes, at + 8, length));
    if (type == "eXIf" && has(bytes, at + 8, length)) header.orientation = exif_orientation(part(bytes, at + 8, length));
    at += 12 + std::uint64_t{length};
  }
  header.duration = std::chrono::milliseconds(microseconds / 1'000);
  return header;
}

bool is_start_of_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Result<Header> sniff_jpeg(std::string_view bytes) {
  Header header{.format = Format::kJpeg};
  bool oriented = false;
  std::uint64_t at = 2;
  while (has(bytes, at, 4)) {
    if (u8(bytes, at) != 0xFF) {
      ++at;  // decoders look for the next marker too
      continue;
    }
    const std::uint8_t marker = u8(bytes, at + 1);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
      at += 2;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    const std::string_view segment = part(bytes, at + 4, std::max<int>(be16(bytes, at + 2), 2) - 2);
    if (is_start_of_frame(marker) && header.size.width == 0) header.size = {be16(segment, 3), be16(segment, 1)};
    if (marker == 0xE1 && !oriented && segment.starts_with(kExifPrefix)) {
      header.orientation = exif_orientation(segment.substr(kExifPrefix.size()));
      oriented = true;
    }
    at += 2 + std::max<std::uint64_t>(be16(bytes, at + 2), 2);
  }
  return header;
}

// Past a chain of length-prefixed GIF sub-blocks.
std::uint64_t after_gif_blocks(std::string_view bytes, std::uint64_t at) {
  while (has(bytes, at, 1)) {
    const std::uint8_t length = u8(bytes, at);
    at += 1 + std::uint64_t{length};
    if (length == 0) break;
  }
  return at;
}

std::uint64_t gif_table_bytes(std::uint8_t flags) { return (flags & 0x80) != 0 ? 3u << ((flags & 7) + 1) : 0; }

// What an extension block says of the animation: a frame's delay in hundredths of a second, or how often all is shown again.
void read_gif_extension(std::string_view block, Header& header) {
  constexpr std::string_view kLoop = "\x21\xFF\x0BNETSCAPE2.0\x03\x01"sv;
  if (block.starts_with("\x21\xF9\x04"sv)) header.duration += std::chrono::milliseconds(10 * le16(block, 4));
  if (!block.starts_with(kLoop)) return;
  const std::uint32_t again = le16(block, kLoop.size());
  header.plays = again == 0 ? 0 : again + 1;
}

Result<Header> sniff_gif(std::string_view bytes) {
  Header header{.format = Format::kGif, .size = {le16(bytes, 6), le16(bytes, 8)}, .frames = 0, .plays = 1};
  std::uint64_t at = 13 + gif_table_bytes(u8(bytes, 10));
  while (has(bytes, at, 1)) {
    const std::uint8_t kind = u8(bytes, at);
    if (kind == 0x21) {
      read_gif_extension(part(bytes, at), header);
      at = after_gif_blocks(bytes, at + 2);
    } else if (kind == 0x2C && has(bytes, at, 10)) {
      // A first frame that sticks out of the screen makes the picture larger, for Pillow and libnsgif alike.
      if (++header.frames == 1) {
        header.size.width = std::max<std::uint32_t>(header.size.width, le16(bytes, at + 1) + le16(bytes, at + 5));
        header.size.height = std::max<std::uint32_t>(header.size.height, le16(bytes, at + 3) + le16(bytes, at + 7));
      }
      at = after_gif_blocks(bytes, at + 11 + gif_table_bytes(u8(bytes, at + 9)));
    } else {
      break;  // the trailer, or bytes that no decoder goes past either
    }
  }
  header.frames = std::max(1u, header.frames);
  return header;
}

Result<Header> sniff_webp(std::string_view bytes) {
  Header header{.format = Format::kWebp, .frames = 0};
  for (std::uint64_t at = 12; has(bytes, at, 8);) {
    const std::string_view type = part(bytes, at, 4);
    const std::uint64_t length = le32(bytes, at + 4);
    const std::string_view data = part(bytes, at + 8, length);
    const bool size_known = header.size.width > 0;
    if (type == "VP8X") header.size = {le24(data, 4) + 1, le24(data, 7) + 1};
    if (type == "VP8 " && !size_known) header.size = {le16(data, 6) & 0x3FFFu, le16(data, 8) & 0x3FFFu};
    if (type == "VP8L" && !size_known) header.size = {(le32(data, 1) & 0x3FFF) + 1, (le32(data, 1) >> 14 & 0x3FFF) + 1};
    if (type == "ANIM") header.plays = le16(data, 4);
    if (type == "ANMF") {
      ++header.frames;
      header.duration += std::chrono::milliseconds(le24(data, 12));
    }
    if (type == "EXIF") header.orientation = exif_orientation(data.starts_with(kExifPrefix) ? data.substr(kExifPrefix.size()) : data);
    at += 8 + length + (length & 1);
  }
  header.frames = std::max(1u, header.frames);
  return header;
}

Result<Header> sniff_bmp(std::string_view bytes) {
  if (le32(bytes, 14) == 12) return Header{.format = Format::kBmp, .size = {le16(bytes, 18), le16(bytes, 20)}};
  const auto width = static_cast<std::int32_t>(le32(bytes, 18));
  const auto height = static_cast<std::int32_t>(le32(bytes, 22));
  if (width <= 0 || height == 0 || height == INT32_MIN) return fail(Code::kBadInput, "BMP of {} x {} px", width, height);
  return Header{.format = Format::kBmp,
                .size = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height < 0 ? -height : height)}};
}

Result<Header> sniff_ico(std::string_view bytes) {
  Header header{.format = Format::kIco};
  const IcoEntry entry = largest_ico_entry(bytes);
  header.size = entry.size;
  return header;
}

// TIFF and BigTIFF in either byte order; the numbers of a TIFF differ only in width.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")), big_(u16(2) == 43) {}

  std::uint16_t u16(std::uint64_t at) const { return little_ ? le16(bytes_, at) : be16(bytes_, at); }
  std::uint32_t u32(std::uint64_t at) const { return little_ ? le32(bytes_, at) : be32(bytes_, at); }
  std::uint64_t u64(std::uint64_t at) const { return little_ ? le64(bytes_, at) : be64(bytes_, at); }

  std::uint64_t first_directory() const { return big_ ? u64(8) : u32(4); }
  bool has_directory(std::uint64_t at) const { return at > 0 && has(bytes_, at, big_ ? 8 : 2); }
  std::uint64_t entries(std::uint64_t directory) const { return std::min<std::uint64_t>(big_ ? u64(directory) : u16(directory), 65'535); }
  std::uint64_t next_directory(std::uint64_t directory) const {
    const std::uint64_t at = directory + (big_ ? 8 + 20 * entries(directory) : 2 + 12 * entries(directory));
    return big_ ? u64(at) : u32(at);
  }
  // The first value of a SHORT or LONG tag, 0 if absent.
  std::uint32_t value(std::uint64_t directory, std::uint16_t tag) const {
    const std::uint64_t entry_bytes = big_ ? 20 : 12;
    std::uint64_t at = directory + (big_ ? 8 : 2);
    for (std::uint64_t left = entries(directory); left > 0 && has(bytes_, at, entry_bytes); --left, at += entry_bytes) {
      if (u16(at) != tag) continue;
      const std::uint64_t value_at = at + (big_ ? 12 : 8);
      return u16(at + 2) == 3 ? u16(value_at) : u32(value_at);
    }
    return 0;
  }

 private:
  std::string_view bytes_;
  bool little_;
  bool big_;
};

Result<Header> sniff_tiff(std::string_view bytes) {
  const TiffReader tiff(bytes);
  const std::uint64_t first = tiff.first_directory();
  if (!tiff.has_directory(first)) return fail(Code::kBadInput, "TIFF without a directory");
  Header header{.format = Format::kTiff, .size = {tiff.value(first, 256), tiff.value(first, 257)}};
  const std::uint32_t orientation = tiff.value(first, 274);
  if (orientation >= 1 && orientation <= 8) header.orientation = static_cast<std::uint8_t>(orientation);
  // Each directory takes at least 6 bytes, so a chain longer than that is a loop; the constant bounds the time.
  const std::uint64_t pages_max = std::min<std::uint64_t>(bytes.size() / 6 + 1, kTiffPagesMax);
  for (std::uint64_t at = tiff.next_directory(first); tiff.has_directory(at); at = tiff.next_directory(at)) {
    if (++header.frames > pages_max) return fail(Code::kBadInput, "TIFF with an endless chain of directories");
  }
  return header;
}

}  // namespace

std::string_view to_string(Format format) {
  constexpr std::array<std::string_view, 11> kNames = {"unknown", "png",  "jpeg", "gif", "webp", "bmp",
                                                       "tiff",    "avif", "heic", "ico", "svg"};
  return kNames[static_cast<std::size_t>(format)];
}

std::string_view media_type(Format format) {
  constexpr std::array<std::string_view, 11> kTypes = {"application/octet-stream",
                                                       "image/png",
                                                       "image/jpeg",
                                                       "image/gif",
                                                       "image/webp",
                                                       "image/bmp",
                                                       "image/tiff",
                                                       "image/avif",
                                                       "image/heic",
                                                       "image/vnd.microsoft.icon",
                                                       "image/svg+xml"};
  return kTypes[static_cast<std::size_t>(format)];
}

Format sniff_format(std::string_view bytes) {
  if (bytes.starts_with(kPngSignature)) return Format::kPng;
  if (bytes.starts_with("\xFF\xD8\xFF")) return Format::kJpeg;
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return Format::kGif;
  if (bytes.starts_with("RIFF") && part(bytes, 8, 4) == "WEBP") return Format::kWebp;
  if (is_tiff(bytes)) return Format::kTiff;
  if (part(bytes, 4, 4) == "ftyp") return format_of_boxes(bytes);
  if (is_bmp(bytes)) return Format::kBmp;
  if (is_ico(bytes)) return Format::kIco;
  if (find_svg_root(bytes) != std::string_view::npos) return Format::kSvg;
  return Format::kUnknown;
}

namespace {

Result<Header> sniff_as_stored(std::string_view bytes) {
  switch (sniff_format(bytes)) {
    case Format::kPng: return sniff_png(bytes);
    case Format::kJpeg: return sniff_jpeg(bytes);
    case Format::kGif: return sniff_gif(bytes);
    case Format::kWebp: return sniff_webp(bytes);
    case Format::kBmp: return sniff_bmp(bytes);
    case Format::kTiff: return sniff_tiff(bytes);
    case Format::kAvif:
    case Format::kHeic: return sniff_boxes(bytes);
    case Format::kIco: return sniff_ico(bytes);
    case Format::kSvg: return Header{.format = Format::kSvg, .size = svg_size(bytes)};
    case Format::kUnknown: break;
  }
  return fail(Code::kBadInput, "no known picture format");
}

}  // namespace

Result<Header> sniff(std::string_view bytes) {
  if (bytes.empty()) return fail(Code::kBadInput, "the picture is empty");
  MAGPIE_TRY(Header header, sniff_as_stored(bytes));
  if (!is_animated(header)) {
    header.duration = {};
    header.plays = 0;
  }
  return header;
}

std::uint8_t exif_orientation(std::string_view tiff) {
  if (!is_tiff(tiff)) return 1;
  const TiffReader reader(tiff);
  const std::uint64_t first = reader.first_directory();
  if (!reader.has_directory(first)) return 1;
  const std::uint32_t orientation = reader.value(first, 274);
  return orientation >= 1 && orientation <= 8 ? static_cast<std::uint8_t>(orientation) : 1;
}

IcoEntry largest_ico_entry(std::string_view bytes) {
  IcoEntry best;
  const std::uint32_t count = le16(bytes, 4);
  for (std::uint32_t i = 0; i < count && has(bytes, 6 + 16 * i, 16); ++i) {
    const std::uint64_t at = 6 + 16 * std::uint64_t{i};
    const std::string_view data = part(bytes, le32(bytes, at + 12), le32(bytes, at + 8));
    IcoEntry entry{.data = data, .is_png = data.starts_with(kPngSignature), .bits_per_pixel = le16(bytes, at + 6)};
    if (entry.is_png) {
      entry.size = {be32(data, 16), be32(data, 20)};
    } else if (le32(data, 0) >= 40) {
      entry.size = {le32(data, 4), le32(data, 8) / 2};  // the height counts colour and mask rows
      entry.bits_per_pixel = le16(data, 14);
    } else {
      continue;  // no bitmap
    }
    const auto rank = [](const IcoEntry& e) { return std::pair(e.size.pixels(), e.bits_per_pixel); };
    if (best.data.empty() || rank(entry) > rank(best)) best = entry;
  }
  return best;
}

}  // namespace magpie::image
