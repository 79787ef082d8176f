#pragma once
// The facet of dates: how many hits were fetched within the last hour, day, week, month and year, and how many before.
#include <cstdint>
#include <vector>

#include "search/candidates.h"
#include "search/searcher.h"

namespace magpie {

/// As seen from `now_seconds`, Unix time: an hour, a day, 7, 30 and 365 days back, each with the shorter ones in it, and what is older than
/// all. A group of copies counts in each range that any of its pictures is in. Cost: one pass over the rows of `ids`.
Result<std::vector<DateRange>> count_dates(const SearchView& view, const IdSet& ids, std::int64_t now_seconds);

}  // namespace magpie
