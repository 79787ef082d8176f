#include "image/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numbers>
#include <vector>

#include "base/check.h"
#include "image/wide.h"

namespace magpie::image {
namespace {

// ---- area mean

// The source pixels under one target pixel and how much of each lies there, as parts of the whole.
struct Span {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::size_t weights_at = 0;
};

struct Coverage {
  std::vector<Span> spans;
  std::vector<float> weights;
};

Coverage cover(std::uint32_t source, std::uint32_t target) {
  Coverage coverage;
  coverage.spans.reserve(target);
  const double ratio = static_cast<double>(source) / target;
  for (std::uint32_t i = 0; i < target; ++i) {
    const double start = i * ratio;
    const double end = std::min<double>((i + 1) * ratio, source);
    const auto first = std::min(static_cast<std::uint32_t>(start), source - 1);
    const auto last = std::clamp(static_cast<std::uint32_t>(std::ceil(end - 1e-9)), first + 1, source);  // one behind
    coverage.spans.push_back({first, last - first, coverage.weights.size()});
    for (std::uint32_t x = first; x < last; ++x) {
      const double covered = std::min<double>(x + 1, end) - std::max<double>(x, start);
      coverage.weights.push_back(static_cast<float>(std::max(covered, 0.0) / (end - start)));
    }
  }
  return coverage;
}

MAGPIE_WIDE void add_row(const std::uint8_t* from, std::size_t count, float weight, float* sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(from[i]);
}

// Colours weigh by their alpha, so that what is hidden under transparency does not bleed out.
void add_row_with_alpha(const std::uint8_t* from, std::size_t pixels, float weight, float* sums) {
  for (std::size_t i = 0; i < pixels; ++i, from += 4, sums += 4) {
    const float alpha = weight * static_cast<float>(from[3]);
    for (int c = 0; c < 3; ++c) sums[c] += alpha * static_cast<float>(from[c]);
    sums[3] += alpha;
  }
}

// A pixel of up to four channels in one register; of three, the fourth lane holds what follows and is not looked at.
using Lanes = float __attribute__((vector_size(16)));

Lanes lanes_at(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

// `to` has room for one lane more than the row, as has `sums`.
template <std::size_t Channels>
void shrink_row(const float* sums, const Coverage& columns, float* to) {
  for (const Span& span : columns.spans) {
    Lanes total{};
    const float* from = sums + std::size_t{span.first} * Channels;
    const float* weights = columns.weights.data() + span.weights_at;
    for (std::uint32_t x = 0; x < span.count; ++x, from += Channels) total += weights[x] * lanes_at(from);
    if constexpr (Channels == 4) {
      const float alpha = total[3];
      total = alpha > 0 ? total / alpha : Lanes{};
      total[3] = alpha;
    }
    std::memcpy(to, &total, sizeof total);
    to += Channels;
  }
}

MAGPIE_WIDE void round_row(const float* values, std::size_t count, std::uint8_t* to) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto whole = static_cast<std::int32_t>(values[i] + 0.5f);
    to[i] = static_cast<std::uint8_t>(std::clamp(whole, 0, 255));
  }
}

// ---- Lanczos as in Pillow 9.4, Resample.c: same support, same fixed point, same rounding.

constexpr int kFractionBits = 32 - 8 - 2;
constexpr double kLobes = 3.0;

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return -kLobes <= x && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0.0; }

struct Taps {
  std::vector<Span> spans;
  std::vector<std::int32_t> weights;
};

Taps make_lanczos_taps(std::uint32_t source, std::uint32_t target) {
  Taps taps;
  taps.spans.reserve(target);
  const double scale = static_cast<double>(source) / target;
  const double stretch = std::max(scale, 1.0);
  const double support = kLobes * stretch;
  std::vector<double> exact;
  for (std::uint32_t i = 0; i < target; ++i) {
    const double centre = (i + 0.5) * scale;
    const auto first = static_cast<std::uint32_t>(std::max(centre - support + 0.5, 0.0));
    const auto last = static_cast<std::uint32_t>(std::min(centre + support + 0.5, static_cast<double>(source)));
    exact.clear();
    double sum = 0;
    for (std::uint32_t x = first; x < last; ++x) {
      exact.push_back(lanczos((x - centre + 0.5) * (1.0 / stretch)));
      sum += exact.back();
    }
    taps.spans.push_back({first, last - first, taps.weights.size()});
    for (const double weight : exact) {
      const double fixed = (sum != 0.0 ? weight / sum : weight) * (1 << kFractionBits);
      taps.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return taps;
}

// Most pictures have one of few sizes once they are shrunk, and their sines cost as much as their sums.
const Taps& lanczos_taps(std::uint32_t source, std::uint32_t target) {
  constexpr std::size_t kKept = 64;
  thread_local std::map<std::pair<std::uint32_t, std::uint32_t>, Taps> kept;
  const std::pair sides(source, target);
  const auto known = kept.find(sides);
  if (known != kept.end()) return known->second;
  if (kept.size() == kKept) kept.clear();
  return kept.emplace(sides, make_lanczos_taps(source, target)).first->second;
}

std::uint8_t from_fixed(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255)); }

