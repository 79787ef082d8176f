#pragma once
// Order and collapse: from the pictures found to hits, one per group of copies, in the order asked for.
#include <cstdint>
#include <vector>

#include "search/candidates.h"
#include "search/searcher.h"

namespace magpie {

/// One picture found. Smaller (behind, rank, key) comes first.
struct Found {
  ImageId id = kNoId, group = kNoId;
  bool behind = false;  // Candidates::stands_behind
  std::uint32_t rank = 0;
  std::int64_t key = 0;
  std::uint64_t pixels = 0;
  float score = 0;
  bool priced = false;  // an offer belongs to it
};

struct Collapsed {
  struct Hit {
    Found best;  // the picture shown, with the place of the group's first one in the order
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

/// One hit per group. Ordered by price, the group's first picture is shown, as its price is what was asked for. Otherwise the group
/// stands where its best picture stands, and shows the one with an offer, most pixels, lowest id: a shop's listing has a small
/// copy under fewer words, which would win by score. Cost: about 10 ns an id.
Collapsed collapse(const std::vector<Found>& found, SortOrder sort);

/// Sorts so that hits [offset, offset + limit) are in place and hands them over.
std::vector<Collapsed::Hit> take_page(Collapsed& collapsed, std::size_t offset, std::size_t limit);

}  // namespace magpie
