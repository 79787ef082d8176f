#pragma once
// What a collection's pages say of its pictures, gathered for a bridge: each text once, with the pictures that it is said of.
#include <string>
#include <vector>

#include "core/catalog.h"

namespace magpie {

struct Sayings {
  std::vector<std::string> texts;
  std::vector<ImageId> pictures;
  std::vector<std::vector<std::uint32_t>> said;  // of each text the pictures, by their place in `pictures`
};

/// Alternative texts, captions, names of products, labels, and titles of pages; no addresses and names of files, nothing that is said of a
/// third of all pictures. Copies count as the first of them. Of more than `texts_max` some, the same ones every time. Cost: 0.3 ms a
/// picture.
Result<Sayings> gather_sayings(const Catalog& catalog, std::size_t texts_max);

/// The same letters in another order: it means nothing. The same text gives the same.
std::string shuffled_letters(const std::string& text);

}  // namespace magpie
