#pragma once
// What a person types into the search box, taken apart:
//   red chair            words, anywhere and in any order
//   "red chair"          a phrase: these words, one behind the other
//   -plastic -"for hire"  what no hit may have: a word, or a phrase
// A quotation mark opens a phrase where a word begins, and only if another one closes it: 27" is a word. A minus sign excludes where a
// word begins and directly before that word or phrase: "t-shirt" and "a - b" exclude nothing. Curved and angled quotation marks count, too,
// as telephones type them. Nothing else is a sign.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace magpie {

struct TypedWords {
  std::string words;  // joined by one space, without those of phrases
  std::vector<std::string> phrases, without;
  bool operator==(const TypedWords&) const = default;

  /// Words or phrases: something that a hit must have.
  bool asks() const { return !words.empty() || !phrases.empty(); }
};
inline constexpr std::size_t kTypedPhrasesMax = 32;  // phrases, and as many exclusions

/// kBadInput: more than kTypedPhrasesMax of either. `typed` is UTF-8. Cost: one pass.
Result<TypedWords> parse_typed_words(std::string_view typed);

/// Whether there is a word in it: anything but white space and ASCII punctuation.
bool has_words(std::string_view text);

}  // namespace magpie
