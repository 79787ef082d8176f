#include "serve/picture_json.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/utf8.h"
#include "core/licence.h"
#include "core/product_identity.h"
#include "net/url.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

constexpr std::size_t kListedMax = 100;
constexpr std::size_t kKeywordsMax = 50;
constexpr std::size_t kPagesInSteps = 5;
constexpr std::size_t kDescriptionBytesMax = 10'000;

/// Hits of all but `except`, at most kListedMax.
Outcome<std::string> hits_of(const PictureSource& source, const std::vector<ImageId>& ids, ImageId except) {
  std::vector<HitScore> hits;
  for (const ImageId id : ids) {
    if (id != except && hits.size() < kListedMax) hits.push_back({.id = id});
  }
  SERVE_TRY(std::string text, source.cards.array(hits));
  return text;
}

void write_colours(JsonWriter& json, const std::vector<ColourShare>& colours) {
  json.begin_array();
  for (std::size_t i = 0; i < std::min<std::size_t>(colours.size(), 5); ++i) {
    const ColourShare& colour = colours[i];
    json.begin_object().field("name", colour.name).field("hex", api_colour(colour.rgb));
    json.field("share", std::clamp(static_cast<double>(colour.share), 0.0, 1.0)).end_object();
  }
  json.end_array();
}

/// A share to four places: a tenth of a pixel of a preview.
double rounded(float share) { return std::round(std::clamp(static_cast<double>(share), 0.0, 1.0) * 1e4) / 1e4; }

void write_regions(JsonWriter& json, const std::vector<Region>& regions) {
  json.begin_array();
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const Region& region = regions[i];
    json.begin_object().field("region", i + 1).field("class", region.label).field("score", rounded(region.score)).key("box").begin_object();
    json.field("left", rounded(region.left)).field("top", rounded(region.top));
    json.field("right", rounded(region.right)).field("bottom", rounded(region.bottom)).end_object().key("colours");
    write_colours(json, region.colours);
    json.end_object();
  }
  json.end_array();
}

void write_keywords(JsonWriter& json, const ImageDetails& details) {
  std::vector<std::string_view> written;
  json.begin_array();
  for (const Showing& showing : details.showings) {
    for (const std::string& keyword : showing.keywords) {
      if (written.size() == kKeywordsMax) break;
      if (std::find(written.begin(), written.end(), keyword) != written.end()) continue;
      written.push_back(keyword);
      json.string(keyword);
    }
  }
  json.end_array();
}

void write_sources(JsonWriter& json, const ImageDetails& details) {
  json.begin_array();
  for (std::size_t i = 0; i < std::min(details.showings.size(), kListedMax); ++i) {
    const Showing& showing = details.showings[i];
    json.begin_object().field("page_url", showing.page_url).field("page_title", showing.page_title);
    json.field("image_url", showing.image_url)
        .field("alt", showing.alt)
        .field("fetched_at", api_time(details.image.fetched_at))
        .end_object();
  }
  json.end_array().field("sources_total", details.showings.size());
}

/// A source's words may be anything, and pages link to what stands here.
void write_address_or_null(JsonWriter& json, std::string_view key, const std::string& address) {
  const auto url = Url::parse(address);
  write_text_or_null(json, key, url && url->is_http() ? url->href() : std::string());
}

void write_labels(JsonWriter& json, const ImageDetails& details) {
  json.begin_array();
  for (std::size_t i = 0; i < std::min(details.labels.size(), kListedMax); ++i) {
    const PictureLabel& label = details.labels[i];
    json.begin_object().field("label", label.label).field("source", label.source);
    write_text_or_null(json, "artist", label.artist);
    write_address_or_null(json, "artist_url", label.artist_url);
    write_address_or_null(json, "page_url", label.page_url);
    write_text_or_null(json, "licence", licence_name(label.licence));
    write_address_or_null(json, "licence_url", label.licence);
    json.end_object();
  }
  json.end_array();
}

