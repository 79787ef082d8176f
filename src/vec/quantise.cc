#include "vec/quantise.h"

#include <algorithm>
#include <cmath>

#include "vec/dot.h"
#include "vec/four.h"

namespace magpie::vec {
namespace {

using Doubles = double __attribute__((vector_size(32)));
using FourShorts = std::int16_t __attribute__((vector_size(8)));

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
  Doubles lost{}, squares{};
  FourInts sum{};
  const auto take = [&](Four four, std::int16_t* to) {
    const FourInts whole = rounded(four * inverse);  // up to kQueryValueMax, as `scale` is of the largest
    const FourShorts narrow = __builtin_convertvector(whole, FourShorts);
    std::memcpy(to, &narrow, sizeof narrow);
    sum += whole;
    const Doubles kept = double{scale} * __builtin_convertvector(whole, Doubles);
    const Doubles residual = __builtin_convertvector(four, Doubles) - kept;
    lost += residual * residual;
    squares += kept * kept;
  };
  const std::size_t even = vector.size() / 4 * 4;
  for (std::size_t i = 0; i < even; i += 4) take(load(vector.data() + i), &values[i]);
  Four rest{};
  for (std::size_t i = even; i < vector.size(); ++i) rest[i - even] = vector[i];
  if (even < vector.size()) take(rest, &values[even]);
  value_sum = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  error = rounded_up(std::sqrt((lost[0] + lost[1]) + (lost[2] + lost[3])));
  norm = rounded_up(std::sqrt((squares[0] + squares[1]) + (squares[2] + squares[3])));
}

}  // namespace magpie::vec
