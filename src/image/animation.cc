#include "image/animation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "image/decoders.h"
#include "image/resize.h"

namespace magpie::image {
namespace {

constexpr std::uint32_t kContrastSide = 32;

using ReadFrames = decltype(&read_apng_frames);

// Null where the first picture is all that can be read.
ReadFrames frames_reader(const Header& header) {
  if (!is_animated(header)) return nullptr;
  switch (header.format) {
    case Format::kGif:
    case Format::kWebp: return read_frames_with_vips;
    case Format::kPng: return read_apng_frames;
    case Format::kAvif: return read_avif_frames;
    default: return nullptr;
  }
}

std::uint32_t frames_to_read(const Header& header, const DecodeLimits& limits) {
  const std::uint64_t affordable = limits.frame_pixels_read_max / std::max<std::uint64_t>(header.size.pixels(), 1);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(affordable, 1, std::min(header.frames, limits.frames_read_max)));
}

Pixels fitted(Pixels pixels, std::uint32_t side) {
  if (side == 0 || std::max(pixels.width(), pixels.height()) <= side) return pixels;
  return shrink_to_fit(pixels.view(), side);
}

// Looks at frames as they come, keeps few of them and asks for no more than it needs.
class FrameChooser {
 public:
  FrameChooser(std::uint32_t frames, std::uint32_t others_max) : frames_(frames), steps_(others_max + 1) {}

  std::uint32_t take(std::uint32_t number, Pixels pixels) {
    const double contrast = contrast_of(pixels.view());
    if (still_.empty() || (!is_settled() && contrast > contrast_)) {
      still_ = std::move(pixels);
      still_frame_ = number;
      contrast_ = contrast;
    } else if (contrast >= kContrastTelling && next_step(number) == number) {
      others_.push_back(std::move(pixels));
    }
    return is_settled() ? next_step(number + 1) : number + 1;
  }

  bool has_still() const { return !still_.empty(); }
  Shown result(Header header) && { return {{header, std::move(still_)}, still_frame_, std::move(others_)}; }

 private:
  bool is_settled() const { return contrast_ >= kContrastTelling; }
  // The first frame from `number` on that is at a step; `frames_` if there is none.
  std::uint32_t next_step(std::uint32_t number) const {
    for (std::uint64_t step = 0; step < steps_; ++step) {
      const auto at = static_cast<std::uint32_t>(step * frames_ / steps_);
      if (at >= number) return at;
    }
    return frames_;
  }

  std::uint32_t frames_;
  std::uint32_t steps_;
  Pixels still_;
  std::uint32_t still_frame_ = 0;
  double contrast_ = 0;
  std::vector<Pixels> others_;
};

}  // namespace

double contrast_of(PixelsView pixels) {
  const Pixels flat = flatten_on_white(shrink_to_fit(pixels, 8 * kContrastSide));
  const Size grid{std::min(flat.width(), kContrastSide), std::min(flat.height(), kContrastSide)};
  const Pixels cells = resize_area(flat.view(), grid);
  double variance = 0;
  for (std::uint32_t c = 0; c < 3; ++c) {
    double sum = 0, squares = 0;
    for (std::uint64_t i = 0; i < grid.pixels(); ++i) {
      const double value = cells.data()[3 * i + c];
      sum += value;
      squares += value * value;
    }
    const double mean = sum / static_cast<double>(grid.pixels());
    variance += squares / static_cast<double>(grid.pixels()) - mean * mean;
  }
  return std::sqrt(std::max(0.0, variance / 3));
}

Result<Shown> decode_shown(std::string_view bytes, const DecodeLimits& limits, const DecodeOptions& options, std::uint32_t others_max) {
  MAGPIE_TRY(const Header header, sniff_within(bytes, limits, options));
  if (const ReadFrames read = frames_reader(header); read != nullptr) {
    const std::uint32_t frames = frames_to_read(header, limits);
    FrameChooser chooser(frames, others_max);
    const auto take = [&](std::uint32_t number, Pixels pixels) {
      return chooser.take(number, fitted(upright(std::move(pixels), header.orientation), options.side_wanted));
    };
    const Result<void> done = read(bytes, header, limits, options, frames, take);
    if (!done && done.error().code == Code::kTimeout) return fail(Error(done.error()), to_string(header.format));
    if (chooser.has_still()) return std::move(chooser).result(header);
  }
  MAGPIE_TRY(Decoded decoded, decode(bytes, limits, options));
  return Shown{.still = std::move(decoded)};
}

}  // namespace magpie::image
