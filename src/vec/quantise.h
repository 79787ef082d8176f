#pragma once
// One byte a component instead of four, with a bound on what that costs. A search scans the codes, and the bound tells which rows
// may belong to the answer; only those are compared with their float32 vectors. So the answer is that of a scan of the floats,
// at a quarter of the memory traffic, which is what a scan is limited by.
//
//   v ≈ scale × (code - 128), code 1..255, scale = max |v| / 127, error = |v - v'| (Euclidean)
//   q ≈ scale × value, value -8'191..8'191: sixteen bits, since a query's precision costs nothing in memory traffic
//   |q·v - q'·v'| <= |q'| × error(v) + error(q) × |v|      (Cauchy-Schwarz, both residuals)
#include <cstdint>
#include <span>
#include <vector>

namespace magpie::vec {

struct CodeScale {
  float scale = 0;
  float error = 0;  // Euclidean norm of what rounding lost, rounded up
};

/// Scales to unit length. False, and unchanged, for a vector that is all zero or not finite.
bool normalise(std::span<float> vector);

/// Writes one code per component and 128 (zero) into what is left of `codes`, which has at least vector.size() bytes.
CodeScale quantise(std::span<const float> vector, std::span<std::uint8_t> codes);

/// A query ready to be compared with codes.
struct QuantisedQuery {
  explicit QuantisedQuery(std::span<const float> vector);

  /// Similarity to a unit vector with these codes, from the sum that DotFunctions::codes gave for values and codes.
  float similarity(std::int64_t sum, const CodeScale& code) const { return scale * code.scale * static_cast<float>(sum - 128 * value_sum); }
  /// How far similarity() may be from the float32 dot product, at most; includes float rounding.
  float bound(const CodeScale& code) const { return norm * code.error + error * 1.0001F + 1e-5F; }

  std::vector<std::int16_t> values;  // padded() with zeros
  std::int64_t value_sum = 0;
  float scale = 0, error = 0, norm = 0;
};

}  // namespace magpie::vec
