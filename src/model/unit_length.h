#pragma once
#include <cmath>
#include <vector>

namespace magpie::model {

/// Scales to unit length, but for a vector of zeros. False for one that is not finite.
inline bool make_unit_length(std::vector<float>& vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  if (!std::isfinite(sum)) return false;
  if (sum <= 0) return true;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& x : vector) x = static_cast<float>(x * scale);
  return true;
}

}  // namespace magpie::model
