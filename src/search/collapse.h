#pragma once
// Order and collapse: from the pictures found to hits, one per group of copies, in the order asked for.
#include <cstdint>
#include <vector>

#include "search/candidates.h"
#include "search/searcher.h"

namespace magpie {

/// One picture found. Smaller (rank, key) comes first.
struct Found {
  ImageId id = kNoId, group = kNoId;
  std::uint32_t rank = 0;
  std::int64_t key = 0;
  std::uint64_t pixels = 0;
  float score = 0;
};

struct Collapsed {
  struct Hit {
    Found best;
    std::uint64_t copies = 0;
  };
  struct Copy {
    ImageId group = kNoId, id = kNoId;
  };
  std::vector<Hit> hits;     // in no order until sort_page()
  std::vector<Copy> copies;  // pictures that are not shown themselves
};

/// Reads the rows of `ids` and gives each its place in the order. Cost: about 20 ns an id.
Result<std::vector<Found>> order_found(const SearchView& view, const IdSet& ids, const Candidates& candidates, SortOrder sort,
                                       float text_weight);

/// One hit per group. Cost: about 10 ns an id.
Collapsed collapse(const std::vector<Found>& found);

/// Sorts so that hits [offset, offset + limit) are in place and hands them over.
std::vector<Collapsed::Hit> take_page(Collapsed& collapsed, std::size_t offset, std::size_t limit);

}  // namespace magpie
