#pragma once
// Words of a text, made comparable: the one analysis that documents and queries share, so that a query finds a word however it
// was written there. A term is folded: Unicode compatibility decomposition (NFKD), case folding, without accents and other marks
// ("Übergröße" -> "ubergrosse", "ＡＢＣ" -> "abc"). Folding does not depend on the language, so a query whose
// language nobody knows meets the same terms. Stems are a second, per-language step (stem()).
//
// Words are runs of letters, digits and marks (a simple form of UAX #29); an apostrophe or full stop between two letters or digits
// stays inside ("don't" -> "dont", "3.5" -> "3.5"). Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar text, which is written
// without spaces, becomes overlapping pairs of characters; a lone character stands for itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace magpie {

struct Token {
  std::string term;            // folded; never empty, at most kTermBytesMax bytes
  std::uint32_t position = 0;  // counts words (or pairs) from 0; neighbours differ by one
  bool operator==(const Token&) const = default;
};

/// Longer words are cut here, at a character.
inline constexpr std::size_t kTermBytesMax = 128;

/// Terms in order. `text` must be UTF-8 (malformed bytes separate words). `tokens_max` bounds the answer. Thread-safe;
/// about 50 MB/s of ASCII.
std::vector<Token> tokenise(std::string_view text, std::size_t tokens_max = 1'000'000);

/// The folded form of a whole text, e.g. to compare two names: words joined by one space.
std::string fold(std::string_view text);

/// The stem of a folded term in a language (BCP 47 tag, only its primary part counts): "dresses", "en" -> "dress". The term itself
/// where the language has no stemmer (libstemmer has 28). Thread-safe: each thread keeps its own stemmers.
std::string stem(std::string_view term, std::string_view language);

/// Whether the folded term is one of the language's commonest words ("the", "und"), of no use as a keyword. Languages without a list
/// have none. Never drop these from an index of documents: queries must be able to ask for them.
bool is_stop_word(std::string_view term, std::string_view language);

}  // namespace magpie
