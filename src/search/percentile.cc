#include "search/percentile.h"

#include <algorithm>

namespace magpie {

Result<std::vector<float>> sample_similarities(const SearchView& view, const Embedding& vector, const VectorScope& scope) {
  MAGPIE_TRY(const IdSet everything, view.text->filter({}));
  const std::size_t step = std::max<std::size_t>(1, everything.count() / kPercentileSample);
  IdSet sample;
  std::size_t at = 0;
  everything.for_each([&](ImageId id) {
    if (at++ % step == 0) sample.add(id);
  });
  MAGPIE_TRY(const VectorMatches matches, view.vectors->search({.vector = vector, .k = kAllSimilar, .allowed = &sample, .scope = scope}));
  std::vector<float> similarities;
  similarities.reserve(matches.hits.size());
  for (const SimilarId& match : matches.hits) similarities.push_back(match.similarity);
  std::ranges::sort(similarities);
  return similarities;
}

std::optional<float> share_below(const std::vector<float>& ascending, float similarity) {
  if (ascending.empty()) return std::nullopt;
  const auto below = std::ranges::lower_bound(ascending, similarity) - ascending.begin();
  return static_cast<float>(below) / static_cast<float>(ascending.size() + 1);  // never all: the next one asked could be more alike
}

}  // namespace magpie
