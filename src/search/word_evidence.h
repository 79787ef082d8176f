#pragma once
// Why a hit has a query's words: which of them stand in which of its texts. Made anew from the texts, for the hits that are shown.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "search/searcher.h"

namespace magpie {

enum class TextField : std::uint8_t { kTitle, kAlt, kKeywords, kDescription, kInherited };
/// "title", "alt", "keywords", "description", "inherited": of pictures that look like it (core/surroundings.h).
std::string_view to_string(TextField field);

struct WordEvidence {
  std::string word;  // as it is compared: in small letters, without accents; a phrase as it was typed
  bool is_phrase = false;
  std::vector<TextField> fields;  // at least one
};

/// Words first, then phrases, each once, without those that are nowhere; as many as the index reads. A word stands where the index finds
/// it: itself or one of the same stem, in the field's language or in the query's; a phrase of several words as it is. Cost: one pass over
/// the texts, some 0.5 µs a word of theirs.
std::vector<WordEvidence> word_evidence(const SearchQuery& query, const IndexDocument& document);

}  // namespace magpie
