#include "search/candidates.h"

#include <algorithm>
#include <cmath>

#include "search/looks.h"
#include "search/query_vector.h"
#include "search/recall_monitor.h"
#include "search/typed_words.h"

namespace magpie {
namespace {

Result<IdSet> find_by_words(const SearchView& view, const SearchQuery& query, Typos typos, Candidates& found) {
  TextQuery text{.words = query.words, .language = query.language, .rule = WordRule::kAll, .phrases = query.phrases};
  MAGPIE_TRY(found.words, view.text->match(text));
  found.all_words = !found.words.empty();
  if (!found.all_words && typos != Typos::kKeep) {
    text.typos = typos;
    MAGPIE_TRY(found.words, view.text->match(text));
    found.all_words = !found.words.empty();
  }
  if (found.words.empty()) {
    text.rule = WordRule::kAny;
    MAGPIE_TRY(found.words, view.text->match(text));
    found.any_word = !found.words.empty();
  }
  return found.words.scores.ids();
}

/// What hits are to be like, less what they are to be unlike.
Result<Embedding> query_vector(const SearchView& view, const SearchQuery& query) {
  MAGPIE_TRY(std::vector<WeightedVector> like, vectors_of(*view.vectors, query.like));
  if (!query.picture.empty()) like.push_back({query.picture, 1});
  MAGPIE_TRY(const std::vector<WeightedVector> unlike, vectors_of(*view.vectors, query.unlike));
  return rocchio(like, unlike);
}

// Where relevance ends. A handful of pictures says little of what is usual, so they count beside kUsualPictures at kUsualBackground.
Result<float> boundary(const SearchView& view, const SearchQuery& query, const Embedding& vector, float relevance_min, bool beyond) {
  constexpr float kUsualBackground = 0.25F, kUsualPictures = 50;
  if (query.similarity_min) return *query.similarity_min;
  MAGPIE_TRY(const Background known, view.vectors->background(vector, query.scope));
  const auto pictures = static_cast<float>(known.vectors);
  const float background = (known.mean * pictures + kUsualBackground * kUsualPictures) / (pictures + kUsualPictures);
  return background + (beyond ? 0 : relevance_min) * (1 - background);
}

/// `k`: the nearest, approximately; kAllSimilar: all, exactly.
Result<VectorMatches> find_similar(const SearchView& view, const SearchQuery& query, const Candidates& found, const IdSet& within,
                                   std::size_t k, bool ranked, RecallMonitor* monitor) {
  const bool is_filtered = within.count() < view.text->size();  // the index has vectors of documents alone
  const VectorQuery wanted{.vector = found.vector,
                           .k = k,
                           .allowed = is_filtered ? &within : nullptr,
                           .min_similarity = found.similarity_min,
                           .scope = query.scope,
                           .exact = k == kAllSimilar,
                           .ranked = ranked};
  MAGPIE_TRY(VectorMatches matches, view.vectors->search(wanted));
  if (monitor != nullptr) monitor->saw(view.vectors, wanted, matches);
  return matches;
}

Result<IdSet> find_by_picture(const SearchView& view, const SearchQuery& query, float relevance_min, const IdSet& within,
                              CandidateOptions options, Candidates& found) {
  const std::size_t k = options.nearest ? 2 * kNearestHits : kAllSimilar;
  MAGPIE_TRY(found.vector, query_vector(view, query));
  MAGPIE_TRY(found.similarity_min, boundary(view, query, found.vector, relevance_min, query.beyond));
  MAGPIE_TRY(const VectorMatches matches, find_similar(view, query, found, within, k, /*ranked=*/true, options.monitor));
  found.plan = matches.plan;
  found.cut_off = matches.hits.size() == k;
  if (!matches.complete || found.cut_off) found.exactness = Exactness::kAtLeast;
  ImageId id_max = kNoId;
  for (const SimilarId& match : matches.hits) id_max = std::max(id_max, match.id);
  IdSet ids(id_max);
  found.similarity = ScoreMap(id_max);
  for (const SimilarId& match : matches.hits) {
    ids.add(match.id);
    found.similarity.set(match.id, match.similarity);
    if (match.region != 0) found.regions.emplace_back(match.id, match.region);
  }
  std::sort(found.regions.begin(), found.regions.end());
  return ids;
}

/// Adds what each picture of `unlike` would find.
Result<void> leave_out_alike(const SearchView& view, const SearchQuery& query, float relevance_min, const IdSet& within, IdSet& out) {
  MAGPIE_TRY(const std::vector<WeightedVector> unlike, vectors_of(*view.vectors, query.unlike));
  for (const WeightedVector& one : unlike) {
    MAGPIE_TRY(const float similarity_min, boundary(view, query, one.vector, relevance_min, false));
    MAGPIE_TRY(const VectorMatches matches,
               view.vectors->search(
                   {.vector = one.vector, .k = kAllSimilar, .allowed = &within, .min_similarity = similarity_min, .scope = query.scope}));
    for (const SimilarId& match : matches.hits) out.add(match.id);
  }
  return {};
}

/// Adds the pictures one asked with, and those of `pool` that are copies of them.
Result<void> leave_out_asked(const SearchView& view, const SearchQuery& query, const IdSet& pool, IdSet& out) {
  IdSet asked, groups;
  for (const auto* pictures : {&query.like, &query.unlike}) {
    for (const QueryPicture& picture : *pictures) {
      if (picture.id != kNoId) asked.add(picture.id);
    }
  }
  if (asked.empty()) return {};
  MAGPIE_TRY_DO(view.text->rows(asked, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) groups.add(row.copy_group);
  }));
  MAGPIE_TRY_DO(view.text->rows(pool, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      if (groups.contains(row.copy_group)) out.add(row.id);
    }
  }));
  out |= asked;
  return {};
}

}  // namespace

