#pragma once
// Learns a bridge (learn/bridge.h) from pairs of texts and pictures, and finds out how good it is: a tenth of the pictures is left out
// first, the rest is learnt from, and the texts of those left out are asked: those that are said of no other picture, where there are some.
//
// Ridge regression in closed form: W = (X'X + λ tr(X'X)/d I)^-1 X'Y over centred pairs (Hoerl and Kennard 1970), one Cholesky factor for
// all columns.
#include <span>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "learn/bridge.h"

namespace magpie::learn {

/// What is learnt from. Pictures are named by their place in `pictures`.
struct Lessons {
  std::vector<Embedding> texts;  // unit length
  std::vector<Embedding> pictures;
  std::vector<bool> held_back;                   // of each picture: left out in the trial
  std::vector<std::vector<std::uint32_t>> said;  // of each text the pictures that it is said of, at least one
  std::vector<Embedding> nonsense;               // vectors of texts that mean nothing, to tell what does
};

/// Pairs of a text and a picture at least.
inline constexpr std::size_t kPairsMin = 200;

/// Everything but the spaces and the time of BridgeFacts is filled in. kNotFound for fewer than kPairsMin pairs, kBadInput for vectors of
/// different dims, kCancelled within a second of `stop`. Memory: the lessons, and of each text three times both vectors. Cost: seconds
/// (README.md).
Result<Bridge> train_bridge(const Lessons& lessons, const std::stop_token& stop = {});

}  // namespace magpie::learn
