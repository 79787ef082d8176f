#include "serve/shop_counts.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>

#include "core/frontier.h"

namespace magpie {
namespace {

using ByShop = std::map<std::string, ShopCount, std::less<>>;

ShopCount& of_shop(ByShop& shops, std::string_view name) {
  const auto found = shops.find(name);
  if (found != shops.end()) return found->second;
  return shops.emplace(name, ShopCount{.shop = std::string(name)}).first->second;
}

Result<void> count_images(const TextIndex& text, ByShop& shops) {
  MAGPIE_TRY(const auto snapshot, text.snapshot());
  MAGPIE_TRY(const IdSet all, snapshot->filter({}));
  constexpr std::array<Facet, 1> kShop = {Facet::kShop};
  MAGPIE_TRY(const std::vector<FacetCounts> facets, snapshot->facets(kShop, all, 10'000));
  for (const FacetCounts& counts : facets) {
    for (const FacetValue& value : counts.values) of_shop(shops, value.value).images = value.count;
  }
  return {};
}

Result<void> count_products(const Catalog& catalog, ByShop& shops) {
  std::unordered_map<PageId, ShopCount*> shop_of_page;  // nodes of a map stay where they are
  MAGPIE_TRY_DO(catalog.each_page([&](PageId page, const std::string& url) -> Result<void> {
    shop_of_page.emplace(page, &of_shop(shops, host_of_url(url)));
    return {};
  }));
  return catalog.each_product([&](const StoredProduct& product) -> Result<void> {
    const auto found = shop_of_page.find(product.page);
    if (found != shop_of_page.end()) ++found->second->products;
    return {};
  });
}

}  // namespace

Result<ShopCounts::Counts> ShopCounts::get(const CatalogStats& stats) {
  const auto now = clock_.steady();
  const Counts kept = state_.with([&](State& state) { return state.counts && now - state.made_at < kKept ? state.counts : nullptr; });
  if (kept) return kept;
  MAGPIE_TRY(Counts fresh, count(stats));
  state_.with([&](State& state) { state = {fresh, now}; });
  return fresh;
}

Result<ShopCounts::Counts> ShopCounts::count(const CatalogStats& stats) const {
  ByShop shops;
  for (const auto& [shop, pages] : stats.pages_by_shop) of_shop(shops, shop).pages = pages;
  MAGPIE_TRY_DO(count_images(text_, shops));
  MAGPIE_TRY_DO(count_products(catalog_, shops));
  std::vector<ShopCount> counts;
  for (auto& [name, count] : shops) counts.push_back(std::move(count));
  std::sort(counts.begin(), counts.end(), [](const ShopCount& a, const ShopCount& b) {
    return std::tie(b.images, b.pages, a.shop) < std::tie(a.images, a.pages, b.shop);
  });
  return std::make_shared<const std::vector<ShopCount>>(std::move(counts));
}

}  // namespace magpie
