#include "search/word_evidence.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::array<std::string_view, 5> kFieldNames = {"title", "alt", "keywords", "description", "inherited"};

constexpr std::size_t kFieldWordsMax = 20'000, kQueryWordsMax = 64;  // as the index reads them

struct FieldText {
  TextField field = TextField::kTitle;
  std::string language;
  std::vector<Token> tokens;
  std::unordered_set<std::string> forms;  // the words and their stems
};

FieldText text_of(TextField field, const std::string& text, const std::string& language) {
  FieldText made{field, language, tokenise(text, kFieldWordsMax), {}};
  for (const Token& token : made.tokens) {
    if (made.forms.insert(token.term).second) made.forms.insert(stem(token.term, language));
  }
  return made;
}

std::vector<FieldText> fields_of(const IndexDocument& document) {
  const std::string& of_alt = document.alt_language.empty() ? document.language : document.alt_language;
  std::vector<FieldText> fields;
  fields.push_back(text_of(TextField::kTitle, document.title, document.language));
  fields.push_back(text_of(TextField::kAlt, document.alt, of_alt));
  fields.push_back(text_of(TextField::kKeywords, document.keywords, document.language));
  fields.push_back(text_of(TextField::kDescription, document.description, document.language));
  FieldText inherited{TextField::kInherited, document.language, {}, {}};  // no tokens: these words stood side by side nowhere
  for (const std::string& word : document.inherited) inherited.forms.insert({word, stem(word, document.language)});
  fields.push_back(std::move(inherited));
  return fields;
}

/// One word in any of its forms; several as they are, one behind the other.
bool holds(const FieldText& field, const std::vector<Token>& words, const std::string& language) {
  if (words.empty()) return false;
  if (words.size() == 1) {
    const std::string& term = words.front().term;
    return field.forms.contains(term) || field.forms.contains(stem(term, field.language)) ||
           (!language.empty() && field.forms.contains(stem(term, language)));
  }
  const auto same = [](const Token& a, const Token& b) { return a.term == b.term; };
  return std::search(field.tokens.begin(), field.tokens.end(), words.begin(), words.end(), same) != field.tokens.end();
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
  for (const Token& token : tokenise(query.words, kQueryWordsMax)) add_match(token.term, false, fields, {token}, query.language, matches);
  for (const std::string& phrase : query.phrases)
    add_match(phrase, true, fields, tokenise(phrase, kQueryWordsMax), query.language, matches);
  return matches;
}

}  // namespace magpie
