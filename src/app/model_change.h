#pragma once
// A collection's change from one model's vectors to another's: both spaces compared, a new index built beside the old one, and the switch.
#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "app/collection.h"

namespace magpie {

/// What the change does to "more like this", asked of pictures spread evenly over the collection, among a sample of it.
struct SpaceComparison {
  std::size_t asked = 0;        // pictures
  std::size_t among = 0;        // pictures that have vectors in both spaces
  double same = 0;              // of the ten nearest in the old space, those that are among the ten nearest in the new one; 0 to 1
  std::size_t with_copies = 0;  // of those asked, the ones that have a near-copy in the sample
  double copies_before = 0, copies_after = 0;  // share of those whose nearest picture is one
};

/// Cost: kAsked × kAmong dot products, and as many rows of the catalog; a second or two.
Result<SpaceComparison> compare_spaces(const Catalog& catalog, std::string_view before, std::string_view after);
inline constexpr std::size_t kSpacePicturesAsked = 200, kSpacePicturesAmong = 4'000;

/// Builds an index of all pictures with vectors of `space` in a folder of its own, tells how far it is, and makes it the collection's
/// together with the space, in one transaction; until then, and where it fails or is stopped (kCancelled), nothing has changed. Nobody else
/// writes the while. The collection is to be opened anew behind it.
Result<void> switch_space(Collection& collection, std::string_view space, const std::stop_token& stop,
                          const std::function<void(std::uint64_t indexed)>& progress);

}  // namespace magpie
