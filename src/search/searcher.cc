#include "search/searcher.h"

#include <algorithm>
#include <map>
#include <utility>

#include "search/candidates.h"
#include "search/dates.h"
#include "search/percentile.h"
#include "search/prices.h"
#include "search/ranking.h"
#include "search/spread.h"
#include "search/typed_words.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::pair<SortOrder, std::string_view> kSortOrders[] = {{SortOrder::kRelevance, "relevance"},
                                                                  {SortOrder::kNewest, "newest"},
                                                                  {SortOrder::kPriceAsc, "price-asc"},
                                                                  {SortOrder::kPriceDesc, "price-desc"},
                                                                  {SortOrder::kDiscount, "discount"}};

Result<void> check(const SearchQuery& query) {
  if (query.limit > kSearchLimitMax) return fail(Code::kBadInput, "limit is at most {}, not {}", kSearchLimitMax, query.limit);
  if (query.like.size() > kLikeMax) return fail(Code::kBadInput, "at most {} pictures to be like, not {}", kLikeMax, query.like.size());
  if (query.unlike.size() > kUnlikeMax)
    return fail(Code::kBadInput, "at most {} pictures to be unlike, not {}", kUnlikeMax, query.unlike.size());
  if (query.phrases.size() > kTypedPhrasesMax || query.filter.without.size() > kTypedPhrasesMax)
    return fail(Code::kBadInput, "at most {} phrases, and as many exclusions", kTypedPhrasesMax);
  for (const auto* pictures : {&query.like, &query.unlike}) {
    for (const QueryPicture& picture : *pictures) {
      if (!(picture.weight > 0)) return fail(Code::kBadInput, "a picture's weight must be above 0, not {}", picture.weight);
    }
  }
  return {};
}

/// Whether the first hits tell enough of the answer, so that the nearest pictures answer as well as all pictures. What page is wanted, and
/// whether counts are, does not matter: all pages of a query are of one answer.
bool nearest_will_do(const SearchQuery& query) {
  const bool by_picture_alone = !asks_words(query) && (!query.picture.empty() || !query.like.empty());
  return by_picture_alone && query.sort == SortOrder::kRelevance;
}

/// The documents that pass the whole filter, and those that pass it but for one facet's own part: the ground on which that facet is
/// counted.
struct Grounds {
  IdSet passed;
  std::vector<std::pair<Facet, IdSet>> relaxed;  // facets with a selection only
  std::optional<IdSet> relaxed_prices, relaxed_dates;
};

/// What passes a filter, and the query's limits.
Result<IdSet> find_passed(const TextSnapshot& text, const Filter& filter, const RowLimits& limits) {
  MAGPIE_TRY(IdSet passed, text.filter(filter));
  if (!limits.any()) return passed;
  IdSet within;
  MAGPIE_TRY_DO(text.rows(passed, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      if (limits.pass(row)) within.add(row.id);
    }
  }));
  return within;
}

Result<Grounds> find_grounds(const TextSnapshot& text, const SearchQuery& query) {
  Grounds grounds;
  // Words that are ruled out are the dear part of a filter, and the same in all grounds.
  Filter plain = query.filter;
  plain.without.clear();
  std::optional<IdSet> not_ruled_out;
  if (!query.filter.without.empty()) {
    MAGPIE_TRY(not_ruled_out, text.filter({.without = query.filter.without, .without_language = query.filter.without_language}));
  }
  const auto passed_by = [&](const Filter& filter, const RowLimits& limits) -> Result<IdSet> {
    MAGPIE_TRY(IdSet passed, find_passed(text, filter, limits));
    if (not_ruled_out) passed &= *not_ruled_out;
    return passed;
  };
  MAGPIE_TRY(grounds.passed, passed_by(plain, query.limits));
  for (const Facet facet : query.facets) {
    if (query.filter.values(facet).empty()) continue;
    Filter relaxed = plain;
    relaxed.values(facet).clear();
    MAGPIE_TRY(IdSet passed, passed_by(relaxed, query.limits));
    grounds.relaxed.emplace_back(facet, std::move(passed));
  }
  const bool prices_chosen = query.filter.price_min_micros || query.filter.price_max_micros || !query.filter.currencies.empty();
  if (query.prices && prices_chosen) {
    Filter relaxed = plain;
    relaxed.price_min_micros.reset();
    relaxed.price_max_micros.reset();
    relaxed.currencies.clear();
    MAGPIE_TRY(grounds.relaxed_prices, passed_by(relaxed, query.limits));
  }
  if (query.dates_at_seconds && (query.filter.since_seconds || query.limits.until_seconds)) {
    Filter relaxed = plain;
    RowLimits limits = query.limits;
    relaxed.since_seconds.reset();
    limits.until_seconds.reset();
    MAGPIE_TRY(grounds.relaxed_dates, passed_by(relaxed, limits));
  }
  return grounds;
}

