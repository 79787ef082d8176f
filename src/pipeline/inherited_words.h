#pragma once
// Keyword propagation: which words a picture with few of its own takes over from those that look like it. Pure.
//
// Of pictures whose words were hidden, this rule gave back words of which 85 in 100 (stamps) and 91 in 100 (clothing) were theirs
// (bench/results/words_and_looks.md). That two say a word counts for more than how like they are.
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/surroundings.h"

namespace magpie::pipeline {

struct LookAlike {
  ImageId id = kNoId;
  ImageId group = kNoId;           // of copies
  float likeness = 0;              // 0: as like as any two pictures of the collection; 1: equal
  bool is_copy = false;            // of the picture that inherits
  std::vector<std::string> words;  // its own, each once
};

inline constexpr std::size_t kFewWords = 3;     // a picture with as many does not inherit
inline constexpr float kLikenessMin = 0.5F;     // of those it inherits from
inline constexpr float kSayingShareMin = 0.5F;  // of their likeness, behind a word
inline constexpr std::size_t kSayersMin = 2;    // groups of them; one copy is enough
inline constexpr std::size_t kHeardMax = 10;    // look-alikes with words, the nearest of each group
inline constexpr std::size_t kInheritedWordsMax = 12;

/// `others` in order of likeness, those without words and those too unlike among them; words of `own` are left out. Where copies of the
/// picture itself have words, they alone are heard. The heaviest word first, of equals by their letters.
std::vector<InheritedWord> inherited_words(std::span<const LookAlike> others, std::span<const std::string> own);

}  // namespace magpie::pipeline
