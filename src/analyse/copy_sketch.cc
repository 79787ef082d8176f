#include "analyse/copy_sketch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "base/wire.h"
#include "image/resize.h"

namespace magpie::analyse {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr int kChromaMin = 24;              // between a pixel's largest and least channel
constexpr std::size_t kColouredShare = 33;  // one pixel in so many
constexpr std::uint32_t kPictureSideMax = std::numeric_limits<std::uint32_t>::max();

// ---- making

// The same box of the same picture at another size.
image::Box rescaled(const image::Box& box, image::Size from, image::Size to) {
  const auto along = [](std::uint32_t at, std::uint32_t of, std::uint32_t whole) {
    return static_cast<std::uint32_t>(std::lround(static_cast<double>(at) * whole / of));
  };
  image::Box large{along(box.left, from.width, to.width), along(box.top, from.height, to.height), {}};
  large.size.width = std::max(1U, along(box.left + box.size.width, from.width, to.width) - large.left);
  large.size.height = std::max(1U, along(box.top + box.size.height, from.height, to.height) - large.top);
  return large;
}

std::optional<Tone> tone_of(image::PixelsView rgb) {
  std::size_t coloured = 0;
  Tone sum;
  const std::uint8_t* pixel = rgb.data;
  for (std::uint64_t i = 0; i < rgb.size.pixels(); ++i, pixel += 3) {
    const auto [least, largest] = std::minmax({pixel[0], pixel[1], pixel[2]});
    if (largest - least < kChromaMin) continue;
    const double luma = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    sum.red += pixel[0] - luma;
    sum.blue += pixel[2] - luma;
    ++coloured;
  }
  if (coloured * kColouredShare < rgb.size.pixels()) return std::nullopt;
  return Tone{sum.red / static_cast<double>(coloured), sum.blue / static_cast<double>(coloured)};
}

// ---- on the pipe

struct PackedKeypoint {
  std::uint16_t x, y, scale;
  std::int16_t angle;
  std::uint64_t words[4];
};
static_assert(sizeof(PackedKeypoint) == 40);

constexpr double kPlaceUnit = 65'535;
constexpr double kScaleUnit = 1 << 20;
constexpr double kAngleUnit = 32'767 / std::numbers::pi;

std::uint16_t packed(float value, double unit) { return static_cast<std::uint16_t>(std::clamp(std::lround(value * unit), 0L, 65'535L)); }

std::string pack(const std::vector<image::Keypoint>& keypoints) {
  std::string bytes(keypoints.size() * sizeof(PackedKeypoint), '\0');
  char* to = bytes.data();
  for (const image::Keypoint& keypoint : keypoints) {
    PackedKeypoint one{packed(keypoint.x, kPlaceUnit),
                       packed(keypoint.y, kPlaceUnit),
                       packed(keypoint.scale, kScaleUnit),
                       static_cast<std::int16_t>(std::lround(keypoint.angle * kAngleUnit)),
                       {}};
    std::copy(keypoint.descriptor.words.begin(), keypoint.descriptor.words.end(), one.words);
    std::memcpy(to, &one, sizeof one);
    to += sizeof one;
  }
  return bytes;
}

Result<std::vector<image::Keypoint>> unpack(std::string_view bytes) {
  if (bytes.size() % sizeof(PackedKeypoint) != 0 || bytes.size() / sizeof(PackedKeypoint) > kSketchKeypointsMax) {
    return fail(Code::kCorrupt, "a sketch with {} bytes of keypoints", bytes.size());
  }
  std::vector<image::Keypoint> keypoints;
  keypoints.reserve(bytes.size() / sizeof(PackedKeypoint));
  for (; !bytes.empty(); bytes.remove_prefix(sizeof(PackedKeypoint))) {
    PackedKeypoint one;
    std::memcpy(&one, bytes.data(), sizeof one);
    if (one.scale == 0) return fail(Code::kCorrupt, "a sketch with a keypoint of no size");
    image::Keypoint& keypoint = keypoints.emplace_back();
    keypoint.x = static_cast<float>(one.x / kPlaceUnit);
    keypoint.y = static_cast<float>(one.y / kPlaceUnit);
    keypoint.scale = static_cast<float>(one.scale / kScaleUnit);
    keypoint.angle = static_cast<float>(one.angle / kAngleUnit);
    std::copy_n(one.words, 4, keypoint.descriptor.words.begin());
  }
  return keypoints;
}

void put_size(WireWriter& out, image::Size size) {
  out.u64(size.width);
  out.u64(size.height);
}

// Of sides 1..side_max; otherwise empty.
image::Size get_size(WireReader& in, std::uint32_t side_max) {
  const std::uint64_t width = in.u64(), height = in.u64();
  if (std::min(width, height) == 0 || std::max(width, height) > side_max) return {};
  return {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
}

bool inside(const image::Box& box, image::Size size) {
  return std::uint64_t{box.left} + box.size.width <= size.width && std::uint64_t{box.top} + box.size.height <= size.height;
}

}  // namespace

CopySketch make_sketch(image::PixelsView rgb, image::Size size) {
  const image::Pixels small = image::shrink_to_fit(rgb, 2 * kSketchSide);  // in which borders are looked for
  const image::Box box = image::within_border(small.view());
  const image::Pixels inner = image::crop(small.view(), box.left, box.top, box.size);
  CopySketch sketch{.size = size, .inner = rescaled(box, small.size(), size)};
  sketch.overlap = image::OverlapPicture(inner.view());
  sketch.tone = tone_of(sketch.overlap.rgb());
  sketch.pdq = image::pdq_turns(inner.view());
  sketch.keypoints = image::find_keypoints(image::to_grey(inner.view()).view(), {.side = kSketchSide, .count = kSketchKeypointsMax});
  return sketch;
}

std::string encode_sketch(const CopySketch& sketch, bool with_pixels) {
  WireWriter out;
  out.u64(kVersion);
  put_size(out, sketch.size);
  out.u64(sketch.inner.left);
  out.u64(sketch.inner.top);
  put_size(out, sketch.inner.size);
  const Tone tone = sketch.tone.value_or(Tone{});
  out.f64(tone.red);
  out.f64(tone.blue);
  const image::PixelsView rgb = with_pixels ? sketch.overlap.rgb() : image::PixelsView();
  put_size(out, rgb.size);
  out.bytes({reinterpret_cast<const char*>(rgb.data), rgb.bytes()});
  out.u64(sketch.pdq.quality);
  out.bytes({reinterpret_cast<const char*>(sketch.pdq.hashes.data()), sizeof sketch.pdq.hashes});
  out.bytes(pack(sketch.keypoints));
  return out.take();
}

Result<CopySketch> decode_sketch(std::string_view bytes) {
  WireReader in(bytes);
  CopySketch sketch;
  if (const std::uint64_t version = in.u64(); version != kVersion) return fail(Code::kCorrupt, "a sketch of version {}", version);
  sketch.size = get_size(in, kPictureSideMax);
  sketch.inner.left = static_cast<std::uint32_t>(in.u64());
  sketch.inner.top = static_cast<std::uint32_t>(in.u64());
  sketch.inner.size = get_size(in, kPictureSideMax);
  const Tone tone{in.f64(), in.f64()};
  if (tone.red != 0 || tone.blue != 0) sketch.tone = tone;
  const image::Size small = get_size(in, image::OverlapPicture::kSide);  // empty: without pixels
  const std::string_view rgb = in.bytes();
  sketch.pdq.quality = static_cast<std::uint8_t>(std::min<std::uint64_t>(in.u64(), 100));
  const std::string_view hashes = in.bytes();
  const std::string_view keypoints = in.bytes();
  MAGPIE_TRY_DO(in.finish());
  if (!(std::abs(tone.red) <= 255 && std::abs(tone.blue) <= 255)) return fail(Code::kCorrupt, "a sketch of an impossible colour");
  const bool whole = sketch.size.pixels() > 0 && sketch.inner.size.pixels() > 0 && inside(sketch.inner, sketch.size);
  if (!whole || rgb.size() != small.pixels() * 3 || hashes.size() != sizeof sketch.pdq.hashes) {
    return fail(Code::kCorrupt, "a sketch whose lengths do not fit");
  }
  if (!rgb.empty()) sketch.overlap = image::OverlapPicture({reinterpret_cast<const std::uint8_t*>(rgb.data()), small, 3});
  std::memcpy(sketch.pdq.hashes.data(), hashes.data(), hashes.size());
  MAGPIE_TRY(sketch.keypoints, unpack(keypoints));
  return sketch;
}

void see_pixels(CopySketch& sketch, image::PixelsView rgb) {
  const image::Box box = rescaled(sketch.inner, sketch.size, rgb.size);
  const std::uint32_t left = std::min(box.left, rgb.size.width - 1), top = std::min(box.top, rgb.size.height - 1);
  const image::Size inside{std::min(box.size.width, rgb.size.width - left), std::min(box.size.height, rgb.size.height - top)};
  sketch.overlap = image::OverlapPicture(image::crop(rgb, left, top, inside).view());
}

}  // namespace magpie::analyse
