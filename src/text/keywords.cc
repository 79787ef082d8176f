#include "text/keywords.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>

#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kTokensPerTextMax = 2'000;

struct Scored {
  std::string term;  // the form met first
  double score = 0;
  std::size_t order = 0;
  int count = 0;  // in the text at hand
};

bool is_keyword(const std::string& term, std::string_view language) {
  const bool numeric = term.find_first_not_of("0123456789.") == std::string::npos;
  const bool single = term.size() == 1;
  return !numeric && !single && !is_stop_word(term, language);
}

/// Finds a term's stem among those met; each form is stemmed once.
class Stems {
 public:
  explicit Stems(std::string_view language) : language_(language) {}

  /// The stem's place in all(); none for what is no keyword.
  std::optional<std::size_t> place_of(std::string&& term) {
    const auto [known, is_new] = by_term_.try_emplace(std::move(term));
    if (is_new && is_keyword(known->first, language_)) {
      const auto [stemmed, is_first] = by_stem_.try_emplace(stem(known->first, language_), all_.size());
      if (is_first) all_.push_back({known->first, 0, all_.size(), 0});
      known->second = stemmed->second;
    }
    return known->second;
  }
  std::vector<Scored>& all() { return all_; }

 private:
  std::string_view language_;
  std::vector<Scored> all_;
  std::unordered_map<std::string, std::size_t> by_stem_;
  std::unordered_map<std::string, std::optional<std::size_t>> by_term_;
};

}  // namespace

std::vector<std::string> keywords_of(const std::vector<WeightedText>& texts, std::string_view language, std::size_t count_max) {
  Stems stems(language);
  std::vector<std::size_t> in_text;
  for (const WeightedText& text : texts) {
    in_text.clear();
    for (Token& token : tokenise(text.text, kTokensPerTextMax)) {
      const std::optional<std::size_t> place = stems.place_of(std::move(token.term));
      if (place && stems.all()[*place].count++ == 0) in_text.push_back(*place);
    }
    for (const std::size_t place : in_text) {
      Scored& scored = stems.all()[place];
      scored.score += text.weight * (1 + std::log(std::exchange(scored.count, 0)));
    }
  }
  std::vector<Scored>& all = stems.all();
  std::sort(all.begin(), all.end(),
            [](const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.order < b.order; });
  if (all.size() > count_max) all.resize(count_max);
  std::vector<std::string> words;
  for (Scored& scored : all) words.push_back(std::move(scored.term));
  return words;
}

}  // namespace magpie
