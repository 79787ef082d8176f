#include "search/prices.h"

#include <algorithm>
#include <map>
#include <string>

namespace magpie {
namespace {

struct Price {
  ImageId group = kNoId;
  std::int64_t micros = 0;
};

/// Multiples of powers of ten from the last at or below `min` to the last at or below `max`; 0 stands for anything under a millionth.
std::vector<std::int64_t> series(std::int64_t min, std::int64_t max, std::initializer_list<std::int64_t> multiples) {
  constexpr std::int64_t kPowerMax = 1'000'000'000'000'000'000;
  std::vector<std::int64_t> starts{0};
  for (std::int64_t power = 1;; power *= 10) {
    for (const std::int64_t multiple : multiples) {
      if (power > max / multiple) return starts;
      const std::int64_t start = power * multiple;
      if (start <= min) starts = {start};
      else starts.push_back(start);
    }
    if (power == kPowerMax) return starts;
  }
}

PriceFacet count_currency(std::string currency, const std::vector<Price>& prices) {
  const auto [least, most] = std::minmax_element(prices.begin(), prices.end(), [](auto& a, auto& b) { return a.micros < b.micros; });
  PriceFacet facet{.currency = std::move(currency), .min_micros = least->micros, .max_micros = most->micros};
  const std::vector<std::int64_t> starts = price_range_starts(facet.min_micros, facet.max_micros);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    facet.ranges.push_back({.from_micros = starts[i]});
    if (i + 1 < starts.size()) facet.ranges[i].to_micros = starts[i + 1];
  }
  IdSet seen;
  std::vector<IdSet> seen_in(starts.size());
  for (const Price& price : prices) {
    const auto after = std::upper_bound(starts.begin() + 1, starts.end(), price.micros);
    const auto range = static_cast<std::size_t>(after - starts.begin()) - 1;
    if (!seen.contains(price.group)) ++facet.count;
    if (!seen_in[range].contains(price.group)) ++facet.ranges[range].count;
    seen.add(price.group);
    seen_in[range].add(price.group);
  }
  return facet;
}

}  // namespace

std::vector<std::int64_t> price_range_starts(std::int64_t min_micros, std::int64_t max_micros) {
  const std::int64_t min = std::max<std::int64_t>(min_micros, 0), max = std::max<std::int64_t>(max_micros, 0);
  std::vector<std::int64_t> starts = series(min, max, {1, 2, 5});
  if (starts.size() > kPriceRangesMax) starts = series(min, max, {1});
  // Still too many: prices from fractions of a cent to millions. The lowest ranges become one.
  if (starts.size() > kPriceRangesMax) starts.erase(starts.begin() + 1, starts.end() - (kPriceRangesMax - 1));
  return starts;
}

Result<std::vector<PriceFacet>> count_prices(const SearchView& view, const IdSet& ids) {
  std::map<std::string, std::vector<Price>, std::less<>> by_currency;
  MAGPIE_TRY_DO(view.text->rows(ids, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      if (!row.price_micros || row.currency.empty()) continue;
      auto found = by_currency.find(row.currency);
      if (found == by_currency.end()) found = by_currency.try_emplace(std::string(row.currency)).first;
      found->second.push_back({row.copy_group, *row.price_micros});
    }
  }));
  std::vector<PriceFacet> facets;
  for (const auto& [currency, prices] : by_currency) facets.push_back(count_currency(currency, prices));
  std::stable_sort(facets.begin(), facets.end(), [](const PriceFacet& a, const PriceFacet& b) { return a.count > b.count; });
  return facets;
}

}  // namespace magpie
