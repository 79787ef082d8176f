#pragma once
// Prices of a result, per currency: least, most, and how many hits lie in which range.
#include <cstdint>
#include <vector>

#include "search/candidates.h"
#include "search/searcher.h"

namespace magpie {

/// Where price ranges begin, ascending, at most kPriceRangesMax, the first one at or below `min`. min <= max; prices below zero count as
/// zero.
std::vector<std::int64_t> price_range_starts(std::int64_t min_micros, std::int64_t max_micros);

/// Most hits first, then by currency. A group of copies counts once per currency and once per range. Pictures with a price but no
/// currency are not counted.
Result<std::vector<PriceFacet>> count_prices(const SearchView& view, const IdSet& ids);

}  // namespace magpie
