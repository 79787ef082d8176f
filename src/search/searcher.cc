#include "search/searcher.h"

#include <algorithm>
#include <map>
#include <utility>

#include "search/candidates.h"
#include "search/prices.h"
#include "search/ranking.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::pair<SortOrder, std::string_view> kSortOrders[] = {{SortOrder::kRelevance, "relevance"},
                                                                  {SortOrder::kNewest, "newest"},
                                                                  {SortOrder::kPriceAsc, "price-asc"},
                                                                  {SortOrder::kPriceDesc, "price-desc"}};

Result<void> check(const SearchQuery& query) {
  if (query.limit > kSearchLimitMax) return fail(Code::kBadInput, "limit is at most {}, not {}", kSearchLimitMax, query.limit);
  if (query.like.size() > kLikeMax) return fail(Code::kBadInput, "at most {} pictures to be like, not {}", kLikeMax, query.like.size());
  return {};
}

/// Whether the first hits tell enough of the answer, so that the nearest pictures answer as well as all pictures. What page is wanted, and
/// whether counts are, does not matter: all pages of a query are of one answer.
bool nearest_will_do(const SearchQuery& query) {
  const bool by_picture_alone = !has_words(query.words) && query.phrases.empty() && (!query.picture.empty() || !query.like.empty());
  return by_picture_alone && query.sort == SortOrder::kRelevance;
}

/// The documents that pass the whole filter, and those that pass it but for one facet's own part: the ground on which that facet is
/// counted.
struct Grounds {
  IdSet passed;
  std::vector<std::pair<Facet, IdSet>> relaxed;  // facets with a selection only
  std::optional<IdSet> relaxed_prices;
};

Result<Grounds> find_grounds(const TextSnapshot& text, const SearchQuery& query) {
  Grounds grounds;
  MAGPIE_TRY(grounds.passed, text.filter(query.filter));
  for (const Facet facet : query.facets) {
    if (query.filter.values(facet).empty()) continue;
    Filter relaxed = query.filter;
    relaxed.values(facet).clear();
    MAGPIE_TRY(IdSet passed, text.filter(relaxed));
    grounds.relaxed.emplace_back(facet, std::move(passed));
  }
  const bool prices_chosen = query.filter.price_min_micros || query.filter.price_max_micros || !query.filter.currencies.empty();
  if (query.prices && prices_chosen) {
    Filter relaxed = query.filter;
    relaxed.price_min_micros.reset();
    relaxed.price_max_micros.reset();
    relaxed.currencies.clear();
    MAGPIE_TRY(grounds.relaxed_prices, text.filter(relaxed));
  }
  return grounds;
}

/// Everything that any part of the answer can ask about: the vector search need not look elsewhere.
IdSet all_of(const Grounds& grounds) {
  IdSet all = grounds.passed;
  for (const auto& [facet, passed] : grounds.relaxed) all |= passed;
  if (grounds.relaxed_prices) all |= *grounds.relaxed_prices;
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
    MAGPIE_TRY(Candidates wider, find_candidates(view_, query_, settings_, ground, {.nearest = true}));
    if (wider.exactness == Exactness::kAtLeast) candidates_.exactness = Exactness::kAtLeast;
    return wider.among(ground);
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

SearchHit describe(ImageId shown, const Ranking& ranking, const Candidates& candidates) {
  const std::vector<ImageId>& copies = ranking.copies(shown);
  SearchHit hit{.id = shown, .score = ranking.score(shown), .copies_total = copies.size()};
  if (candidates.with_words) hit.text = candidates.text(shown);
  if (candidates.with_pictures) hit.similarity = candidates.similarity.get(shown);
  hit.region = candidates.region(shown);
  hit.by_looks = candidates.by_looks_alone.contains(shown);
  hit.copies.assign(copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(std::min(copies.size(), kCopiesListed)));
  return hit;
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
  // So many of the nearest were copies of one another that they do not fill the pages.
  if (options.nearest && found.cut_off && found.total < kNearestHits) {
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
  const std::size_t offset = std::min(query.offset, hits_max);

  SearchAnswer answer{.total = hits_max,
                      .plan = candidates.plan,
                      .cut_off = candidates.cut_off,
                      .any_word = candidates.any_word,
                      .meant = candidates.words.meant,
                      .version = view.text->version()};
  for (const Place& place : ranking.page(offset, std::min(query.limit, hits_max - offset))) {
    answer.hits.push_back(describe(place.id, ranking, candidates));
  }
  const auto values_max = static_cast<std::size_t>(settings_.facet_values());
  MAGPIE_TRY(answer.facets, count_all(view, query, grounds, answered, values_max));
  if (query.prices) {
    MAGPIE_TRY(const IdSet priced, grounds.relaxed_prices ? answered.among(*grounds.relaxed_prices) : answered.found());
    MAGPIE_TRY(answer.prices, count_prices(view, priced));
  }
  answer.exactness = candidates.exactness;
  return answer;
}

}  // namespace magpie
