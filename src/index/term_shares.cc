#include "index/term_shares.h"

namespace magpie::index {
namespace {

constexpr float kFieldWeights[kFieldCount] = {4.0F, 2.5F, 1.5F, 1.0F};
constexpr float kLengthPull = 0.5F;  // BM25's b: 0 ignores lengths, 1 divides by them

}  // namespace

TermShares::TermShares(const std::array<double, kFieldCount>& average_lengths, float term_weight) : term_weight_(term_weight) {
  for (std::size_t field = 0; field < kFieldCount; ++field) {
    for (std::size_t length = 0; length < 256; ++length) {
      const double norm = 1 - kLengthPull + kLengthPull * static_cast<double>(length) / average_lengths[field];
      const float once = kFieldWeights[field] / static_cast<float>(norm);
      for (unsigned times = 0; times <= kFieldOccurrencesMax; ++times) {
        worth_[field][times][length] = static_cast<float>(times) * once;
        shares_[field][times][length] = saturated(worth_[field][times][length]);
      }
    }
  }
}

}  // namespace magpie::index
