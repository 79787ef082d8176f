#include "search/candidates.h"

#include <algorithm>
#include <cmath>

#include "search/looks.h"
#include "search/recall_monitor.h"

namespace magpie {
namespace {

Result<IdSet> find_by_words(const SearchView& view, const SearchQuery& query, Typos typos, Candidates& found) {
  TextQuery text{.words = query.words, .language = query.language, .rule = WordRule::kAll, .phrases = query.phrases};
  MAGPIE_TRY(found.words, view.text->match(text));
  found.all_words = !found.words.empty();
  if (!found.all_words && typos != Typos::kKeep) {
    text.typos = typos;
    MAGPIE_TRY(found.words, view.text->match(text));
  }
  if (found.words.empty()) {
    text.rule = WordRule::kAny;
    MAGPIE_TRY(found.words, view.text->match(text));
    found.any_word = !found.words.empty();
  }
  return found.words.scores.ids();
}

void add_to(Embedding& sum, const Embedding& vector) {
  if (sum.empty()) sum.assign(vector.size(), 0.0F);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += vector[i];
}

/// The direction half-way between all pictures of the query.
Result<Embedding> query_vector(const SearchView& view, const SearchQuery& query) {
  Embedding sum = query.picture;
  for (const ImageId id : query.like) {
    MAGPIE_TRY(std::optional<Embedding> vector, view.vectors->embedding(id, query.like_region));
    if (!vector && query.like_region != 0)
      return fail(Code::kNotFound, "nothing was detected in picture {} under number {}", id, query.like_region);
    if (!vector) return fail(Code::kNotFound, "picture {} has not been analysed, so nothing can be like it yet", id);
    if (!sum.empty() && sum.size() != vector->size()) {
      return fail(Code::kBadInput, "the picture has {} components, the index's have {}", sum.size(), vector->size());
    }
    add_to(sum, *vector);
  }
  double squares = 0;
  for (const float value : sum) squares += double{value} * double{value};
  if (!(squares > 0) || !std::isfinite(squares)) return fail(Code::kBadInput, "the picture's embedding is zero or not finite");
  for (float& value : sum) value = static_cast<float>(value / std::sqrt(squares));
  return sum;
}

// Where relevance ends. A handful of pictures says little of what is usual, so they count beside kUsualPictures at kUsualBackground.
Result<float> boundary(const SearchView& view, const SearchQuery& query, const Embedding& vector, float relevance_min) {
  constexpr float kUsualBackground = 0.25F, kUsualPictures = 50;
  if (query.similarity_min) return *query.similarity_min;
  MAGPIE_TRY(const Background known, view.vectors->background(vector, query.scope));
  const auto pictures = static_cast<float>(known.vectors);
  const float background = (known.mean * pictures + kUsualBackground * kUsualPictures) / (pictures + kUsualPictures);
  return background + (query.beyond ? 0 : relevance_min) * (1 - background);
}

Result<IdSet> find_by_picture(const SearchView& view, const SearchQuery& query, float relevance_min, const IdSet& within,
                              CandidateOptions options, Candidates& found) {
  MAGPIE_TRY(const Embedding vector, query_vector(view, query));
  MAGPIE_TRY(found.similarity_min, boundary(view, query, vector, relevance_min));
  const VectorQuery wanted{.vector = vector,
                           .k = options.nearest ? 2 * kNearestHits : kAllSimilar,
                           .allowed = &within,
                           .min_similarity = found.similarity_min,
                           .scope = query.scope,
                           .exact = !options.nearest};
  MAGPIE_TRY(VectorMatches matches, view.vectors->search(wanted));
  if (options.monitor != nullptr) options.monitor->saw(view.vectors, wanted, matches);
  found.plan = matches.plan;
  found.cut_off = matches.hits.size() == wanted.k;
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

/// Takes out the pictures one asked to find others like, and their copies.
Result<void> leave_out_liked(const SearchView& view, const SearchQuery& query, IdSet& ids) {
  IdSet liked, groups, out;
  for (const ImageId id : query.like) liked.add(id);
  MAGPIE_TRY_DO(view.text->rows(liked, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) groups.add(row.copy_group);
  }));
  MAGPIE_TRY_DO(view.text->rows(ids, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      if (groups.contains(row.copy_group)) out.add(row.id);
    }
  }));
  ids -= out;
  ids -= liked;
  return {};
}

}  // namespace

bool has_words(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
  });
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
  Candidates found;
  found.with_words = has_words(query.words) || !query.phrases.empty();
  found.with_pictures = !query.picture.empty() || !query.like.empty();
  found.browsing = !found.with_words && !found.with_pictures;
  const bool mend = settings.typos();
  if (found.with_words) { MAGPIE_TRY(found.ids, find_by_words(view, query, mend ? Typos::kMendBesideKnown : Typos::kKeep, found)); }
  if (found.with_words && !found.with_pictures && query.phrases.empty() && options.placer != nullptr)
    MAGPIE_TRY_DO(add_looks(view, query, *options.placer, found));
  // Words none of which is known may be of another language: what looks so was asked first.
  if (found.with_words && mend && found.ids.empty()) { MAGPIE_TRY(found.ids, find_by_words(view, query, Typos::kMend, found)); }
  if (found.with_pictures) {
    const bool both = found.with_words && query.combine == Combine::kBoth;
    IdSet wanted = within;
    if (both) wanted &= found.ids;
    MAGPIE_TRY(IdSet similar, find_by_picture(view, query, static_cast<float>(settings.relevance_min()), wanted, options, found));
    if (both) found.ids &= similar;
    else found.ids |= similar;
    if (!query.like.empty()) MAGPIE_TRY_DO(leave_out_liked(view, query, found.ids));
  }
  return found;
}

}  // namespace magpie
