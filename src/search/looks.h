#pragma once
// What words find by looks: pictures whose pages never used the words, or used those of another language. The rules are in searcher.h.
#include "core/words_placer.h"
#include "search/candidates.h"

namespace magpie {

/// Adds to what the words have found. A placer that fails adds nothing, and is logged.
Result<void> add_looks(const SearchView& view, const SearchQuery& query, const WordsPlacer& placer, Candidates& found);

}  // namespace magpie