bool asks_words(const SearchQuery& query) {
  return has_words(query.words) || std::ranges::any_of(query.phrases, [](const std::string& phrase) { return has_words(phrase); });
}

std::uint16_t Candidates::region(ImageId id) const {
  const auto found = std::ranges::lower_bound(regions, id, {}, &std::pair<ImageId, std::uint16_t>::first);
  return found != regions.end() && found->first == id ? found->second : std::uint16_t{0};
}

float Candidates::fused_score(ImageId id, float text_weight) const {
  if (browsing) return 0;
  const float by_words = (with_looks ? fused.get(id) : text(id)).value_or(0);
  const std::optional<float> cosine = similarity.get(id);
  const float picture = cosine ? std::clamp((*cosine - similarity_min) / (1 - similarity_min), 0.0F, 1.0F) : 0;
  if (!with_pictures) return by_words;
  if (!with_words) return picture;
  return text_weight * by_words + (1 - text_weight) * picture;
}

Result<Candidates> find_candidates(const SearchView& view, const SearchQuery& query, const SearchSettings& settings, const IdSet& within,
                                   CandidateOptions options) {
  const auto relevance_min = static_cast<float>(settings.relevance_min());
  Candidates found;
  found.with_words = asks_words(query);
  found.with_pictures = !query.picture.empty() || !query.like.empty();
  found.browsing = !found.with_words && !found.with_pictures;
  const bool mend = settings.typos();
  if (found.with_words) { MAGPIE_TRY(found.ids, find_by_words(view, query, mend ? Typos::kMendBesideKnown : Typos::kKeep, found)); }
  if (found.with_words && !found.with_pictures && query.phrases.empty() && options.placer != nullptr)
    MAGPIE_TRY_DO(add_looks(view, query, *options.placer, found));
  // Words none of which is known may be of another language: what looks so was asked first.
  if (found.with_words && mend && found.ids.empty()) {
    found.with_looks = false;
    MAGPIE_TRY(found.ids, find_by_words(view, query, Typos::kMend, found));
  }
  if (found.with_pictures) {
    const bool both = found.with_words && query.combine == Combine::kBoth;
    IdSet wanted = within;
    if (both) wanted &= found.ids;
    MAGPIE_TRY(IdSet similar, find_by_picture(view, query, relevance_min, wanted, options, found));
    if (both) found.ids &= similar;
    else found.ids |= similar;
  } else if (!query.unlike.empty()) {
    MAGPIE_TRY_DO(leave_out_alike(view, query, relevance_min, within, found.left_out));
  }
  MAGPIE_TRY_DO(leave_out_asked(view, query, found.browsing ? within : found.ids, found.left_out));
  return found;
}

Result<IdSet> nearest_within(const SearchView& view, const SearchQuery& query, const IdSet& ground, Candidates& found) {
  MAGPIE_TRY(const VectorMatches matches, find_similar(view, query, found, ground, kNearestHits, /*ranked=*/false, nullptr));
  if (!matches.complete || matches.hits.size() == kNearestHits) found.exactness = Exactness::kAtLeast;
  IdSet ids;
  for (const SimilarId& match : matches.hits) ids.add(match.id);
  IdSet left_out;
  MAGPIE_TRY_DO(leave_out_asked(view, query, ids, left_out));
  ids -= left_out;
  return ids;
}

}  // namespace magpie
