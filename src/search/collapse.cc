#include "search/collapse.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace magpie {
namespace {

constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();

struct Priced {
  std::size_t found = 0;
  std::string_view currency;
  std::int64_t price = 0;
};

/// Floats from 0 up order as their bits do; the minus sign puts the highest first.
std::int64_t highest_first(float score) { return -std::int64_t{std::bit_cast<std::uint32_t>(std::max(score, 0.0F))}; }

/// Currencies by how many pictures have them, most first, then by name.
std::map<std::string_view, std::uint32_t> rank_currencies(const std::vector<Priced>& priced) {
  std::map<std::string_view, std::uint64_t> counts;
  for (const Priced& one : priced) ++counts[one.currency];
  std::vector<std::pair<std::string_view, std::uint64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::map<std::string_view, std::uint32_t> ranks;
  for (std::uint32_t i = 0; i < order.size(); ++i) ranks[order[i].first] = i;
  return ranks;
}

void order_by_price(std::vector<Found>& found, const std::vector<Priced>& priced, bool cheapest_first) {
  const auto ranks = rank_currencies(priced);
  for (const Priced& one : priced) {
    found[one.found].rank = ranks.at(one.currency);
    found[one.found].key = cheapest_first ? one.price : -one.price;
  }
}

bool comes_first(const Found& a, const Found& b) {
  return std::tie(a.behind, a.rank, a.key, a.id) < std::tie(b.behind, b.rank, b.key, b.id);
}

bool is_by_price(SortOrder sort) { return sort == SortOrder::kPriceAsc || sort == SortOrder::kPriceDesc; }

/// The better of two copies to show, at the better of their places.
Found merged(const Found& a, const Found& b, bool by_price) {
  if (a.behind != b.behind) return a.behind ? b : a;  // a copy without the words does not stand for one that has them
  if (by_price) return std::tie(a.behind, a.rank, a.key, b.pixels, a.id) < std::tie(b.behind, b.rank, b.key, a.pixels, b.id) ? a : b;
  const bool first = std::tie(b.priced, b.pixels, a.id) < std::tie(a.priced, a.pixels, b.id);
  Found shown = first ? a : b;
  const Found& placed = std::tie(a.behind, a.rank, a.key) < std::tie(b.behind, b.rank, b.key) ? a : b;
  shown.behind = placed.behind;
  shown.rank = placed.rank;
  shown.key = placed.key;
  shown.score = placed.score;
  return shown;
}

}  // namespace

Result<std::vector<Found>> order_found(const SearchView& view, const IdSet& ids, const Candidates& candidates, SortOrder sort,
                                       float text_weight) {
  const bool by_price = is_by_price(sort);
  const bool by_score = sort == SortOrder::kRelevance && !candidates.browsing;
  std::vector<Found> found;
  std::vector<Priced> priced;
  found.reserve(ids.count());
  MAGPIE_TRY_DO(view.text->rows(ids, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      Found one{.id = row.id, .group = row.copy_group, .pixels = row.pixels, .score = candidates.score(row.id, text_weight)};
      one.behind = candidates.stands_behind(row.id);
      one.priced = row.price_micros.has_value();
      if (by_price) {
        one.rank = kLast;
        if (row.price_micros) priced.push_back({found.size(), row.currency, *row.price_micros});
      } else {
        one.key = by_score ? highest_first(one.score) : -row.fetched_at_seconds;
      }
      found.push_back(one);
    }
  }));
  if (by_price) order_by_price(found, priced, sort == SortOrder::kPriceAsc);
  return found;
}

Collapsed collapse(const std::vector<Found>& found, SortOrder sort) {
  const bool by_price = is_by_price(sort);
  // Nearly all pictures are alone in their group: only groups with several among these have to be found again.
  IdSet seen, shared;
  for (const Found& one : found) {
    if (seen.contains(one.group)) shared.add(one.group);
    else seen.add(one.group);
  }
  Collapsed collapsed;
  collapsed.hits.reserve(found.size());
  std::unordered_map<ImageId, std::size_t> hit_of_group;
  for (const Found& one : found) {
    if (shared.contains(one.group)) {
      const auto [place, is_first] = hit_of_group.try_emplace(one.group, collapsed.hits.size());
      if (!is_first) {
        Collapsed::Hit& hit = collapsed.hits[place->second];
        ++hit.copies;
        const Found shown = merged(one, hit.best, by_price);
        collapsed.copies.push_back({one.group, shown.id == one.id ? hit.best.id : one.id});
        hit.best = shown;
        continue;
      }
    }
    collapsed.hits.push_back({one, 0});
  }
  return collapsed;
}

std::vector<Collapsed::Hit> take_page(Collapsed& collapsed, std::size_t offset, std::size_t limit) {
  auto& hits = collapsed.hits;
  const std::size_t begin = std::min(offset, hits.size());
  const std::size_t end = begin + std::min(limit, hits.size() - begin);
  const auto at = [&](std::size_t i) { return hits.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto first = [](const Collapsed::Hit& a, const Collapsed::Hit& b) { return comes_first(a.best, b.best); };
  if (begin == end) return {};
  // Hits before the page need not be sorted, only be there.
  std::nth_element(hits.begin(), at(begin), hits.end(), first);
  std::partial_sort(at(begin), at(end), hits.end(), first);
  return {at(begin), at(end)};
}

}  // namespace magpie
