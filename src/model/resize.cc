#include "model/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace magpie::model {
namespace {

constexpr int kWeightBits = 14;
constexpr int kWeightOne = 1 << kWeightBits;
constexpr std::uint8_t kPadGrey = 127;  // zero after Lite0's normalisation

// One target pixel is a weighted sum of source pixels [first, first + count).
struct Tap {
  int first = 0;
  int count = 0;
  std::size_t weights = 0;  // place of its weights in Axis::weights
};
// Weights are whole numbers, as are the sums, which stay below 2^24: in floats they are exact, and quicker than in integers.
struct Axis {
  std::vector<Tap> taps;
  std::vector<float> weights;  // those of one tap sum up to kWeightOne
};

// A triangle as wide as two target pixels when shrinking, two source pixels when growing: the filter Pillow calls bilinear.
Axis make_axis(int source, int target) {
  Axis axis;
  const double scale = static_cast<double>(source) / target;
  const double reach = std::max(scale, 1.0);
  std::vector<double> raw;
  for (int i = 0; i < target; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - reach + 0.5));
    const int last = std::min(source, static_cast<int>(centre + reach + 0.5));
    raw.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      raw.push_back(std::max(0.0, 1.0 - std::abs((x + 0.5 - centre) / reach)));
      sum += raw.back();
    }
    const Tap tap{first, last - first, axis.weights.size()};
    std::int32_t left = kWeightOne;
    for (const double weight : raw) {
      const auto whole = static_cast<std::int32_t>(std::lround(weight / sum * kWeightOne));
      axis.weights.push_back(static_cast<float>(whole));
      left -= whole;
    }
    axis.weights[tap.weights + static_cast<std::size_t>(tap.count / 2)] +=
        static_cast<float>(left);  // rounding: flat areas stay exactly flat
    axis.taps.push_back(tap);
  }
  return axis;
}

// A pixel in one register; the fourth lane holds what follows and is not looked at.
using Lanes = float __attribute__((vector_size(16)));

void widen(const std::uint8_t* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
}

void to_bytes(const float* sums, std::size_t count, std::uint8_t* to) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t rounded = (static_cast<std::int32_t>(sums[i]) + kWeightOne / 2) >> kWeightBits;
    to[i] = static_cast<std::uint8_t>(std::clamp(rounded, 0, 255));
  }
}

// `source` and `sums` have room for one value more than their pixels.
void shrink_row(const float* source, const Axis& axis, float* sums) {
  for (const Tap& tap : axis.taps) {
    Lanes total{};
    const float* pixel = source + std::size_t{3} * static_cast<std::size_t>(tap.first);
    const float* weights = axis.weights.data() + tap.weights;
    for (int i = 0; i < tap.count; ++i, pixel += 3) {
      Lanes lanes;
      std::memcpy(&lanes, pixel, sizeof lanes);
      total += weights[i] * lanes;
    }
    std::memcpy(sums, &total, sizeof total);
    sums += 3;
  }
}

void add_row(const std::uint8_t* row, std::size_t count, float weight, float* sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(row[i]);
}

// `rows` holds the source rows already brought to the target width.
void shrink_columns(const std::vector<std::uint8_t>& rows, std::size_t row_bytes, const Axis& axis, std::uint8_t* target) {
  std::vector<float> sums(row_bytes);
  for (const Tap& tap : axis.taps) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (int i = 0; i < tap.count; ++i) {
      add_row(rows.data() + row_bytes * static_cast<std::size_t>(tap.first + i), row_bytes,
              axis.weights[tap.weights + static_cast<std::size_t>(i)], sums.data());
    }
    to_bytes(sums.data(), row_bytes, target);
    target += row_bytes;
  }
}

std::vector<std::uint8_t> squash(RgbView picture, int width, int height) {
  const std::size_t row_bytes = std::size_t{3} * static_cast<std::size_t>(width);
  const Axis across = make_axis(picture.width, width);
  std::vector<std::uint8_t> rows(row_bytes * static_cast<std::size_t>(picture.height));
  const std::size_t source_bytes = std::size_t{3} * static_cast<std::size_t>(picture.width);
  std::vector<float> source(source_bytes + 1), sums(row_bytes + 1);
  for (int y = 0; y < picture.height; ++y) {
    widen(picture.data + picture.stride * static_cast<std::size_t>(y), source_bytes, source.data());
    shrink_row(source.data(), across, sums.data());
    to_bytes(sums.data(), row_bytes, rows.data() + row_bytes * static_cast<std::size_t>(y));
  }
  std::vector<std::uint8_t> out(row_bytes * static_cast<std::size_t>(height));
  shrink_columns(rows, row_bytes, make_axis(picture.height, height), out.data());
  return out;
}

// The largest centred part with the target's shape.
RgbView centre(RgbView picture, int width, int height) {
  const double scale = std::min(static_cast<double>(picture.width) / width, static_cast<double>(picture.height) / height);
  const int cut_width = std::clamp(static_cast<int>(std::lround(width * scale)), 1, picture.width);
  const int cut_height = std::clamp(static_cast<int>(std::lround(height * scale)), 1, picture.height);
  const auto left = static_cast<std::size_t>((picture.width - cut_width) / 2);
  const auto top = static_cast<std::size_t>((picture.height - cut_height) / 2);
  return {picture.data + top * picture.stride + left * 3, cut_width, cut_height, picture.stride};
}

std::vector<std::uint8_t> pad(RgbView picture, int width, int height) {
  const double scale = std::min(static_cast<double>(width) / picture.width, static_cast<double>(height) / picture.height);
  const int inner_width = std::clamp(static_cast<int>(std::lround(picture.width * scale)), 1, width);
  const int inner_height = std::clamp(static_cast<int>(std::lround(picture.height * scale)), 1, height);
  const std::vector<std::uint8_t> inner = squash(picture, inner_width, inner_height);
  std::vector<std::uint8_t> out(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), kPadGrey);
  const auto left = static_cast<std::size_t>((width - inner_width) / 2);
  const auto top = static_cast<std::size_t>((height - inner_height) / 2);
  const std::size_t inner_bytes = std::size_t{3} * static_cast<std::size_t>(inner_width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(inner_height); ++y) {
    std::memcpy(out.data() + ((top + y) * static_cast<std::size_t>(width) + left) * 3, inner.data() + y * inner_bytes, inner_bytes);
  }
  return out;
}

}  // namespace

std::vector<std::uint8_t> resize_rgb(RgbView picture, int target_width, int target_height, Fit fit) {
  MAGPIE_CHECK(picture.width > 0 && picture.height > 0 && target_width > 0 && target_height > 0, "sides must be positive");
  switch (fit) {
    case Fit::kSquash: return squash(picture, target_width, target_height);
    case Fit::kCrop: return squash(centre(picture, target_width, target_height), target_width, target_height);
    case Fit::kPad: return pad(picture, target_width, target_height);
  }
  MAGPIE_CHECK(false, "unknown fit {}", static_cast<int>(fit));
}

}  // namespace magpie::model
