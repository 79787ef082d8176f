#include "index/analyser.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "index/postings.h"
#include "text/tokens.h"

namespace magpie::index {
namespace {

std::string marked_stem(std::string_view stem) { return std::string(1, kStemMark).append(stem); }

/// Gathers the words of one document, field after field.
class TermCounter {
 public:
  /// How many words there are, at most 255.
  std::uint8_t add_field(std::string_view text, Field field, const std::string& language) {
    const std::vector<Token> tokens = tokenise(text, kFieldWordsMax);
    for (const Token& token : tokens) {
      occurrences_.push_back({add(token.term, field), field_begin_ + token.position});
      // A stem that is the word itself is found by the word (analyse_query asks for both), so it needs no posting.
      if (const std::string root = stem(token.term, language); root != token.term) add(marked_stem(root), field);
    }
    if (!tokens.empty()) field_begin_ += tokens.back().position + 2;  // one more than the next: no neighbours across fields
    return static_cast<std::uint8_t>(std::min<std::size_t>(tokens.size(), 255));
  }

  /// The document's terms and positions.
  void take(AnalysedDocument& document) {
    std::ranges::stable_sort(occurrences_, {}, &Occurrence::term);
    std::vector<std::uint32_t> positions;
    for (std::size_t at = 0; at < occurrences_.size();) {
      const std::uint32_t term = occurrences_[at].term;
      positions.clear();
      for (; at < occurrences_.size() && occurrences_[at].term == term; ++at) positions.push_back(occurrences_[at].position);
      terms_[term].positions_begin = static_cast<std::uint32_t>(document.positions.size());
      encode_positions(positions, document.positions);
      terms_[term].positions_end = static_cast<std::uint32_t>(document.positions.size());
    }
    document.terms = std::move(terms_);
  }

 private:
  struct Occurrence {
    std::uint32_t term = 0, position = 0;
  };
  /// The term's number.
  std::uint32_t add(const std::string& term, Field field) {
    const auto [known, is_new] = numbers_.try_emplace(term, static_cast<std::uint32_t>(terms_.size()));
    if (is_new) terms_.push_back({.term = term});
    std::uint8_t& fields = terms_[known->second].fields;
    const unsigned shift = 2 * static_cast<unsigned>(field);
    const unsigned have = (fields >> shift) & kFieldOccurrencesMax;
    if (have < kFieldOccurrencesMax) fields = static_cast<std::uint8_t>(fields + (1U << shift));
    return known->second;
  }

  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<TermUse> terms_;
  std::vector<Occurrence> occurrences_;
  std::uint32_t field_begin_ = 0;
};

void add_once(QueryWord& word, std::string term, float weight) {
  for (const QueryTerm& known : word.terms) {
    if (known.term == term) return;
  }
  word.terms.push_back({std::move(term), weight});
}

}  // namespace

AnalysedDocument analyse(IndexDocument document) {
  AnalysedDocument analysed;
  TermCounter counter;
  const std::pair<Field, std::string*> fields[] = {{Field::kTitle, &document.title},
                                                   {Field::kAlt, &document.alt},
                                                   {Field::kKeywords, &document.keywords},
                                                   {Field::kDescription, &document.description}};
  for (const auto& [field, text] : fields) {
    const bool is_foreign = field == Field::kAlt && !document.alt_language.empty();
    const std::string& language = is_foreign ? document.alt_language : document.language;
    analysed.lengths[static_cast<std::size_t>(field)] = counter.add_field(*text, field, language);
    *text = {};
  }
  // Each word for itself: they stood side by side nowhere.
  std::size_t described = analysed.lengths[static_cast<std::size_t>(Field::kDescription)];
  for (const std::string& word : document.inherited) described += counter.add_field(word, Field::kDescription, document.language);
  analysed.lengths[static_cast<std::size_t>(Field::kDescription)] = static_cast<std::uint8_t>(std::min<std::size_t>(described, 255));
  document.inherited = {};
  counter.take(analysed);
  if (document.copy_group == kNoId) document.copy_group = document.id;
  analysed.facts = std::move(document);
  return analysed;
}

QueryWord analyse_word(const std::string& term, const std::string& language, std::span<const std::string> languages) {
  QueryWord word{.terms = {{term, 1}}};
  add_once(word, marked_stem(term), kStemWeight);
  for (const std::string& tried : language.empty() ? languages : std::span(&language, 1)) {
    const std::string root = stem(term, tried);
    add_once(word, root, kStemWeight);
    add_once(word, marked_stem(root), kStemWeight);
  }
  return word;
}

AnalysedQuery analyse_query(const TextQuery& query, std::span<const std::string> languages) {
  AnalysedQuery analysed;
  std::unordered_map<std::string, std::size_t> known;  // by term as typed: its place among the words
  const auto word_for = [&](const std::string& term) -> QueryWord& {
    const auto [place, is_new] = known.try_emplace(term, analysed.words.size());
    if (is_new) analysed.words.push_back({.terms = {{term, 1}}, .required = false, .quoted = true});
    return analysed.words[place->second];
  };
  // Phrases first: a word beyond the limit is left out, which finds more, but a phrase cut short would not be what was asked for.
  std::size_t read = 0;
  for (const std::string& phrase : query.phrases) {
    std::vector<std::string> words;
    for (const Token& token : tokenise(utf8_prefix(phrase, kQueryBytesMax))) {
      if (++read > kQueryWordsMax) break;
      word_for(token.term).required = true;
      words.push_back(token.term);
    }
    if (words.size() > 1) analysed.phrases.push_back(std::move(words));
  }
  for (const Token& token : tokenise(utf8_prefix(query.words, kQueryBytesMax))) {
    if (!known.contains(token.term) && ++read > kQueryWordsMax) break;
    QueryWord& word = word_for(token.term);
    if (!word.quoted) continue;
    word.terms = analyse_word(token.term, query.language, languages).terms;
    word.quoted = false;
    word.required |= query.rule == WordRule::kAll;
  }
  return analysed;
}

}  // namespace magpie::index
