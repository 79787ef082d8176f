#include "vec/sketch.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace magpie::vec {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): signs must be the same for ever, so no library's generator.
std::uint64_t mixed(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
  return state ^ (state >> 31);
}

using Four = float __attribute__((vector_size(16)));

Four load(const float* from) {
  Four value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
float sum_of(Four value) { return (value[0] + value[2]) + (value[1] + value[3]); }
void store(float* to, Four value) { std::memcpy(to, &value, sizeof value); }

// Walsh-Hadamard, scaled to keep lengths. `values` has a power of two, 64 at least.
void transform(std::span<float> values) {
  const float scale = 1 / std::sqrt(static_cast<float>(values.size()));
  for (float* at = values.data(); at != values.data() + values.size(); at += 4) {
    Four four = load(at) * scale;
    four = __builtin_shufflevector(four, four, 1, 0, 3, 2) + four * Four{1, -1, 1, -1};
    four = __builtin_shufflevector(four, four, 2, 3, 0, 1) + four * Four{1, 1, -1, -1};
    store(at, four);
  }
  for (std::size_t half = 4; half < values.size(); half *= 2) {
    for (std::size_t block = 0; block < values.size(); block += 2 * half) {
      float* const low = values.data() + block;
      float* const high = low + half;
      for (std::size_t i = 0; i < half; i += 4) {
        const Four a = load(low + i), b = load(high + i);
        store(low + i, a + b);
        store(high + i, a - b);
      }
    }
  }
}

std::vector<float> rotated_difference(std::span<const float> vector, std::span<const float> centre, const Rotation& rotation) {
  std::vector<float> difference(vector.begin(), vector.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= centre[i];
  rotation.apply(difference);
  return difference;
}

}  // namespace

Rotation::Rotation(std::size_t size) : size_(size), block_(std::bit_floor(size)) {
  MAGPIE_CHECK(size % kPadding == 0, "{} components", size);
  signs_.resize(2 * kRounds * size);
  for (std::size_t i = 0; i < signs_.size(); ++i) signs_[i] = (mixed(i / 64) >> (i % 64) & 1) != 0 ? 1.0F : -1.0F;
}

// The transform has a power of two; one over the front and one over the back reach all components, and rounds mix them.
void Rotation::apply(std::span<float> vector) const {
  MAGPIE_CHECK(vector.size() == size_, "{} components in place of {}", vector.size(), size_);
  const float* signs = signs_.data();
  for (int round = 0; round < kRounds; ++round) {
    for (const std::size_t begin : {std::size_t{0}, size_ - block_}) {
      for (std::size_t i = 0; i < size_; ++i) vector[i] *= signs[i];
      signs += size_;
      if (block_ > 0) transform(vector.subspan(begin, block_));
    }
  }
}

SketchScale make_sketch(std::span<const float> vector, std::span<const float> centre, const Rotation& rotation,
                        std::span<std::uint64_t> words) {
  SketchScale scale;
  for (std::size_t i = 0; i < vector.size(); ++i) scale.centre_dot += (vector[i] - centre[i]) * centre[i];
  const std::vector<float> rotated = rotated_difference(vector, centre, rotation);
  std::fill(words.begin(), words.end(), 0);
  double squares = 0, sum = 0;
  for (std::size_t i = 0; i < rotated.size(); ++i) {
    squares += double{rotated[i]} * rotated[i];
    sum += std::abs(rotated[i]);
    if (rotated[i] > 0) words[i / 64] |= std::uint64_t{1} << (i % 64);
  }
  for (const std::uint64_t word : words) scale.ones += static_cast<std::uint32_t>(std::popcount(word));
  if (sum <= 0) return scale;
  const auto size = static_cast<double>(rotated.size());
  scale.scale = static_cast<float>(squares / sum);
  const double agreement = sum / std::sqrt(squares * size);  // the paper's <o-bar, o>
  scale.error = static_cast<float>(std::sqrt(squares * std::max(0.0, 1 / (agreement * agreement) - 1) / (size - 1)));
  return scale;
}

SketchQuery::SketchQuery(std::span<const float> query, std::span<const float> centre, const Rotation& rotation)
    : planes_(kPlanes * sketch_words(query.size())), centre_dot_(static_cast<float>(dot(query, centre))), sums_(sketch_sums()) {
  const std::vector<float> rotated = rotated_difference(query, centre, rotation);
  for (const float value : rotated) least_ = std::max(least_, std::abs(value));
  if (least_ == 0) return;
  constexpr int kValueMax = (1 << kPlanes) - 1;
  step_ = 2 * least_ / kValueMax;
  const std::size_t words = sketch_words(query.size());
  const Four step = Four{} + step_, least = Four{} + least_, least_steps = Four{} + (least_ / step_ + 0.5F);
  Four squares{}, lost{}, total{};
  for (std::size_t i = 0; i < rotated.size(); i += 16) {
    __m128i values[4];
    for (std::size_t four = 0; four < 4; ++four) {
      const Four here = load(rotated.data() + i + 4 * four);
      values[four] = _mm_cvttps_epi32(here / step + least_steps);  // 0 to kValueMax, as |here| <= least
      const Four kept = _mm_cvtepi32_ps(values[four]) * step - least;
      squares += here * here;
      lost += (here - kept) * (here - kept);
      total += kept;
    }
    const __m128i bytes = _mm_packus_epi16(_mm_packs_epi32(values[0], values[1]), _mm_packs_epi32(values[2], values[3]));
    for (int plane = 0; plane < kPlanes; ++plane) {
      // The plane's bit goes to the top of each byte, from where movemask takes it.
      const auto bits = static_cast<std::uint64_t>(_mm_movemask_epi8(_mm_slli_epi16(bytes, 7 - plane)));
      planes_[static_cast<std::size_t>(plane) * words + i / 64] |= bits << (i % 64);
    }
  }
  norm_ = std::sqrt(sum_of(squares));
  lost_ = std::sqrt(sum_of(lost));
  total_ = sum_of(total);
}

}  // namespace magpie::vec