// One row of `from` to one of `to`.
MAGPIE_WIDE void lanczos_row(const std::uint8_t* from, const Taps& taps, std::uint8_t* to) {
  for (const Span& span : taps.spans) {
    const std::uint8_t* pixels = from + span.first;
    const std::int32_t* weights = taps.weights.data() + span.weights_at;
    std::int32_t sum = 1 << (kFractionBits - 1);
    for (std::uint32_t x = 0; x < span.count; ++x) sum += pixels[x] * weights[x];
    *to++ = from_fixed(sum);
  }
}

Pixels lanczos_across(PixelsView grey, std::uint32_t width) {
  const Taps& taps = lanczos_taps(grey.size.width, width);
  Pixels out({width, grey.size.height}, 1);
  for (std::uint32_t y = 0; y < grey.size.height; ++y) lanczos_row(grey.row(y), taps, out.row(y));
  return out;
}

Pixels lanczos_down(PixelsView grey, std::uint32_t height) {
  const Taps& taps = lanczos_taps(grey.size.height, height);
  Pixels out({grey.size.width, height}, 1);
  std::vector<std::int32_t> sums(grey.size.width);
  for (std::uint32_t i = 0; i < height; ++i) {
    const Span& span = taps.spans[i];
    std::fill(sums.begin(), sums.end(), 1 << (kFractionBits - 1));
    for (std::uint32_t y = 0; y < span.count; ++y) {
      const std::int32_t weight = taps.weights[span.weights_at + y];
      const std::uint8_t* from = grey.row(span.first + y);
      for (std::uint32_t x = 0; x < grey.size.width; ++x) sums[x] += from[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), out.row(i), from_fixed);
  }
  return out;
}

}  // namespace

Size fit_within(Size size, std::uint32_t side) {
  const std::uint32_t longer = std::max(size.width, size.height);
  if (longer <= side) return size;
  const auto scaled = [&](std::uint32_t value) {
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>((std::uint64_t{value} * side + longer / 2) / longer));
  };
  return {scaled(size.width), scaled(size.height)};
}

Pixels resize_area(PixelsView source, Size target) {
  MAGPIE_CHECK(source.size.pixels() > 0 && target.pixels() > 0, "resizing {} x {} px", source.size.width, source.size.height);
  if (target == source.size) return crop(source, 0, 0, target);
  const Coverage columns = cover(source.size.width, target.width);
  const Coverage rows = cover(source.size.height, target.height);
  Pixels out(target, source.channels);
  constexpr std::size_t kLanes = sizeof(Lanes) / sizeof(float);  // the last pixel is read and written with what would follow it
  const std::size_t values = source.row_bytes(), row_values = out.view().row_bytes();
  std::vector<float> sums(values + kLanes), shrunk(row_values + kLanes);
  for (std::uint32_t y = 0; y < target.height; ++y) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    const Span& span = rows.spans[y];
    for (std::uint32_t i = 0; i < span.count; ++i) {
      const float weight = rows.weights[span.weights_at + i];
      const std::uint8_t* from = source.row(span.first + i);
      if (source.channels == 4) {
        add_row_with_alpha(from, source.size.width, weight, sums.data());
      } else {
        add_row(from, values, weight, sums.data());
      }
    }
    switch (source.channels) {
      case 1: shrink_row<1>(sums.data(), columns, shrunk.data()); break;
      case 3: shrink_row<3>(sums.data(), columns, shrunk.data()); break;
      default: shrink_row<4>(sums.data(), columns, shrunk.data());
    }
    round_row(shrunk.data(), row_values, out.row(y));
  }
  return out;
}

Pixels shrink_to_fit(PixelsView source, std::uint32_t side) { return resize_area(source, fit_within(source.size, side)); }

Pixels resize_lanczos(PixelsView grey, Size target) {
  MAGPIE_CHECK(grey.channels == 1 && grey.size.pixels() > 0 && target.pixels() > 0, "Lanczos wants grey pixels");
  if (grey.size.width == target.width) return lanczos_down(grey, target.height);
  const Pixels across = lanczos_across(grey, target.width);
  if (grey.size.height == target.height) return across.copy();
  return lanczos_down(across.view(), target.height);
}

Pixels crop(PixelsView source, std::uint32_t left, std::uint32_t top, Size size) {
  left = std::min(left, source.size.width);
  top = std::min(top, source.size.height);
  Pixels out({std::min(size.width, source.size.width - left), std::min(size.height, source.size.height - top)}, source.channels);
  const std::size_t row_bytes = std::size_t{out.width()} * source.channels;
  for (std::uint32_t y = 0; row_bytes > 0 && y < out.height(); ++y) {
    std::memcpy(out.row(y), source.row(top + y) + std::size_t{left} * source.channels, row_bytes);
  }
  return out;
}

}  // namespace magpie::image
