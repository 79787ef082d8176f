#include "index/analyser.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "text/tokens.h"

namespace magpie::index {
namespace {

constexpr float kStemWeight = 0.8F;

std::string marked_stem(std::string_view stem) { return std::string(1, kStemMark).append(stem); }

class TermCounter {
 public:
  void add(const std::string& term, Field field) {
    std::uint8_t& fields = counts_[term];
    const unsigned shift = 2 * static_cast<unsigned>(field);
    const unsigned have = (fields >> shift) & kFieldOccurrencesMax;
    if (have < kFieldOccurrencesMax) fields = static_cast<std::uint8_t>(fields + (1U << shift));
  }
  std::vector<TermUse> take() {
    std::vector<TermUse> uses;
    uses.reserve(counts_.size());
    for (auto& [term, fields] : counts_) uses.push_back({term, fields});
    return uses;
  }

 private:
  std::unordered_map<std::string, std::uint8_t> counts_;
};

std::uint8_t count_field(std::string_view text, Field field, const std::string& language, TermCounter& counter) {
  const std::vector<Token> tokens = tokenise(text, kFieldWordsMax);
  for (const Token& token : tokens) {
    counter.add(token.term, field);
    // A stem that is the word itself is found by the word (analyse_query asks for both), so it needs no posting.
    if (const std::string root = stem(token.term, language); root != token.term) counter.add(marked_stem(root), field);
  }
  return static_cast<std::uint8_t>(std::min<std::size_t>(tokens.size(), 255));
}

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
    analysed.lengths[static_cast<std::size_t>(field)] = count_field(*text, field, language, counter);
    *text = {};
  }
  analysed.terms = counter.take();
  if (document.copy_group == kNoId) document.copy_group = document.id;
  analysed.facts = std::move(document);
  return analysed;
}

std::vector<QueryWord> analyse_query(const TextQuery& query, std::span<const std::string> languages) {
  std::vector<std::string> tried(languages.begin(), languages.end());
  if (!query.language.empty()) tried = {query.language};
  std::vector<QueryWord> words;
  std::set<std::string> seen;
  for (const Token& token : tokenise(utf8_prefix(query.words, kQueryBytesMax))) {
    if (words.size() >= kQueryWordsMax) break;
    if (!seen.insert(token.term).second) continue;
    QueryWord word;
    add_once(word, token.term, 1);
    add_once(word, marked_stem(token.term), kStemWeight);
    for (const std::string& language : tried) {
      const std::string root = stem(token.term, language);
      add_once(word, root, kStemWeight);
      add_once(word, marked_stem(root), kStemWeight);
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace magpie::index
