#include "app/shop_yield.h"

#include <simdjson.h>

#include <algorithm>

#include "app/job_json.h"
#include "base/json_writer.h"
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
  MAGPIE_TRY(const std::vector<Job> jobs, catalog.jobs());
  for (const Job& job : jobs) {
    if (job.seeds != std::vector{shop.address}) continue;
    yield.bytes += progress_from_json(job.counters_json).bytes;
    if (job.started_at && job.finished_at) yield.seconds += std::chrono::duration<double>(*job.finished_at - *job.started_at).count();
  }
  MAGPIE_TRY(const std::vector<HostVisit> visits, catalog.host_visits(host));
  simdjson::dom::parser parser;
  for (const HostVisit& visit : visits) {
    std::uint64_t requests = 0;
    if (parser.parse(visit.report_json)["requests"].get(requests) == simdjson::SUCCESS) yield.requests += requests;
  }
  return yield;
}

std::string to_json(const ShopYield& yield) {
  const auto products = static_cast<double>(yield.products);
  JsonWriter json;
  const auto each = [&](std::string_view name, double value) {
    json.key(name);
    yield.products > 0 ? json.number(value / products) : json.null();
  };
  json.begin_object().field("pages", yield.pages).field("products", yield.products);
  each("share_with_price", static_cast<double>(yield.with_price));
  each("share_with_brand", static_cast<double>(yield.with_brand));
  each("share_with_picture", static_cast<double>(yield.with_picture));
  each("share_complete", static_cast<double>(yield.complete));
  each("requests_per_product", static_cast<double>(yield.requests));
  each("bytes_per_product", static_cast<double>(yield.bytes));
  each("seconds_per_product", yield.seconds);
  json.key("classes").begin_object();
  for (const auto& [name, count] : yield.classes) json.field(name.empty() ? "other" : name, count);
  return json.end_object().end_object().take();
}

}  // namespace magpie