/// Everything that any part of the answer can ask about: the vector search need not look elsewhere.
IdSet all_of(const Grounds& grounds) {
  IdSet all = grounds.passed;
  for (const auto& [facet, passed] : grounds.relaxed) all |= passed;
  if (grounds.relaxed_prices) all |= *grounds.relaxed_prices;
  if (grounds.relaxed_dates) all |= *grounds.relaxed_dates;
  return all;
}

/// The pictures of the answer, and those it would have in a wider ground.
class Answered {
 public:
  Answered(const SearchView& view, const SearchQuery& query, const SearchSettings& settings, CandidateOptions options)
      : view_(view), query_(query), settings_(settings), options_(options) {}

  Result<void> find(const Grounds& grounds) {
    MAGPIE_TRY(candidates_, find_candidates(view_, query_, settings_, options_.nearest ? grounds.passed : all_of(grounds), options_));
    found_ = candidates_.among(grounds.passed);
    return {};
  }
  /// The candidates of all grounds are known, unless they are the nearest of one.
  Result<IdSet> among(const IdSet& ground) {
    if (!options_.nearest) return candidates_.among(ground);
    MAGPIE_TRY(IdSet ids, nearest_within(view_, query_, ground, candidates_));
    ids |= found_;  // which the wider ground has, too
    return ids;
  }
  const Candidates& candidates() const { return candidates_; }
  const IdSet& found() const { return found_; }

 private:
  const SearchView& view_;
  const SearchQuery& query_;
  const SearchSettings& settings_;
  CandidateOptions options_;
  Candidates candidates_;
  IdSet found_;
};

Result<std::vector<FacetCounts>> count_all(const SearchView& view, const SearchQuery& query, const Grounds& grounds, Answered& answered,
                                           std::size_t values_max) {
  std::map<Facet, FacetCounts> counted;
  std::vector<Facet> plain;
  for (const Facet facet : query.facets) {
    if (query.filter.values(facet).empty()) plain.push_back(facet);
  }
  MAGPIE_TRY(std::vector<FacetCounts> counts, view.text->facets(plain, answered.found(), values_max));
  for (FacetCounts& one : counts) counted[one.facet] = std::move(one);
  for (const auto& [facet, passed] : grounds.relaxed) {
    MAGPIE_TRY(const IdSet ids, answered.among(passed));
    MAGPIE_TRY(std::vector<FacetCounts> own, view.text->facets(std::span(&facet, 1), ids, values_max));
    counted[facet] = std::move(own.front());
  }
  std::vector<FacetCounts> result;
  for (const Facet facet : query.facets) result.push_back(counted[facet]);
  return result;
}

SearchHit describe(const SpreadHit& shown, const Ranking& ranking, const Candidates& candidates) {
  const ImageId id = shown.id;
  const std::vector<ImageId>& copies = ranking.copies(id);
  SearchHit hit{.id = id, .score = ranking.score(id), .copies_total = copies.size()};
  if (candidates.with_words) hit.text = candidates.text(id);
  if (candidates.with_pictures) hit.similarity = candidates.similarity.get(id);
  hit.region = candidates.region(id);
  hit.by_looks = candidates.by_looks_alone.contains(id);
  hit.more_of_shop = shown.more_of_shop;
  hit.more_of_brand = shown.more_of_brand;
  hit.copies.assign(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(std::min(copies.size(), kCopiesListed)));
  return hit;
}

/// `hits_max`: there are no more than so many, whatever was found.
Result<SpreadPage> page_of(const SearchView& view, Ranking& ranking, const SearchQuery& query, std::size_t hits_max) {
  if (query.per_shop != 0 || query.per_brand != 0)
    return spread(*view.text, ranking.page(0, hits_max), {query.per_shop, query.per_brand}, query.offset, query.limit);
  SpreadPage page{.listed = hits_max};
  const std::size_t offset = std::min(query.offset, hits_max);
  for (const ImageId id : ranking.page(offset, std::min(query.limit, hits_max - offset))) page.hits.push_back({id});
  return page;
}