void write_variants(JsonWriter& json, ImageId id) {
  json.begin_object();
  for (const char* variant : {"thumbnail", "preview", "large", "original"}) json.field(variant, variant_link(id, variant));
  json.end_object();
}

struct Step {
  Timestamp at{};
  std::string_view stage;
  std::string detail;
};

/// Only what the catalog has a time for: when pages that show it were read, and when its addresses were fetched.
Outcome<std::vector<Step>> steps_of(const Catalog& catalog, const ImageDetails& details) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < std::min(details.showings.size(), kPagesInSteps); ++i) {
    SERVE_TRY(const auto page, catalog.page(details.showings[i].page));
    if (page) steps.push_back({page->fetched_at, "found", fmt::format("Found on {}.", details.showings[i].page_url)});
  }
  for (std::size_t i = 0; i < std::min(details.urls.size(), kPagesInSteps); ++i) {
    SERVE_TRY(const auto known, catalog.why(details.urls[i]));
    if (!known || !known->fetched) continue;
    const Fetch& fetch = known->fetch;
    const bool failed = fetch.cause != Cause::kNone;
    steps.push_back(
        {fetch.fetched_at, failed ? "failed" : "fetched",
         failed ? fmt::format("Fetching {} failed: {}.", fetch.url, fetch.detail.empty() ? to_string(fetch.cause) : fetch.detail)
                : fmt::format("Fetched {}: status {}, {} bytes, {} ms.", fetch.url, fetch.status, fetch.body_bytes, fetch.took.count())});
  }
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  return steps;
}

void write_steps(JsonWriter& json, const std::vector<Step>& steps) {
  json.begin_array();
  for (const Step& step : steps)
    json.begin_object().field("at", api_time(step.at)).field("stage", step.stage).field("detail", step.detail).end_object();
  json.end_array();
}

/// The picture itself, without what other tables say.
void write_facts(JsonWriter& json, const ImageDetails& details) {
  const Image& image = details.image;
  const Showing* showing = details.showings.empty() ? nullptr : &details.showings.front();
  const UprightSize size = upright_size(image);
  json.field("image_id", image.id).field("title", title_of(details)).field("alt", showing ? showing->alt : std::string());
  json.field("shop", shop_of(details)).field("page_url", page_url_of(details));
  json.field("width", std::max(size.width, 1U)).field("height", std::max(size.height, 1U)).field("bytes", image.bytes);
  json.field("format", image.format).field("frames", std::max(image.frames, 1U));
  json.field("duration_ms", image.duration.count()).field("plays", image.plays);
  json.field("sha256", to_hex(image.sha256)).field("phash", to_hex(image.phash)).field("colour", colour_of(image)).key("colours");
  write_colours(json, image.colours);
  json.key("regions");
  write_regions(json, details.regions);
  json.field("brightness", std::clamp(image.brightness / 255.0, 0.0, 1.0)).key("keywords");
  write_keywords(json, details);
  json.key("labels");
  write_labels(json, details);
  write_text_or_null(json, "language", showing ? showing->language : std::string());
  json.field("fetched_at", api_time(image.fetched_at)).key("variants");
  write_variants(json, image.id);
}

void write_inherited(JsonWriter& json, const std::vector<InheritedWord>& words) {
  json.begin_array();
  for (const InheritedWord& word : words)
    json.begin_object().field("word", word.word).field("weight", rounded(word.weight)).field("image_id", word.source).end_object();
  json.end_array();
}

void write_noteworthy(JsonWriter& json, const NoteworthyFeatures& features) {
  json.begin_object().field("rarity", rounded(features.rarity)).field("look_alikes", features.look_alikes);
  json.field("own_words", features.own_words)
      .field("copies", features.copies)
      .field("pages", features.pages)
      .field("shops", features.shops);
  json.field("products", features.products).field("price_changes", features.price_changes).end_object();
}

std::string_view api_availability(std::string_view schema_org) {
  if (schema_org == "InStock") return "in_stock";
  return schema_org == "OutOfStock" ? "out_of_stock" : "unknown";
}

