#include "analyse/analysed_image.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "base/wire.h"
#include "core/vector_index.h"

namespace magpie::analyse {
namespace {

constexpr std::uint64_t kVersion = 5;
constexpr std::size_t kNameBytesMax = 128;  // format, colour and space names
constexpr std::size_t kColoursMax = 5;
constexpr std::size_t kVariantBytesMax = 8 << 20;
constexpr std::size_t kDimsMax = 16'384;
constexpr std::uint64_t kDurationMsMax = std::uint64_t{1} << 50;  // more than the frames that fit a file can take
constexpr double kUnitTolerance = 1e-3;

template <std::size_t size>
std::string_view view_of(const std::array<std::uint8_t, size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::size_t size>
bool read_array(WireReader& in, std::array<std::uint8_t, size>& into) {
  const std::string_view bytes = in.bytes();
  if (bytes.size() != size) return false;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(into.data()));
  return true;
}

void write_colours(WireWriter& out, const std::vector<ColourShare>& colours) {
  out.u64(colours.size());
  for (const ColourShare& colour : colours) {
    out.u64(colour.rgb);
    out.f64(colour.share);
    out.bytes(colour.name);
  }
}

void write_image(WireWriter& out, const Image& image) {
  out.bytes(view_of(image.sha256));
  out.bytes(image.format);
  for (const std::uint64_t number : {std::uint64_t{image.width}, std::uint64_t{image.height}, std::uint64_t{image.frames},
                                     static_cast<std::uint64_t>(image.duration.count()), std::uint64_t{image.plays},
                                     std::uint64_t{image.orientation}, image.bytes, image.phash, image.dhash}) {
    out.u64(number);
  }
  out.bytes(view_of(image.pdq));
  out.u64(image.pdq_quality);
  out.bytes(view_of(image.colour_grid));
  out.f64(image.brightness);
  write_colours(out, image.colours);
}

void write_region(WireWriter& out, const EmbeddedRegion& found) {
  const Region& region = found.region;
  for (const float number : {region.left, region.top, region.right, region.bottom, region.score}) out.f64(number);
  out.bytes(region.label);
  write_colours(out, region.colours);
  out.floats(found.embedding);
}

// A number that must fit; `good` remembers the first that did not.
template <class T>
T number(WireReader& in, std::uint64_t low, std::uint64_t high, bool& good) {
  const std::uint64_t value = in.u64();
  good = good && value >= low && value <= high;
  return static_cast<T>(value);
}

float fraction(WireReader& in, double high, bool& good) {
  const double value = in.f64();
  good = good && value >= 0 && value <= high;  // false for NaN
  return good ? static_cast<float>(value) : 0.0F;
}

std::string name(WireReader& in, bool& good) {
  std::string text = in.string();
  good = good && text.size() <= kNameBytesMax;
  return text;
}

std::vector<ColourShare> read_colours(WireReader& in, bool& good) {
  std::vector<ColourShare> colours;
  const auto count = number<std::size_t>(in, 0, kColoursMax, good);
  for (std::size_t i = 0; good && i < count; ++i) {
    ColourShare colour;
    colour.rgb = number<std::uint32_t>(in, 0, 0xFF'FFFF, good);
    colour.share = fraction(in, 1, good);
    colour.name = name(in, good);
    colours.push_back(std::move(colour));
  }
  return colours;
}

bool read_image(WireReader& in, Image& image) {
  bool good = read_array(in, image.sha256);
  image.format = name(in, good);
  image.width = number<std::uint32_t>(in, 1, UINT32_MAX, good);
  image.height = number<std::uint32_t>(in, 1, UINT32_MAX, good);
  image.frames = number<std::uint32_t>(in, 1, UINT32_MAX, good);
  image.duration = std::chrono::milliseconds(number<std::int64_t>(in, 0, kDurationMsMax, good));
  image.plays = number<std::uint32_t>(in, 0, UINT32_MAX, good);
  image.orientation = number<std::uint8_t>(in, 1, 8, good);
  image.bytes = in.u64();
  image.phash = in.u64();
  image.dhash = in.u64();
  good = read_array(in, image.pdq) && good;
  image.pdq_quality = number<std::uint8_t>(in, 0, 100, good);
  good = read_array(in, image.colour_grid) && good;
  image.brightness = fraction(in, 255, good);
  image.colours = read_colours(in, good);
  return good;
}

bool is_unit(const Embedding& vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  return std::abs(sum - 1) < kUnitTolerance;  // false for NaN
}

EmbeddedRegion read_region(WireReader& in, std::size_t dims, bool& good) {
  EmbeddedRegion found;
  Region& region = found.region;
  for (float* share : {&region.left, &region.top, &region.right, &region.bottom, &region.score}) *share = fraction(in, 1, good);
  region.label = in.string();
  region.colours = read_colours(in, good);
  found.embedding = in.floats();
  good = good && region.left < region.right && region.top < region.bottom;
  good = good && !region.label.empty() && region.label.size() <= kRegionClassBytesMax && is_utf8(region.label);
  good = good && found.embedding.size() == dims && is_unit(found.embedding);
  return found;
}

}  // namespace

std::string encode_analysed_image(const AnalysedImage& analysed) {
  WireWriter out;
  out.u64(kVersion);
  write_image(out, analysed.image);
  out.bytes(analysed.thumbnail);
  out.bytes(analysed.preview);
  out.bytes(analysed.space);
  out.floats(analysed.embedding);
  for (const auto& hash : analysed.turned_pdq) out.bytes(view_of(hash));
  out.bytes(analysed.detector);
  out.u64(analysed.regions.size());
  for (const EmbeddedRegion& region : analysed.regions) write_region(out, region);
  return out.take();
}

Result<AnalysedImage> decode_analysed_image(std::string_view bytes) {
  WireReader in(bytes);
  if (in.u64() != kVersion) return fail(Code::kCorrupt, "analysed picture: not version {}", kVersion);
  AnalysedImage analysed;
  bool good = read_image(in, analysed.image);
  analysed.thumbnail = in.string();
  analysed.preview = in.string();
  analysed.space = name(in, good);
  analysed.embedding = in.floats();
  for (auto& hash : analysed.turned_pdq) good = read_array(in, hash) && good;
  analysed.detector = name(in, good);
  const auto regions = number<std::size_t>(in, 0, kRegionsMax, good);
  for (std::size_t i = 0; good && i < regions; ++i) analysed.regions.push_back(read_region(in, analysed.embedding.size(), good));
  if (auto end = in.finish(); !end) return fail(std::move(end).error(), "analysed picture");
  good = good && analysed.thumbnail.size() <= kVariantBytesMax && analysed.preview.size() <= kVariantBytesMax;
  good = good && analysed.embedding.size() <= kDimsMax && (analysed.embedding.empty() || is_unit(analysed.embedding));
  if (!good) return fail(Code::kCorrupt, "analysed picture: a value is out of its range");
  return analysed;
}

}  // namespace magpie::analyse
