#pragma once
// What the pictures like one say of it: words that it inherits from them, and how far it stands apart.
#include <cstdint>
#include <string>
#include <vector>

#include "core/records.h"

namespace magpie {

/// A word that look-alikes of a picture have and the picture has not.
struct InheritedWord {
  std::string word;        // folded (text/tokens.h)
  float weight = 0;        // share of the look-alikes' likeness that says it, above 0 to 1
  ImageId source = kNoId;  // the most similar one that has it
  bool operator==(const InheritedWord&) const = default;
};

/// As of when they were last looked at; the collection grows on.
struct Surroundings {
  std::string space;              // of the vectors by which it was compared
  float rarity = 1;               // 1 - the mean likeness of its ten nearest; 1 where nothing is like it
  std::uint32_t look_alikes = 0;  // of those ten, as many as are like it
  std::uint32_t own_words = 0;
  std::vector<InheritedWord> words;  // the heaviest first
  bool operator==(const Surroundings&) const = default;
};

/// The picture that was looked around from, as it was then.
struct Onlooker {
  ImageId image = kNoId;
  ImageId copy_group = kNoId;
  std::vector<std::string> own_words;  // Catalog::own_words
};

/// What makes a picture worth noting, for whoever learns it: facts alone, none of them weighed.
struct NoteworthyFeatures {
  float rarity = 1;
  std::uint32_t look_alikes = 0, own_words = 0, inherited_words = 0;
  std::uint32_t copies = 0;                          // others of its group
  std::uint32_t pages = 0, shops = 0, products = 0;  // that show it
  std::uint32_t price_changes = 0;                   // of those products, ever
  std::uint32_t labels = 0, regions = 0;
  std::uint64_t pixels = 0;
  std::uint32_t frames = 1;
  Timestamp fetched_at{};  // when its bytes first came
};

}  // namespace magpie
