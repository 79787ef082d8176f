#include "image/sniff_boxes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "image/bytes.h"

namespace magpie::image {
namespace {

constexpr int kBoxesMax = 4'096;  // of one level; real files have a few dozen
constexpr std::uint32_t kItemsMax = 65'536;

struct Box {
  std::string_view type;
  std::string_view data;
  std::uint64_t bytes = 0;  // with its header
};

std::optional<Box> box_at(std::string_view bytes, std::uint64_t at) {
  if (!has(bytes, at, 8)) return std::nullopt;
  std::uint64_t size = be32(bytes, at);
  std::uint64_t header = 8;
  if (size == 1) {
    size = be64(bytes, at + 8);
    header = 16;
  } else if (size == 0) {
    size = bytes.size() - at;
  }
  if (size < header || size > UINT64_MAX / 4) return std::nullopt;
  return Box{part(bytes, at + 4, 4), part(bytes, at + header, size - header), size};
}

// Calls `see` for each child box until it returns true.
template <class See>
void each_box(std::string_view bytes, See&& see) {
  std::uint64_t at = 0;
  for (int count = 0; count < kBoxesMax; ++count) {
    const std::optional<Box> box = box_at(bytes, at);
    if (!box || see(*box)) return;
    at += box->bytes;
  }
}

std::string_view child(std::string_view bytes, std::string_view type) {
  std::string_view found;
  each_box(bytes, [&](const Box& box) {
    if (box.type != type) return false;
    found = box.data;
    return true;
  });
  return found;
}

template <std::size_t N>
std::string_view descend(std::string_view bytes, const std::array<std::string_view, N>& path) {
  for (const std::string_view type : path) bytes = child(bytes, type);
  return bytes;
}

std::uint32_t primary_item(std::string_view meta_children) {
  const std::string_view pitm = child(meta_children, "pitm");
  return u8(pitm, 0) == 0 ? be16(pitm, 4) : be32(pitm, 4);
}

// The size in property number `wanted` (from 1) of an ipco box, if that is an ispe.
std::optional<Size> ispe_at(std::string_view ipco, std::uint32_t wanted) {
  std::optional<Size> found;
  std::uint32_t number = 0;
  each_box(ipco, [&](const Box& box) {
    if (++number != wanted) return false;
    if (box.type == "ispe") found = Size{be32(box.data, 4), be32(box.data, 8)};
    return true;
  });
  return found;
}

Size largest_ispe(std::string_view ipco) {
  Size largest;
  each_box(ipco, [&](const Box& box) {
    if (box.type != "ispe") return false;
    const Size size{be32(box.data, 4), be32(box.data, 8)};
    if (size.pixels() > largest.pixels()) largest = size;
    return false;
  });
  return largest;
}

// ipma: version and flags, count, then per item: id, number of associations, and as many property numbers with a top bit for "essential".
std::optional<Size> item_size(std::string_view ipco, std::string_view ipma, std::uint32_t item) {
  const bool wide_ids = u8(ipma, 0) >= 1;
  const bool wide_numbers = (u8(ipma, 3) & 1) != 0;
  std::uint64_t at = 8;
  const std::uint32_t items = std::min(be32(ipma, 4), kItemsMax);
  for (std::uint32_t i = 0; i < items && has(ipma, at, 3); ++i) {
    const std::uint32_t id = wide_ids ? be32(ipma, at) : be16(ipma, at);
    at += wide_ids ? 4 : 2;
    const std::uint32_t associations = u8(ipma, at++);
    for (std::uint32_t k = 0; k < associations; ++k, at += wide_numbers ? 2 : 1) {
      if (id != item) continue;
      const std::uint32_t number = wide_numbers ? be16(ipma, at) & 0x7FFF : u8(ipma, at) & 0x7F;
      if (const std::optional<Size> size = ispe_at(ipco, number)) return size;
    }
  }
  return std::nullopt;
}

constexpr std::array<std::string_view, 4> kSampleTable = {"mdia", "minf", "stbl", "stsz"};
constexpr std::array<std::string_view, 4> kSampleDescriptions = {"mdia", "minf", "stbl", "stsd"};
constexpr std::array<std::string_view, 2> kMediaHeader = {"mdia", "mdhd"};
constexpr std::array<std::string_view, 2> kEditList = {"edts", "elst"};

// A duration that the box's version 0 has in 32 bits and version 1 in 64, all ones standing for no end.
std::uint64_t duration_at(std::string_view box, std::uint64_t narrow_at, std::uint64_t wide_at) {
  if (u8(box, 0) == 1) return be64(box, wide_at);
  const std::uint32_t narrow = be32(box, narrow_at);
  return narrow == UINT32_MAX ? UINT64_MAX : narrow;
}

// In units of the media header's time scale; days at most, so that a garbled one does not overflow.
std::chrono::milliseconds track_duration(std::string_view track) {
  constexpr double kLongest = 1e11;
  const std::string_view header = descend(track, kMediaHeader);
  const std::uint32_t scale = be32(header, u8(header, 0) == 1 ? 20 : 12);
  if (scale == 0) return {};
  const double milliseconds = 1'000.0 * static_cast<double>(duration_at(header, 16, 24)) / scale;
  return std::chrono::milliseconds(milliseconds < kLongest ? static_cast<std::int64_t>(milliseconds) : 0);
}

// Of an edit list that repeats its one segment until the track's own duration is over; without a list, browsers go on for ever.
std::uint32_t track_plays(std::string_view track) {
  const std::string_view list = descend(track, kEditList);
  if (list.empty()) return 0;
  if ((u8(list, 3) & 1) == 0) return 1;
  const std::uint64_t segment = duration_at(list, 8, 8);
  const std::uint64_t whole = duration_at(child(track, "tkhd"), 20, 28);
  if (segment == 0 || whole == UINT64_MAX) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(whole / segment + (whole % segment != 0), UINT32_MAX));
}

// Of the first sample description: a full box, their number, then the visual sample entry (ISO 14496-12, 12.1.3).
Size track_size(std::string_view track) {
  const std::optional<Box> entry = box_at(part(descend(track, kSampleDescriptions), 8), 0);
  if (!entry) return {};
  return {be16(entry->data, 24), be16(entry->data, 26)};
}

// Colours and transparency are tracks of their own; the longest one counts.
void read_sequence(std::string_view bytes, Header& header) {
  each_box(child(bytes, "moov"), [&](const Box& box) {
    if (box.type != "trak") return false;
    const std::uint32_t frames = be32(descend(box.data, kSampleTable), 8);
    if (frames <= header.frames) return false;
    header.frames = frames;
    header.duration = track_duration(box.data);
    header.plays = track_plays(box.data);
    if (header.size.pixels() == 0) header.size = track_size(box.data);  // a sequence need not have a primary item
    return false;
  });
}

}  // namespace

