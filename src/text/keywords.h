#pragma once
// The most telling words of a page or picture, from texts of different weight.
#include <string>
#include <string_view>
#include <vector>

namespace magpie {

struct WeightedText {
  std::string_view text;  // UTF-8, borrowed for the call
  double weight = 1;      // of one occurrence; a title counts more than running text
};

/// At most `count_max` words, most telling first, in the form in which they stand folded (text/tokens.h), one per stem, without
/// stop words, bare numbers and single letters. A word's score is the sum of its weights, damped per text so that a page cannot shout.
/// Thread-safe; one pass over the texts.
std::vector<std::string> keywords_of(const std::vector<WeightedText>& texts, std::string_view language, std::size_t count_max = 32);

}  // namespace magpie
