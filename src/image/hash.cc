#include "image/hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "image/resize.h"
#include "image/wide.h"

namespace magpie::image {
namespace {

// ---- phash

constexpr std::uint32_t kPhashSide = 32;
constexpr std::uint32_t kLowSide = 8;

// cos(pi n / 64), the angles of all transforms of up to 32 values.
double cosine(std::size_t n) {
  static const std::array<double, 4 * kPhashSide> table = [] {
    std::array<double, 4 * kPhashSide> made{};
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = std::cos(std::numbers::pi * static_cast<double>(i) / (2 * kPhashSide));
    return made;
  }();
  return table[n % table.size()];
}

// DCT-II, unscaled as scipy.fftpack.dct gives it: y[k] = 2 sum x[n] cos(pi k (2n + 1) / 2N). Even terms are the transform of the folded
// sums, odd ones are taken from differences. Where the input is constant or symmetric the differences are exactly 0, so such terms come
// out as exactly 0, as they do in scipy; a plain sum would leave noise whose signs become hash bits.
void dct(std::span<double> values) {
  const std::size_t n = values.size();
  if (n == 1) {
    values[0] *= 2;
    return;
  }
  const std::size_t half = n / 2;
  double sums[kPhashSide / 2];
  double differences[kPhashSide / 2];
  for (std::size_t i = 0; i < half; ++i) {
    sums[i] = values[i] + values[n - 1 - i];
    differences[i] = values[i] - values[n - 1 - i];
  }
  dct(std::span(sums, half));
  for (std::size_t k = 0; k < half; ++k) {
    values[2 * k] = sums[k];
    double odd = 0;
    for (std::size_t i = 0; i < half; ++i) { odd += differences[i] * cosine((2 * k + 1) * (2 * i + 1) * (kPhashSide / n)); }
    values[2 * k + 1] = 2 * odd;
  }
}

using Square = std::array<std::array<double, kPhashSide>, kPhashSide>;  // [row][column]

void transpose(Square& square) {
  for (std::size_t y = 0; y < kPhashSide; ++y) {
    for (std::size_t x = y + 1; x < kPhashSide; ++x) std::swap(square[y][x], square[x][y]);
  }
}

double median_of_64(std::array<double, 64> values) {
  std::sort(values.begin(), values.end());
  return (values[31] + values[32]) / 2;
}

// ---- PDQ, with the paper's sections

constexpr std::uint32_t kPdqSide = 64;
constexpr std::size_t kPdqTerms = 16;
constexpr std::uint32_t kPdqSideMin = 5;

// The filter's window: two passes of it make a tent as wide as the distance between two of the 64 samples.
std::uint32_t window_of(std::uint32_t side) { return (side + 2 * kPdqSide - 1) / (2 * kPdqSide); }

// Values that output i of one pass averages: [i - before, i + after], cut at the ends.
struct Window {
  explicit Window(std::uint32_t side) : after((window_of(side) + 2) / 2 - 1), before(window_of(side) - 1 - after), last(side - 1) {}
  std::uint32_t first_of(std::uint32_t i) const { return i > before ? i - before : 0; }
  std::uint32_t last_of(std::uint32_t i) const { return std::min(i + after, last); }
  float share_of(std::uint32_t i) const { return 1.0f / static_cast<float>(last_of(i) - first_of(i) + 1); }
  std::uint32_t after, before, last;
};

// What one of the 64 samples takes of the side's values: both passes in one.
struct Tent {
  std::uint32_t first = 0;
  std::vector<float> weights;
};

std::array<Tent, kPdqSide> tents_of(std::uint32_t side) {
  const Window window(side);
  std::array<Tent, kPdqSide> tents;
  for (std::uint32_t sample = 0; sample < kPdqSide; ++sample) {
    const auto centre = static_cast<std::uint32_t>((sample + 0.5) * side / kPdqSide);
    Tent& tent = tents[sample];
    tent.first = window.first_of(window.first_of(centre));
    tent.weights.resize(window.last_of(window.last_of(centre)) - tent.first + 1);
    for (std::uint32_t i = window.first_of(centre); i <= window.last_of(centre); ++i) {
      const float share = window.share_of(centre) * window.share_of(i);
      for (std::uint32_t k = window.first_of(i); k <= window.last_of(i); ++k) tent.weights[k - tent.first] += share;
    }
  }
  return tents;
}

MAGPIE_WIDE void add_row(const std::uint8_t* row, std::size_t count, float weight, float* sums) {
  for (std::size_t i = 0; i < count; ++i) sums[i] += weight * static_cast<float>(row[i]);
}

float luma_of(const float* pixel, std::uint32_t channels) {
  return channels == 1 ? pixel[0] : 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

using Samples = std::array<std::array<float, kPdqSide>, kPdqSide>;

// The 64 x 64 values of the filtered picture that are looked at; the others are not made. Luma last, as all of it is linear.
Samples sample(PixelsView pixels) {
  const auto down = tents_of(pixels.size.height), across = tents_of(pixels.size.width);
  std::vector<float> row(pixels.row_bytes());
  Samples samples;
  for (std::uint32_t y = 0; y < kPdqSide; ++y) {
    std::fill(row.begin(), row.end(), 0.0f);
    std::uint32_t from = down[y].first;
    for (const float weight : down[y].weights) add_row(pixels.row(from++), row.size(), weight, row.data());
    for (std::uint32_t x = 0; x < kPdqSide; ++x) {
      const float* pixel = row.data() + std::size_t{across[x].first} * pixels.channels;
      float sum = 0;
      for (const float weight : across[x].weights) {
        sum += weight * luma_of(pixel, pixels.channels);
        pixel += pixels.channels;
      }
      samples[y][x] = sum;
    }
  }
  return samples;
}

int gradient(float a, float b) { return std::abs(static_cast<int>((a - b) * 100 / 255)); }

// How much changes between neighbours, in whole per cent so that flat noise counts nothing; 90 is the paper's scaling.
std::uint8_t quality_of(const Samples& samples) {
  int sum = 0;
  for (std::size_t y = 0; y < kPdqSide; ++y) {
    for (std::size_t x = 0; x < kPdqSide; ++x) {
      if (y + 1 < kPdqSide) sum += gradient(samples[y][x], samples[y + 1][x]);
      if (x + 1 < kPdqSide) sum += gradient(samples[y][x], samples[y][x + 1]);
    }
  }
  return static_cast<std::uint8_t>(std::min(sum / 90, 100));
}

using DctRows = std::array<std::array<float, kPdqSide>, kPdqTerms>;

// Factors are rounded in this order, and sums taken in this one, because then even pictures whose terms are nothing but rounding noise
// (one plain half over another) get the reference's bits.
const DctRows& dct_rows() {
  static const DctRows rows = [] {
    DctRows made;
    const auto scale = static_cast<float>(std::sqrt(2.0 / kPdqSide));
    for (std::size_t k = 0; k < kPdqTerms; ++k) {
      for (std::size_t n = 0; n < kPdqSide; ++n) {
        const double angle = std::numbers::pi / 2 / kPdqSide * static_cast<double>(k + 1) * static_cast<double>(2 * n + 1);
        made[k][n] = static_cast<float>(static_cast<double>(scale) * std::cos(angle));
      }
    }
    return made;
  }();
  return rows;
}

// Terms 1..16 both ways (the constant ones are left out), row by row.
std::array<float, 256> low_terms(const Samples& samples) {
  const DctRows& rows = dct_rows();
  std::array<std::array<float, kPdqSide>, kPdqTerms> half{};
  for (std::size_t k = 0; k < kPdqTerms; ++k) {
    for (std::size_t y = 0; y < kPdqSide; ++y) {
      for (std::size_t x = 0; x < kPdqSide; ++x) half[k][x] += rows[k][y] * samples[y][x];
    }
  }
  std::array<float, 256> terms{};
  for (std::size_t k = 0; k < kPdqTerms; ++k) {
    for (std::size_t m = 0; m < kPdqTerms; ++m) {
      for (std::size_t x = 0; x < kPdqSide; ++x) terms[k * kPdqTerms + m] += half[k][x] * rows[m][x];
    }
  }
  return terms;
}

PdqHash bits_over_median(const std::array<float, 256>& terms) {
  std::array<float, 256> sorted = terms;
  std::nth_element(sorted.begin(), sorted.begin() + 127, sorted.end());
  PdqHash hash;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (terms[i] > sorted[127]) hash.words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  return hash;
}

}  // namespace

std::uint64_t phash(PixelsView grey) {
  const Pixels small = resize_lanczos(grey, {kPhashSide, kPhashSide});
  auto square = std::make_unique<Square>();
  for (std::uint32_t y = 0; y < kPhashSide; ++y) std::copy_n(small.row(y), kPhashSide, (*square)[y].begin());
  transpose(*square);
  for (auto& column : *square) dct(column);
  transpose(*square);
  for (std::size_t y = 0; y < kLowSide; ++y) dct((*square)[y]);

  std::array<double, 64> low{};
  for (std::size_t i = 0; i < low.size(); ++i) low[i] = (*square)[i / kLowSide][i % kLowSide];
  const double median = median_of_64(low);
  std::uint64_t hash = 0;
  for (const double term : low) hash = hash << 1 | (term > median ? 1 : 0);
  return hash;
}

std::uint64_t dhash(PixelsView grey) {
  const Pixels small = resize_lanczos(grey, {9, 8});
  std::uint64_t hash = 0;
  for (std::uint32_t y = 0; y < 8; ++y) {
    for (std::uint32_t x = 0; x < 8; ++x) hash = hash << 1 | (small.row(y)[x + 1] > small.row(y)[x] ? 1 : 0);
  }
  return hash;
}

PdqResult pdq(PixelsView pixels) {
  if (std::min(pixels.size.width, pixels.size.height) < kPdqSideMin) return {};
  if (pixels.channels == 4) return pdq(flatten_on_white(pixels).view());
  const Samples samples = sample(pixels);
  return {bits_over_median(low_terms(samples)), quality_of(samples)};
}

// A mirrored row's cosine terms are the same, those of odd frequency negated; turned by a quarter, rows are columns.
PdqTurns pdq_turns(PixelsView pixels) {
  if (std::min(pixels.size.width, pixels.size.height) < kPdqSideMin) return {};
  if (pixels.channels == 4) return pdq_turns(flatten_on_white(pixels).view());
  const Samples samples = sample(pixels);
  const std::array<float, 256> terms = low_terms(samples);
  struct Turned {
    bool swapped, flip_x, flip_y;  // rows and columns swapped first, then mirrored in the turned picture's axes
  };
  constexpr Turned kTurned[8] = {{false, false, false}, {true, true, false}, {false, true, true},  {true, false, true},
                                 {false, true, false},  {true, true, true},  {false, false, true}, {true, false, false}};
  PdqTurns turns{.quality = quality_of(samples)};
  for (std::size_t i = 0; i < 8; ++i) {
    std::array<float, 256> turned{};
    for (std::size_t y = 0; y < kPdqTerms; ++y) {
      for (std::size_t x = 0; x < kPdqTerms; ++x) {
        const float term = kTurned[i].swapped ? terms[x * kPdqTerms + y] : terms[y * kPdqTerms + x];
        const bool negated = (kTurned[i].flip_x && x % 2 == 0) != (kTurned[i].flip_y && y % 2 == 0);  // place 0 is frequency 1
        turned[y * kPdqTerms + x] = negated ? -term : term;
      }
    }
    turns.hashes[i] = bits_over_median(turned);
  }
  return turns;
}

PerceptualHashes perceptual_hashes(PixelsView pixels) {
  MAGPIE_CHECK(pixels.size.pixels() > 0, "hashing an empty picture");
  if (pixels.channels == 4) return perceptual_hashes(flatten_on_white(pixels).view());
  const Pixels grey = to_grey(pixels);
  const PdqResult by_pdq = pdq(pixels);
  return {phash(grey.view()), dhash(grey.view()), by_pdq.hash, by_pdq.quality};
}

std::string to_hex(const PdqHash& hash) {
  std::string text;
  for (std::size_t i = 4; i-- > 0;) text += magpie::to_hex(hash.words[i]);
  return text;
}

}  // namespace magpie::image
