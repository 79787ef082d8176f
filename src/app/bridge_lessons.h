#pragma once
// What a collection's pages say of its pictures, gathered for a bridge: each text once, with the pictures that it is said of.
#include <stop_token>
#include <string>
#include <vector>

#include "core/catalog.h"

namespace magpie {

struct Sayings {
  std::vector<std::string> texts;
  std::vector<ImageId> pictures;
  std::vector<std::vector<std::uint32_t>> said;  // of each text the pictures, by their place in `pictures`
};

/// What gathering may take. A million pictures do not say more of what is called how than a sample of them does.
struct SayingsLimits {
  std::size_t texts = 10'000;
  std::size_t pictures = 20'000;  // in Sayings::pictures, whose vectors a bridge is learnt from (some 5 KB each)
  std::size_t read = 50'000;      // pictures whose pages are looked at
};

/// Alternative texts, captions, names of products, labels, and titles of pages; no addresses and names of files, nothing that is said of a
/// third of the pictures looked at. Copies count as the first of them. Of more than the limits a sample by hash, the same one every time.
/// kCancelled within some ms of `stop`. Cost: one pass over the pictures, 0.3 ms for each that is looked at; memory some 2 KB each.
Result<Sayings> gather_sayings(const Catalog& catalog, const SayingsLimits& limits, const std::stop_token& stop = {});

/// The same letters in another order: it means nothing. The same text gives the same.
std::string shuffled_letters(const std::string& text);

}  // namespace magpie
