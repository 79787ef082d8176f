#pragma once
// Four floats at once, for what is done once a query: without it a component takes as long as a row does in a walk. Operations come in one
// order, so results are the same on every machine.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

namespace magpie::vec {

using Four = float __attribute__((vector_size(16)));
using FourInts = std::int32_t __attribute__((vector_size(16)));

inline Four load(const float* from) {
  Four value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline float sum_of(Four lanes) { return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]); }

/// To the nearest, halves away from zero. Each must fit.
inline FourInts rounded(Four values) {
  constexpr std::int32_t kSign = std::numeric_limits<std::int32_t>::min(), kHalf = std::bit_cast<std::int32_t>(0.5F);
  const FourInts half = (std::bit_cast<FourInts>(values) & kSign) | kHalf;
  return __builtin_convertvector(values + std::bit_cast<Four>(half), FourInts);
}

/// The largest absolute value; 0 of none.
inline float largest(std::span<const float> values) {
  constexpr std::int32_t kUnsigned = std::numeric_limits<std::int32_t>::max();
  const auto without_sign = [](Four four) { return std::bit_cast<Four>(std::bit_cast<FourInts>(four) & kUnsigned); };
  const auto greater = [](Four a, Four b) { return a > b ? a : b; };
  Four most[4] = {};
  std::size_t i = 0;
  for (; i + 16 <= values.size(); i += 16) {
    for (std::size_t four = 0; four < 4; ++four) most[four] = greater(without_sign(load(values.data() + i + 4 * four)), most[four]);
  }
  const Four all = greater(greater(most[0], most[1]), greater(most[2], most[3]));
  float one = std::max(std::max(all[0], all[1]), std::max(all[2], all[3]));
  for (; i < values.size(); ++i) one = std::max(one, std::abs(values[i]));
  return one;
}

}  // namespace magpie::vec
