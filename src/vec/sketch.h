#pragma once
// One bit a component, for the first pass over many vectors: an eighth of the memory that one-byte codes take, and of the time. A sketch
// gives a vector's similarity to a query up to an error that is small with near certainty; what may belong to the answer is looked at more
// closely (quantise.h).
//
// After Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate Nearest Neighbor Search"
// (SIGMOD 2024): vectors are taken relative to a centre c, rotated at random, and kept as the signs of their components. With r = v - c
//   q·v = q·c + r·c + r·(q - c)
// the first two are exact, and the third is estimated from the signs. Its error is that of a random direction: in D dimensions about
// 1 / sqrt(D) of |r| |q - c|, which is why the centre matters.
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "vec/dot.h"

namespace magpie::vec {

/// A fixed random rotation of vectors of padded() size: signs and Walsh-Hadamard transforms in turn. The same for the same size, always:
/// sketches on disk depend on it. apply() is thread-safe. Cost: about 10 µs for 1,280 components.
class Rotation {
 public:
  /// `size` is a multiple of kPadding.
  explicit Rotation(std::size_t size);
  void apply(std::span<float> vector) const;

 private:
  static constexpr int kRounds = 3;
  std::size_t size_, block_;
  std::vector<float> signs_;  // of 2 * kRounds transforms
};

/// What the estimate needs of one vector beside its signs. Persisted.
struct SketchScale {
  float centre_dot = 0;    // r·c
  float scale = 0;         // |r|² / sum of |r'|, r' being r rotated
  float error = 0;         // standard deviation of the estimate of r·u for a unit vector u
  std::uint32_t ones = 0;  // signs that are positive
};

/// Words of a sketch.
constexpr std::size_t sketch_words(std::size_t size) { return size / 64; }

/// Sketches `vector` relative to `centre`, both padded with zeros to the rotation's size; `words` has sketch_words().
SketchScale make_sketch(std::span<const float> vector, std::span<const float> centre, const Rotation& rotation,
                        std::span<std::uint64_t> words);

/// A query ready to be compared with the sketches around one centre: its components rotated, in four bits, as bit planes.
class SketchQuery {
 public:
  static constexpr int kPlanes = kSketchPlanes;
  /// How many standard deviations bound() allows for: one row in about two million is further off.
  static constexpr float kDeviations = 5;

  SketchQuery(std::span<const float> query, std::span<const float> centre, const Rotation& rotation);

  struct Estimate {
    float similarity = 0, bound = 0;
  };
  /// Of so many rows at once, the memory they take staying in the nearest cache.
  static constexpr std::size_t kRowsMax = 64;
  using Sums = std::array<std::uint32_t, kRowsMax>;
  /// What estimate() needs of each row; rows.count is at most kRowsMax.
  void sums(const SketchRows& rows, Sums& sums) const { sums_(rows, planes_.data(), sums.data()); }
  Estimate estimate(std::uint32_t sum, const SketchScale& scale) const {
    const float product = 2 * (step_ * static_cast<float>(sum) - least_ * static_cast<float>(scale.ones)) - total_;
    const float by_signs = scale.error * norm_, by_planes = scale.scale * lost_;
    return {centre_dot_ + scale.centre_dot + scale.scale * product,
            kDeviations * std::sqrt(by_signs * by_signs + by_planes * by_planes) + 1e-5F};
  }

 private:
  std::vector<std::uint64_t> planes_;
  float centre_dot_ = 0;        // q·c
  float norm_ = 0;              // |q - c|
  float step_ = 0, least_ = 0;  // component ≈ step × value - least
  float total_ = 0;             // sum of the components as they are kept
  float lost_ = 0;              // norm of what four bits lost
  SketchSums sums_;
};

}  // namespace magpie::vec
