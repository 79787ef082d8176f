#include "vec/quantise.h"

#include <algorithm>
#include <cmath>

#include "vec/dot.h"

namespace magpie::vec {
namespace {

float largest(std::span<const float> vector) {
  float most = 0;
  for (const float value : vector) most = std::max(most, std::abs(value));
  return most;
}

// Errors bound a search, so they are never rounded down.
float rounded_up(double value) { return std::nextafter(static_cast<float>(value), 1e30F); }

}  // namespace

bool normalise(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += double{value} * double{value};
  if (!std::isfinite(squares) || squares <= 0) return false;
  const double length = std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(value / length);
  return true;
}

CodeScale quantise(std::span<const float> vector, std::span<std::uint8_t> codes) {
  const float most = largest(vector);
  const float scale = most > 0 ? most / 127 : 1;
  double lost = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const long code = std::clamp(std::lround(vector[i] / scale), -127L, 127L);
    codes[i] = static_cast<std::uint8_t>(code + 128);
    const double residual = double{vector[i]} - double{scale} * static_cast<double>(code);
    lost += residual * residual;
  }
  std::fill(codes.begin() + static_cast<std::ptrdiff_t>(vector.size()), codes.end(), std::uint8_t{128});
  return {scale, rounded_up(std::sqrt(lost))};
}

QuantisedQuery::QuantisedQuery(std::span<const float> vector) : values(padded(vector.size()), 0) {
  const float most = largest(vector);
  scale = most > 0 ? most / kQueryValueMax : 1;
  const float inverse = 1 / scale;
  double lost = 0, squares = 0;
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const float scaled = std::clamp(vector[i] * inverse, -float{kQueryValueMax}, float{kQueryValueMax});
    const auto value = static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5F : 0.5F));
    values[i] = static_cast<std::int16_t>(value);
    sum += value;
    const double kept = double{scale} * value;
    lost += (vector[i] - kept) * (vector[i] - kept);
    squares += kept * kept;
  }
  value_sum = sum;
  error = rounded_up(std::sqrt(lost));
  norm = rounded_up(std::sqrt(squares));
}

}  // namespace magpie::vec
