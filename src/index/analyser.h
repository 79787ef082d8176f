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
};

/// A document as the index keeps it: its facts, without texts, and its terms, each once, in no order.
struct AnalysedDocument {
  IndexDocument facts;
  std::vector<TermUse> terms;
  std::array<std::uint8_t, kFieldCount> lengths{};  // words per field, at most 255
};

/// Words of one field that are read at most.
inline constexpr std::size_t kFieldWordsMax = 20'000;
/// Words of a query that are read at most; later ones are not asked for.
inline constexpr std::size_t kQueryWordsMax = 32;

/// Thread-safe. About 10 MB/s of text.
AnalysedDocument analyse(IndexDocument document);

/// One word of a query: a document has it if it has any of the terms.
struct QueryTerm {
  std::string term;
  float weight = 1;  // stems count less than the word itself
};
struct QueryWord {
  std::vector<QueryTerm> terms;
};

/// Different words, in order. `languages`: those of the documents; used when the query's own is unknown.
std::vector<QueryWord> analyse_query(const TextQuery& query, std::span<const std::string> languages);

}  // namespace magpie::index
