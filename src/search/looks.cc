#include "search/looks.h"

#include <algorithm>

#include "base/log.h"

namespace magpie {
namespace {

/// Places in a list, the best first, as scores (Cormack, Clarke and Büttcher 2009: reciprocal rank fusion, with their constant): what
/// stands high in both lists comes first, and neither list's best is pushed far down by the other.
float score_of_place(std::size_t place) {
  constexpr float kConstant = 60;
  return kConstant / (kConstant + static_cast<float>(place));
}

Result<std::vector<SimilarId>> find_alike(const SearchView& view, const WordsPlace& place, float& background) {
  const VectorScope whole{VectorPart::kWhole};
  MAGPIE_TRY(const Background known, view.vectors->background(place.vector, whole));
  background = known.mean;
  const VectorQuery wanted{
      .vector = place.vector, .k = kLooksMax, .min_similarity = known.mean + place.closeness_min, .scope = whole, .exact = false};
  MAGPIE_TRY(VectorMatches matches, view.vectors->search(wanted));
  return std::move(matches.hits);
}

/// Nobody has all the words: words and looks are equals.
void fuse_by_place(const std::vector<SimilarId>& alike, Candidates& found) {
  std::vector<std::pair<float, ImageId>> by_words;
  found.ids.for_each([&](ImageId id) { by_words.emplace_back(-found.text(id).value_or(0), id); });
  std::ranges::sort(by_words);
  for (std::size_t place = 0; place < by_words.size(); ++place) found.fused.set(by_words[place].second, score_of_place(place) / 2);
  for (std::size_t place = 0; place < alike.size(); ++place) {
    const ImageId id = alike[place].id;
    found.fused.set(id, found.fused.get(id).value_or(0) + score_of_place(place) / 2);
  }
}

/// Some have all the words: they keep their scores, and what only looks so comes after the least of them.
void fuse_behind(const std::vector<SimilarId>& alike, float background, Candidates& found) {
  float least = 1;
  found.ids.for_each([&](ImageId id) {
    const float score = found.text(id).value_or(0);
    least = std::min(least, score);
    found.fused.set(id, score);
  });
  for (const SimilarId& one : alike) {
    if (!found.fused.get(one.id)) found.fused.set(one.id, least * std::clamp(one.similarity - background, 0.0F, 1.0F));
  }
}

}  // namespace

Result<void> add_looks(const SearchView& view, const SearchQuery& query, const WordsPlacer& placer, Candidates& found) {
  if (found.all_words && found.ids.count() >= kEnoughByWords) return {};
  const auto place = placer.place(query.words);
  if (!place) {
    log::warn_every(std::chrono::seconds(60), "search.no_looks", {{"why", place.error().message}});
    return {};
  }
  if (!*place || view.vectors->dims() != (*place)->vector.size()) return {};
  float background = 0;
  MAGPIE_TRY(const std::vector<SimilarId> alike, find_alike(view, **place, background));
  ImageId id_max = 0;
  found.ids.for_each([&](ImageId id) { id_max = std::max(id_max, id); });
  for (const SimilarId& one : alike) id_max = std::max(id_max, one.id);
  found.fused = ScoreMap(id_max);
  found.with_looks = true;
  if (!found.all_words) fuse_by_place(alike, found);
  else fuse_behind(alike, background, found);
  for (const SimilarId& one : alike) {
    if (!found.text(one.id)) found.by_looks_alone.add(one.id);
    found.ids.add(one.id);
  }
  return {};
}

}  // namespace magpie