Format format_of_boxes(std::string_view bytes) {
  const std::optional<Box> ftyp = box_at(bytes, 0);
  if (!ftyp || ftyp->type != "ftyp") return Format::kUnknown;
  Format found = Format::kUnknown;
  // The major brand, its version (passed over), then compatible brands; mif1 says only "an image", so a codec's brand beside it decides.
  const std::string_view brands = part(ftyp->data, 0, 1'024);
  for (std::uint64_t at = 0; has(brands, at, 4); at += at == 0 ? 8 : 4) {
    const std::string_view brand = part(brands, at, 4);
    if (brand == "avif" || brand == "avis") return Format::kAvif;
    if (brand == "heic" || brand == "heix" || brand == "heim" || brand == "heis" || brand == "hevc" || brand == "hevx" || brand == "mif1" ||
        brand == "msf1") {
      found = Format::kHeic;
    }
  }
  return found;
}

Result<Header> sniff_boxes(std::string_view bytes) {
  Header header{.format = format_of_boxes(bytes)};
  const std::string_view meta = part(child(bytes, "meta"), 4);  // a full box: version and flags first
  const std::string_view properties = child(meta, "iprp");
  const std::string_view ipco = child(properties, "ipco");
  header.size = item_size(ipco, child(properties, "ipma"), primary_item(meta)).value_or(largest_ispe(ipco));
  read_sequence(bytes, header);
  return header;
}

}  // namespace magpie::image
