#include "text/keywords.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "text/tokens.h"

namespace magpie {
namespace {

constexpr std::size_t kTokensPerTextMax = 2'000;

struct Scored {
  std::string term;  // the form met first
  double score = 0;
  std::size_t order = 0;
};

bool is_keyword(const std::string& term, std::string_view language) {
  const bool numeric = term.find_first_not_of("0123456789.") == std::string::npos;
  const bool single = term.size() == 1;
  return !numeric && !single && !is_stop_word(term, language);
}

}  // namespace

std::vector<std::string> keywords_of(const std::vector<WeightedText>& texts, std::string_view language, std::size_t count_max) {
  std::unordered_map<std::string, Scored> by_stem;
  for (const WeightedText& text : texts) {
    std::unordered_map<std::string, int> counts;
    for (Token& token : tokenise(text.text, kTokensPerTextMax)) {
      if (!is_keyword(token.term, language)) continue;
      std::string key = stem(token.term, language);
      ++counts[key];
      by_stem.try_emplace(std::move(key), Scored{std::move(token.term), 0, by_stem.size()});
    }
    for (const auto& [key, count] : counts) by_stem[key].score += text.weight * (1 + std::log(count));
  }
  std::vector<Scored> all;
  for (auto& [key, scored] : by_stem) all.push_back(std::move(scored));
  std::sort(all.begin(), all.end(),
            [](const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.order < b.order; });
  if (all.size() > count_max) all.resize(count_max);
  std::vector<std::string> words;
  for (Scored& scored : all) words.push_back(std::move(scored.term));
  return words;
}

}  // namespace magpie
