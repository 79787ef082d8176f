#include "app/shop_yield.h"

#include <simdjson.h>

#include <algorithm>
#include <set>

#include "app/job_json.h"
#include "core/frontier.h"

namespace magpie {
namespace {

bool has_field(const Product& product, bool picture, const std::string& field) {
  if (field == "picture") return picture;
  if (field == "price") return !product.offer.price.empty();
  if (field == "currency") return !product.offer.currency.empty();
  if (field == "availability") return !product.offer.availability.empty();
  const std::string& text = field == "brand"      ? product.brand
                            : field == "sku"      ? product.sku
                            : field == "gtin"     ? product.gtin
                            : field == "category" ? product.category
                                                  : product.description;
  return !text.empty();
}

Result<bool> has_picture(const Catalog& catalog, const StoredProduct& product, std::uint32_t side_min) {
  for (const ImageId id : product.images) {
    MAGPIE_TRY(const std::optional<Image> image, catalog.image(id));
    if (image && std::max(image->width, image->height) >= side_min) return true;
  }
  return false;
}

Result<void> count_page(const Catalog& catalog, const PageDetails& page, const Profile& profile, ShopYield& yield) {
  ++yield.pages;
  for (const StoredProduct& stored : page.products) {
    const Product& product = stored.product;
    MAGPIE_TRY(const bool picture, has_picture(catalog, stored, profile.picture_side_min));
    ++yield.products;
    yield.with_price += !product.offer.price.empty();
    yield.with_brand += !product.brand.empty();
    yield.with_picture += picture;
    yield.complete += std::all_of(profile.fields.begin(), profile.fields.end(),
                                  [&](const std::string& field) { return has_field(product, picture, field); });
    if (!profile.classes.empty()) ++yield.classes[class_of(profile, product)];
  }
  return {};
}

/// Of the shop's own crawls that have ended: a host may be crawled by others, too.
Result<void> count_cost(const Catalog& catalog, const Shop& shop, ShopYield& yield) {
  MAGPIE_TRY(const std::vector<Job> jobs, catalog.jobs());
  std::set<JobId> own;
  for (const Job& job : jobs) {
    if (job.seeds != std::vector{shop.address} || !job.finished_at) continue;
    own.insert(job.id);
    const CrawlProgress progress = progress_from_json(job.counters_json);
    yield.bytes += progress.bytes;
    yield.products_new += progress.products_new;
    if (job.started_at) yield.seconds += std::chrono::duration<double>(*job.finished_at - *job.started_at).count();
  }
  MAGPIE_TRY(const std::vector<HostVisit> visits, catalog.host_visits(host_of_url(shop.address)));
  simdjson::dom::parser parser;
  for (const HostVisit& visit : visits) {
    std::uint64_t requests = 0;
    if (own.contains(visit.job) && parser.parse(visit.report_json)["requests"].get(requests) == simdjson::SUCCESS)
      yield.requests += requests;
  }
  return {};
}

}  // namespace

Result<ShopYield> shop_yield(const Catalog& catalog, const Shop& shop, const Profile& profile) {
  ShopYield yield;
  const std::string host(host_of_url(shop.address));
  std::vector<PageId> pages;
  MAGPIE_TRY_DO(catalog.each_page([&](PageId id, const std::string& url) -> Result<void> {
    if (host_of_url(url) == host) pages.push_back(id);
    return {};
  }));
  for (const PageId id : pages) {
    MAGPIE_TRY(const std::optional<PageDetails> page, catalog.page(id));
    if (page) MAGPIE_TRY_DO(count_page(catalog, *page, profile, yield));
  }
  MAGPIE_TRY_DO(count_cost(catalog, shop, yield));
  return yield;
}

}  // namespace magpie
