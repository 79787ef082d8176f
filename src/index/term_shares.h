#pragma once
// What one posting is worth to a search by words. BM25F (Robertson & Zaragoza 2009, §3.5 "simple BM25F") over four fields: occurrences are
// weighted by field and by the field's length against its average, summed over fields, and saturated once per word.
#include <array>
#include <bit>
#include <cstdint>

#include "index/segment_format.h"

namespace magpie::index {

/// Shares of the most that a word can give, of terms of one weight. Made once a snapshot (16 KB, 10 µs); immutable.
class TermShares {
 public:
  static constexpr float kSaturation = 1.2F;  // BM25's k1

  TermShares(const std::array<double, kFieldCount>& average_lengths, float term_weight);
  /// Of a posting's field byte and the document's kFieldCount lengths.
  float of(std::uint8_t fields, const std::uint8_t* lengths) const {
    const auto field = static_cast<std::size_t>(std::countr_zero(fields)) / 2;
    const unsigned times = fields >> (2 * field);
    if (times - 1 < kFieldOccurrencesMax) return shares_[field][times][lengths[field]];  // mostly it is one field
    float sum = 0;
    for (unsigned rest = fields; rest != 0;) {
      const auto next = static_cast<std::size_t>(std::countr_zero(rest)) / 2;
      sum += worth_[next][(rest >> (2 * next)) & kFieldOccurrencesMax][lengths[next]];
      rest &= ~(kFieldOccurrencesMax << (2 * next));
    }
    return saturated(sum);
  }

 private:
  float saturated(float worth) const { return term_weight_ * worth / (term_weight_ * worth + kSaturation); }

  using Table = float[kFieldCount][kFieldOccurrencesMax + 1][256];
  float term_weight_;
  Table worth_, shares_;
};

}  // namespace magpie::index
