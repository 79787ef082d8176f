#include "search/searcher.h"

#include <algorithm>
#include <map>
#include <utility>

#include "search/candidates.h"
#include "search/collapse.h"
#include "search/prices.h"

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

/// Whether the first hits are all that is asked for, so that the nearest pictures answer as well as all pictures.
bool nearest_will_do(const SearchQuery& query) {
  const bool by_picture_alone = !has_words(query.words) && (!query.picture.empty() || !query.like.empty());
  const bool counts_all = !query.facets.empty() || query.prices;
  return by_picture_alone && !counts_all && query.sort == SortOrder::kRelevance && query.limit > 0 &&
         query.offset + query.limit <= kNearestHits;
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

Result<std::vector<FacetCounts>> count_all(const SearchView& view, const SearchQuery& query, const Grounds& grounds,
                                           const Candidates& candidates, const IdSet& found, std::size_t values_max) {
  std::map<Facet, FacetCounts> counted;
  std::vector<Facet> plain;
  for (const Facet facet : query.facets) {
    if (query.filter.values(facet).empty()) plain.push_back(facet);
  }
  MAGPIE_TRY(std::vector<FacetCounts> counts, view.text->facets(plain, found, values_max));
  for (FacetCounts& one : counts) counted[one.facet] = std::move(one);
  for (const auto& [facet, passed] : grounds.relaxed) {
    MAGPIE_TRY(std::vector<FacetCounts> own, view.text->facets(std::span(&facet, 1), candidates.among(passed), values_max));
    counted[facet] = std::move(own.front());
  }
  std::vector<FacetCounts> result;
  for (const Facet facet : query.facets) result.push_back(counted[facet]);
  return result;
}

std::vector<SearchHit> describe(const std::vector<Collapsed::Hit>& page, const Collapsed& collapsed, const Candidates& candidates) {
  std::map<ImageId, std::vector<ImageId>> copies;  // by group, of this page
  for (const Collapsed::Hit& hit : page) {
    if (hit.copies > 0) copies[hit.best.group];
  }
  if (!copies.empty()) {
    for (const Collapsed::Copy& copy : collapsed.copies) {
      if (const auto group = copies.find(copy.group); group != copies.end()) group->second.push_back(copy.id);
    }
  }
  std::vector<SearchHit> hits;
  for (const Collapsed::Hit& hit : page) {
    SearchHit shown{.id = hit.best.id, .score = hit.best.score, .copies_total = hit.copies};
    if (candidates.with_words) shown.text = candidates.text.get(shown.id);
    if (candidates.with_pictures) shown.similarity = candidates.similarity.get(shown.id);
    if (const auto region = candidates.regions.find(shown.id); region != candidates.regions.end()) shown.region = region->second;
    if (hit.copies > 0) {
      shown.copies = std::move(copies[hit.best.group]);
      std::sort(shown.copies.begin(), shown.copies.end());
      if (shown.copies.size() > kCopiesListed) shown.copies.resize(kCopiesListed);
    }
    hits.push_back(std::move(shown));
  }
  return hits;
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

Searcher::Searcher(const TextIndex& text, const VectorIndex& vectors, const SearchSettings& settings, RecallMonitor* monitor)
    : text_(text), vectors_(vectors), settings_(settings), monitor_(monitor) {}

Result<SearchAnswer> Searcher::search(const SearchQuery& query) const {
  const auto start = SteadyClock::now();
  MAGPIE_TRY_DO(check(query));
  SearchView view;
  MAGPIE_TRY(view.text, text_.snapshot());
  MAGPIE_TRY(view.vectors, vectors_.snapshot());
  CandidateOptions options{.nearest = !query.exact.value_or(settings_.exact()) && nearest_will_do(query), .monitor = monitor_};
  MAGPIE_TRY(SearchAnswer found, answer(view, query, options));
  // So many of the nearest were copies of one another that the page is not full.
  if (options.nearest && found.cut_off && found.total < query.offset + query.limit) {
    options = {};  // and the monitor has seen this search
    MAGPIE_TRY(found, answer(view, query, options));
  }
  found.took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
  return found;
}

Result<SearchAnswer> Searcher::answer(const SearchView& view, const SearchQuery& query, CandidateOptions options) const {
  MAGPIE_TRY(Grounds grounds, find_grounds(*view.text, query));
  MAGPIE_TRY(Candidates candidates, find_candidates(view, query, settings_, all_of(grounds), options));
  const IdSet found = candidates.among(grounds.passed);
  const auto text_weight = static_cast<float>(settings_.text_weight());
  MAGPIE_TRY(std::vector<Found> ordered, order_found(view, found, candidates, query.sort, text_weight));
  Collapsed collapsed = collapse(ordered, query.sort);
  const std::vector<Collapsed::Hit> page = take_page(collapsed, query.offset, query.limit);

  SearchAnswer answer{.total = collapsed.hits.size(),
                      .exactness = candidates.exactness,
                      .plan = candidates.plan,
                      .cut_off = candidates.cut_off,
                      .any_word = candidates.any_word,
                      .hits = describe(page, collapsed, candidates),
                      .version = view.text->version()};
  const auto values_max = static_cast<std::size_t>(settings_.facet_values());
  MAGPIE_TRY(answer.facets, count_all(view, query, grounds, candidates, found, values_max));
  if (query.prices) {
    const IdSet priced = grounds.relaxed_prices ? candidates.among(*grounds.relaxed_prices) : found;
    MAGPIE_TRY(answer.prices, count_prices(view, priced));
  }
  return answer;
}

}  // namespace magpie
