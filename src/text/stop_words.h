#pragma once
// The commonest words of a language, folded as tokens are, separated by single spaces: articles, pronouns, prepositions, and the words
// that every shop page repeats. Short on purpose: they only keep keywords clean.
#include <string_view>

namespace magpie {

/// By BCP 47 primary tag; empty for languages without a list.
std::string_view stop_words(std::string_view primary_language);

}  // namespace magpie
