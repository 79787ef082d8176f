#pragma once
// What was probably meant by a word that no document has.
#include <optional>
#include <string>
#include <string_view>

#include "index/snapshot.h"

namespace magpie::index {

/// A term of the index that begins with the same character and is one edit away (Damerau 1964: a character too many, too few, another, or
/// two neighbours exchanged), or two from kTwoTyposMin characters on: the one with the fewest edits, then the most live documents, then the
/// first by name. Nothing for words of fewer than kTypoMin characters; and no number is guessed, nor a word with a digit. Cost: about 50 ns
/// for each term with that first character.
std::optional<std::string> meant_by(const Snapshot& snapshot, std::string_view term);
inline constexpr std::size_t kTypoMin = 4, kTwoTyposMin = 8;

/// Edits between two words of Unicode characters, no further than `most`: one more stands for all that are further apart. Each place is
/// edited once (optimal string alignment).
std::size_t edits_between(std::u32string_view a, std::u32string_view b, std::size_t most);

}  // namespace magpie::index