Result<void> add_percentiles(const SearchView& view, const SearchQuery& query, const Candidates& candidates, std::vector<SearchHit>& hits) {
  if (!query.why || !candidates.with_pictures || hits.empty()) return {};
  MAGPIE_TRY(const std::vector<float> sample, sample_similarities(view, candidates.vector, query.scope));
  for (SearchHit& hit : hits) {
    if (hit.similarity) hit.percentile = share_below(sample, *hit.similarity);
  }
  return {};
}

}  // namespace

std::string_view to_string(SortOrder order) {
  for (const auto& [value, name] : kSortOrders) {
    if (value == order) return name;
  }
  return "relevance";
}

std::optional<SortOrder> sort_order_from_string(std::string_view name) {
  for (const auto& [value, known] : kSortOrders) {
    if (known == name) return value;
  }
  return std::nullopt;
}

Searcher::Searcher(const TextIndex& text, const VectorIndex& vectors, const SearchSettings& settings, RecallMonitor* monitor,
                   const WordsPlacer* placer)
    : text_(text), vectors_(vectors), settings_(settings), monitor_(monitor), placer_(placer) {}

Result<SearchAnswer> Searcher::search(const SearchQuery& query) const {
  const auto start = SteadyClock::now();
  MAGPIE_TRY_DO(check(query));
  SearchView view;
  MAGPIE_TRY(view.text, text_.snapshot());
  MAGPIE_TRY(view.vectors, vectors_.snapshot());
  CandidateOptions options{.nearest = !query.exact.value_or(settings_.exact()) && nearest_will_do(query),
                           .monitor = monitor_,
                           .placer = settings_.looks() ? placer_ : nullptr};
  MAGPIE_TRY(SearchAnswer found, answer(view, query, options));
  // So many of the nearest were copies of one another, or may be of one shop, that they do not fill the pages.
  const bool spread = query.per_shop > 0 || query.per_brand > 0;
  if (options.nearest && found.cut_off && (spread || found.total < kNearestHits)) {
    options = {};  // and the monitor has seen this search
    MAGPIE_TRY(found, answer(view, query, options));
  }
  found.took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
  return found;
}

Result<SearchAnswer> Searcher::answer(const SearchView& view, const SearchQuery& query, CandidateOptions options) const {
  MAGPIE_TRY(const Grounds grounds, find_grounds(*view.text, query));
  Answered answered(view, query, settings_, options);
  MAGPIE_TRY_DO(answered.find(grounds));
  const Candidates& candidates = answered.candidates();
  const auto text_weight = static_cast<float>(settings_.text_weight());
  MAGPIE_TRY(Ranking ranking, Ranking::of(view, answered.found(), candidates, query.sort, text_weight));
  const std::size_t hits_max = candidates.cut_off ? std::min(kNearestHits, ranking.size()) : ranking.size();
  MAGPIE_TRY(const SpreadPage page, page_of(view, ranking, query, hits_max));

  SearchAnswer answer{.total = hits_max,
                      .listed = page.listed,
                      .plan = candidates.plan,
                      .cut_off = candidates.cut_off,
                      .any_word = candidates.any_word,
                      .meant = candidates.words.meant,
                      .version = view.text->version()};
  for (const SpreadHit& hit : page.hits) answer.hits.push_back(describe(hit, ranking, candidates));
  MAGPIE_TRY_DO(add_percentiles(view, query, candidates, answer.hits));
  const auto values_max = static_cast<std::size_t>(settings_.facet_values());
  MAGPIE_TRY(answer.facets, count_all(view, query, grounds, answered, values_max));
  if (query.prices) {
    MAGPIE_TRY(const IdSet priced, grounds.relaxed_prices ? answered.among(*grounds.relaxed_prices) : answered.found());
    MAGPIE_TRY(answer.prices, count_prices(view, priced));
  }
  if (query.dates_at_seconds) {
    MAGPIE_TRY(const IdSet dated, grounds.relaxed_dates ? answered.among(*grounds.relaxed_dates) : answered.found());
    MAGPIE_TRY(answer.dates, count_dates(view, dated, *query.dates_at_seconds));
  }
  answer.exactness = candidates.exactness;
  return answer;
}

}  // namespace magpie