void write_product_variants(JsonWriter& json, const Product& product) {
  json.begin_array();
  for (const ProductVariant& variant : product.variants) {
    json.begin_object().key("options").begin_array();
    for (const VariantOption& option : variant.options) {
      json.begin_object();
      write_text_or_null(json, "name", option.name);
      json.field("value", option.value).end_object();
    }
    json.end_array();
    write_text_or_null(json, "sku", variant.sku);
    write_text_or_null(json, "gtin", variant.gtin);
    json.key("price");
    write_price(json, variant.offer);
    json.field("availability", api_availability(variant.offer.availability));
    write_text_or_null(json, "image_url", variant.image);
    json.end_object();
  }
  json.end_array();
}

/// "129.95 EUR" as the catalog notes it; without a price it is none.
std::optional<Offer> price_from(const std::string& noted) {
  const std::size_t space = noted.rfind(' ');
  if (space == std::string::npos || noted.empty()) return std::nullopt;
  return Offer{.price = noted.substr(0, space), .currency = noted.substr(space + 1), .old_price = {}, .availability = {}};
}

/// One shop's offer of an article.
struct ShopOffer {
  StoredProduct product;
  PageDetails page;
  std::vector<ProductChange> changes;
  std::optional<SameArticle> same;  // why it is the article asked for; none for that itself
};

void write_past_prices(JsonWriter& json, const std::vector<ProductChange>& changes) {
  json.begin_array();
  for (const ProductChange& change : changes) {
    const std::optional<Offer> before = price_from(change.before);
    if (!before || !is_api_amount(before->price) || !has_currency_form(before->currency)) continue;
    json.begin_object().key("price");
    write_price(json, *before);
    json.field("until", api_time(change.at)).end_object();
  }
  json.end_array();
}

void write_offer(JsonWriter& json, const ShopOffer& shop_offer) {
  const Product& product = shop_offer.product.product;
  const PageDetails& page = shop_offer.page;
  json.begin_object().field("product_id", shop_offer.product.id).field("name", product.name);
  write_text_or_null(json, "same_by", shop_offer.same ? to_string(*shop_offer.same) : "");
  json.field("shop", page.shop).field("page_url", page.page.url).key("price");
  write_price(json, product.offer);
  json.key("past_prices");
  write_past_prices(json, shop_offer.changes);
  json.field("availability", api_availability(product.offer.availability)).field("seen_at", api_time(page.fetched_at));
  json.key("evidence");
  write_evidence(json, product);
  json.key("variants");
  write_product_variants(json, product);
  json.end_object();
}

/// The product's own and those of the same article elsewhere: of its own currency first, the cheapest first; those without a price last.
Outcome<std::vector<ShopOffer>> offers_of(const Catalog& catalog, const StoredProduct& stored) {
  std::vector<ShopOffer> offers;
  const auto add = [&](StoredProduct product, std::optional<SameArticle> same) -> Outcome<std::monostate> {
    SERVE_TRY(auto page, catalog.page(product.page));
    if (!page) return std::monostate();
    SERVE_TRY(auto changes, catalog.price_changes(product.id, kListedMax));
    offers.push_back({std::move(product), std::move(*page), std::move(changes), same});
    return std::monostate();
  };
  SERVE_TRY([[maybe_unused]] const auto own, add(stored, std::nullopt));
  SERVE_TRY(std::vector<LikeProduct> like, catalog.products_like(stored, kListedMax));
  for (LikeProduct& other : like) {
    const auto same = same_article(stored.product, other.product.product, other.shares_a_picture);
    if (!same || offers.size() == kListedMax) continue;
    SERVE_TRY([[maybe_unused]] const auto added, add(std::move(other.product), same));
    // One shop shows several things in one photograph.
    const bool same_shop = offers.size() > 1 && offers.back().page.shop == offers.front().page.shop;
    if (same_shop && same == SameArticle::kPictureAndName) offers.pop_back();
  }
  const auto place = [&](const ShopOffer& one) {
    const StoredProduct& product = one.product;
    const bool priced = product.price_micros.has_value();
    const std::string& currency = product.product.offer.currency;
    return std::tuple(!priced, currency != stored.product.offer.currency, currency, product.price_micros.value_or(0), one.same.has_value());
  };
  std::ranges::stable_sort(offers, {}, place);
  return offers;
}

}  // namespace

