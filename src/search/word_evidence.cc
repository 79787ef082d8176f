#include "search/word_evidence.h"

#include <algorithm>
#include <array>

#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::array<std::string_view, 4> kFieldNames = {"title", "alt", "keywords", "description"};

/// A word and the stems by which it finds others.
struct Stemmed {
  std::string term, stem, own_stem;  // `own_stem` in the query's language
};

struct FieldText {
  TextField field = TextField::kTitle;
  std::string language;
  std::vector<Token> tokens;
};

std::vector<FieldText> fields_of(const IndexDocument& document) {
  const std::string& of_alt = document.alt_language.empty() ? document.language : document.alt_language;
  return {{TextField::kTitle, document.language, tokenise(document.title)},
          {TextField::kAlt, of_alt, tokenise(document.alt)},
          {TextField::kKeywords, document.language, tokenise(document.keywords)},
          {TextField::kDescription, document.language, tokenise(document.description)}};
}

Stemmed stemmed(const std::string& term, const FieldText& field, const std::string& language) {
  return {term, stem(term, field.language), language.empty() ? term : stem(term, language)};
}

bool is_same(const Stemmed& word, const std::string& term, const std::string& field_language) {
  if (term == word.term || term == word.stem || term == word.own_stem) return true;
  const std::string root = stem(term, field_language);
  return root == word.term || root == word.stem || root == word.own_stem;
}

/// Whether the words stand there one behind the other.
bool holds(const FieldText& field, const std::vector<Token>& words, const std::string& language) {
  if (words.empty() || field.tokens.size() < words.size()) return false;
  std::vector<Stemmed> wanted;
  for (const Token& word : words) wanted.push_back(stemmed(word.term, field, language));
  for (std::size_t at = 0; at + words.size() <= field.tokens.size(); ++at) {
    std::size_t same = 0;
    while (same < words.size() && is_same(wanted[same], field.tokens[at + same].term, field.language)) ++same;
    if (same == words.size()) return true;
  }
  return false;
}

void add_match(std::string word, bool is_phrase, const std::vector<FieldText>& fields, const std::vector<Token>& tokens,
               const std::string& language, std::vector<WordEvidence>& matches) {
  const auto is_known = [&](const WordEvidence& match) { return match.word == word && match.is_phrase == is_phrase; };
  if (std::ranges::any_of(matches, is_known)) return;
  WordEvidence match{std::move(word), is_phrase, {}};
  for (const FieldText& field : fields) {
    if (holds(field, tokens, language)) match.fields.push_back(field.field);
  }
  if (!match.fields.empty()) matches.push_back(std::move(match));
}

}  // namespace

std::string_view to_string(TextField field) { return kFieldNames[static_cast<std::size_t>(field)]; }

std::vector<WordEvidence> word_evidence(const SearchQuery& query, const IndexDocument& document) {
  const std::vector<FieldText> fields = fields_of(document);
  std::vector<WordEvidence> matches;
  for (const Token& token : tokenise(query.words)) add_match(token.term, false, fields, {token}, query.language, matches);
  for (const std::string& phrase : query.phrases) add_match(phrase, true, fields, tokenise(phrase), query.language, matches);
  return matches;
}

}  // namespace magpie
