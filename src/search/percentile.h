#pragma once
// How unusual a similarity is: the share of the collection's pictures that are less like the query.
#include <optional>
#include <vector>

#include "search/candidates.h"

namespace magpie {

/// Pictures that are asked, so many to twice as many, spread evenly over the collection by id; the same for the same commit.
inline constexpr std::size_t kPercentileSample = 1'000;

/// Cosines of the sample to the query within the scope, ascending; those of pictures without a vector there are missing.
/// Cost: kPercentileSample vectors, about 0.5 ms with 1,280 components, and a list of all ids.
Result<std::vector<float>> sample_similarities(const SearchView& view, const Embedding& vector, const VectorScope& scope);

/// The share of `ascending` below `similarity`, from 0 to less than 1; nothing where there is none.
std::optional<float> share_below(const std::vector<float>& ascending, float similarity);

}  // namespace magpie