void write_evidence(JsonWriter& json, const Product& product) {
  json.begin_array();
  for (const FieldEvidence& one : product.evidence) {
    json.begin_object().field("field", one.field).field("from", to_string(one.origin));
    json.field("sure_percent", static_cast<std::int64_t>(one.sure_percent)).key("otherwise");
    one.otherwise.empty() ? json.null() : json.string(one.otherwise);
    json.end_object();
  }
  json.end_array();
}

Outcome<std::string> product_text(const PictureSource& source, const StoredProduct& stored) {
  const Product& product = stored.product;
  SERVE_TRY(const std::vector<ShopOffer> offers, offers_of(source.catalog, stored));
  SERVE_TRY(const std::string images, hits_of(source, stored.images, kNoId));
  JsonWriter json;
  json.begin_object().field("product_id", stored.id).field("name", product.name);
  write_text_or_null(json, "brand", product.brand);
  write_text_or_null(json, "category", product.category);
  write_text_or_null(json, "description", utf8_prefix(product.description, kDescriptionBytesMax));
  write_text_or_null(json, "sku", product.sku);
  write_text_or_null(json, "gtin", gtin14(product.gtin));
  json.key("offers").begin_array();
  for (const ShopOffer& offer : offers) write_offer(json, offer);
  json.end_array().key("images").raw(images).end_object();
  return json.take();
}

Outcome<std::string> image_text(const PictureSource& source, const ImageDetails& details) {
  const Image& image = details.image;
  SERVE_TRY(const std::vector<ImageId> group, source.catalog.copies(image.copy_group == kNoId ? image.id : image.copy_group));
  SERVE_TRY(const std::string copies, hits_of(source, group, image.id));
  SERVE_TRY(const std::vector<CopyLink> links, source.catalog.copy_links(image.copy_group));
  SERVE_TRY(const auto document, source.catalog.index_document(image.id));
  SERVE_TRY(const auto embedding, source.catalog.embedding(image.id, source.embedding_space));
  SERVE_TRY(const std::vector<InheritedWord> inherited, source.catalog.inherited_words(image.id));
  SERVE_TRY(const auto features, source.catalog.noteworthy_features(image.id));
  SERVE_TRY(const std::vector<Step> steps, steps_of(source.catalog, details));
  JsonWriter json;
  json.begin_object();
  write_facts(json, details);
  json.key("inherited");
  write_inherited(json, inherited);
  json.key("noteworthy");
  write_noteworthy(json, features.value_or(NoteworthyFeatures()));
  json.field("indexed", document.has_value());
  write_text_or_null(json, "not_indexed_because",
                     document ? "" : "Every page that shows it asks not to be found by it, or none shows it any more.");
  write_text_or_null(json, "model", embedding ? source.embedding_space : "");
  json.key("sources");
  write_sources(json, details);
  json.key("product");
  std::optional<StoredProduct> product;
  if (!details.showings.empty() && details.showings.front().product) {
    SERVE_TRY(product, source.catalog.product(details.showings.front().product->id));
  }
  if (product) {
    SERVE_TRY(const std::string text, product_text(source, *product));
    json.raw(text);
  } else {
    json.null();
  }
  const bool in_group = std::find(group.begin(), group.end(), image.id) != group.end();
  json.key("copy_links");
  write_copy_links(json, links);
  json.key("copies").raw(copies).field("copies_total", group.size() - (in_group ? 1 : 0)).key("why");
  write_steps(json, steps);
  json.end_object();
  return json.take();
}

}  // namespace magpie
