#include "pipeline/inherited_words.h"

#include <algorithm>
#include <map>
#include <set>

namespace magpie::pipeline {
namespace {

struct Said {
  float likeness = 0;
  std::size_t sayers = 0;
  ImageId nearest = kNoId;
};

/// Those that are heard: the nearest of each group.
std::vector<const LookAlike*> heard(std::span<const LookAlike> others) {
  const auto speaks = [](const LookAlike& other) { return !other.words.empty() && (other.is_copy || other.likeness >= kLikenessMin); };
  const bool copies_speak = std::ranges::any_of(others, [&](const LookAlike& other) { return other.is_copy && speaks(other); });
  std::vector<const LookAlike*> heard;
  std::set<ImageId> groups;
  for (const LookAlike& other : others) {
    if (heard.size() == kHeardMax) break;
    if (!speaks(other) || other.is_copy != copies_speak) continue;
    if (other.is_copy || groups.insert(other.group).second) heard.push_back(&other);
  }
  return heard;
}

}  // namespace

std::vector<InheritedWord> inherited_words(std::span<const LookAlike> others, std::span<const std::string> own) {
  std::map<std::string_view, Said> said;
  float likeness = 0;
  bool by_copies = false;
  for (const LookAlike* other : heard(others)) {
    likeness += other->likeness;
    by_copies |= other->is_copy;
    for (const std::string& word : other->words) {
      Said& one = said[word];
      one.likeness += other->likeness;
      if (++one.sayers == 1) one.nearest = other->id;
    }
  }
  std::vector<InheritedWord> words;
  for (const auto& [word, one] : said) {
    const float share = likeness > 0 ? one.likeness / likeness : 0;
    if (share < kSayingShareMin || (one.sayers < kSayersMin && !by_copies)) continue;
    if (std::ranges::find(own, word) == own.end()) words.push_back({std::string(word), std::min(share, 1.0F), one.nearest});
  }
  std::ranges::stable_sort(words, std::ranges::greater(), &InheritedWord::weight);
  if (words.size() > kInheritedWordsMax) words.resize(kInheritedWordsMax);
  return words;
}

}  // namespace magpie::pipeline
