#pragma once
// Words of documents and of queries, by one analysis (text/tokens.h): a document is found by its folded words, and by their stems in
// its own language. A query's language is rarely known, so each of its words also asks for its stems in every language there is.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "core/text_index.h"
#include "index/segment_format.h"

namespace magpie::index {

/// One term of one document; `fields` as in a posting.
struct TermUse {
  std::string term;
  std::uint8_t fields = 0;
  std::uint32_t positions_begin = 0, positions_end = 0;  // in AnalysedDocument::positions; a stem has none
};

/// A document as the index keeps it: its facts, without texts, and its terms, each once, in no order.
struct AnalysedDocument {
  IndexDocument facts;
  std::vector<TermUse> terms;
  std::string positions;                            // of all terms, encoded as in postings.h
  std::array<std::uint8_t, kFieldCount> lengths{};  // words per field, at most 255

  std::string_view positions_of(const TermUse& use) const {
    return std::string_view(positions).substr(use.positions_begin, use.positions_end - use.positions_begin);
  }
};

/// Words of one field that are read at most.
inline constexpr std::size_t kFieldWordsMax = 20'000;
/// Words of a query that are read at most, those of phrases first; later ones are not asked for.
inline constexpr std::size_t kQueryWordsMax = 64;

/// Thread-safe. About 10 MB/s of text.
AnalysedDocument analyse(IndexDocument document);

/// Of a word's stems; the word itself has 1.
inline constexpr float kStemWeight = 0.8F;

/// One word of a query: a document has it if it has any of the terms.
struct QueryTerm {
  std::string term;
  float weight = 1;  // or kStemWeight
};
struct QueryWord {
  std::vector<QueryTerm> terms;
  bool required = true;  // otherwise it only adds to the score
  bool quoted = false;   // of a phrase alone: neither stemmed nor mended
};
struct AnalysedQuery {
  std::vector<QueryWord> words;                   // different ones, in order; those of phrases among them
  std::vector<std::vector<std::string>> phrases;  // their words as they are, two or more
};

/// A folded word and its stems, in `language` or, if that is "", in all of `languages`.
QueryWord analyse_word(const std::string& term, const std::string& language, std::span<const std::string> languages);

/// `languages`: those of the documents; used when the query's own is unknown. A phrase of one word is that word, without its stems.
AnalysedQuery analyse_query(const TextQuery& query, std::span<const std::string> languages);

}  // namespace magpie::index
