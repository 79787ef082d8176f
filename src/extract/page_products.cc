#include "extract/page_products.h"

#include <algorithm>

#include "base/ascii.h"
#include "extract/embedded_state.h"
#include "extract/field_selectors.h"
#include "extract/product_fields.h"
#include "extract/product_variants.h"
#include "extract/schema_product.h"
#include "extract/visible_crumbs.h"
#include "extract/visible_lines.h"
#include "extract/visible_product.h"
#include "text/price.h"
#include "text/tokens.h"

namespace magpie {
namespace {

void fill(std::string& known, const std::string& other) {
  if (known.empty()) known = other;
}

// Adds to `known` what only `other` says of the same product. A price and its currency stay together.
void complete(Product& known, const Product& other) {
  fill(known.name, other.name);
  fill(known.brand, other.brand);
  fill(known.description, other.description);
  fill(known.sku, other.sku);
  fill(known.gtin, other.gtin);
  fill(known.category, other.category);
  fill(known.url, other.url);
  if (known.offer.price.empty()) {
    known.offer.price = other.offer.price;
    if (!other.offer.currency.empty()) known.offer.currency = other.offer.currency;
  }
  fill(known.offer.currency, other.offer.currency);
  fill(known.offer.old_price, other.offer.old_price);
  fill(known.offer.availability, other.offer.availability);
  if (known.images.empty()) known.images = other.images;
  if (known.variants.empty()) known.variants = other.variants;
}

bool same_product(const Product& a, const Product& b) {
  if (!a.sku.empty() && !b.sku.empty() && a.sku != b.sku) return false;
  if (a.name.empty() || b.name.empty()) return !a.sku.empty() && a.sku == b.sku;
  const std::string one = fold(a.name), other = fold(b.name);
  return one == other;
}

bool names_match(const std::string& name, std::string_view text) {
  if (name.empty() || text.empty()) return false;
  const std::string folded = fold(name), other = fold(text);
  return folded == other || (folded.size() >= 8 && other.find(folded) != std::string::npos) ||
         (other.size() >= 8 && folded.find(other) != std::string::npos);
}

// How likely a product is the one that the page is about.
int ownness(const FoundProduct& found, const PageParts& parts, const PageUrls& urls) {
  const Product& product = found.product;
  int score = found.is_listed ? 0 : 8;
  if (found.is_variant) score -= 1;
  if (!product.url.empty() && (product.url == urls.page().href() || product.url == parts.canonical)) score += 4;
  const bool heading = std::any_of(parts.h1.begin(), parts.h1.end(), [&](const std::string& h1) { return names_match(product.name, h1); });
  if (heading || names_match(product.name, parts.title)) score += 3;
  if (!product.offer.price.empty()) score += 2;
  if (!product.images.empty()) score += 1;
  return score;
}

struct Ranked {
  FoundProduct found;
  int score = 0;
};

std::vector<Ranked> ranked(std::vector<FoundProduct> products, const PageParts& parts, const PageUrls& urls) {
  std::vector<Ranked> out;
  // Folding names costs most here, and beyond some dozens the page is a listing anyway.
  constexpr std::size_t kScoredMax = 64;
  for (FoundProduct& found : products) {
    const int score = out.size() < kScoredMax ? ownness(found, parts, urls) : found.is_listed ? 0 : 1;
    out.push_back({std::move(found), score});
  }
  std::stable_sort(out.begin(), out.end(), [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  return out;
}

// What a card for Twitter shows under a label ("Price", "Brand").
std::string_view twitter_datum(const PageParts& parts, std::string_view label) {
  for (const auto& [name, value] : {std::pair("twitter:label1", "twitter:data1"), std::pair("twitter:label2", "twitter:data2")}) {
    if (fold(parts.meta(name)) == label) return parts.meta(value);
  }
  return {};
}

// Whether Open Graph says that the page sells something.
bool sells(const PageParts& parts) {
  const std::string_view type = parts.meta("og:type");
  return type.find("product") != std::string_view::npos || !parts.meta("product:price:amount").empty() ||
         !parts.meta("og:price:amount").empty() || !twitter_datum(parts, "price").empty();
}

std::string_view first_meta(const PageParts& parts, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const std::string_view content = parts.meta(key); !content.empty()) return content;
  }
  return {};
}

Product opengraph_product(const PageParts& parts, const PageUrls& urls, std::string_view site_currency) {
  Product product;
  product.name = plain_words(first_meta(parts, {"og:title", "twitter:title"}), 1'024);
  product.description = plain_words(first_meta(parts, {"og:description", "description"}), 16'384);
  product.brand = plain_words(first_meta(parts, {"product:brand", "og:brand"}), 1'024);
  product.sku = plain_words(first_meta(parts, {"product:retailer_item_id", "product:sku", "og:sku"}), 256);
  product.gtin = plain_words(first_meta(parts, {"product:ean", "product:gtin", "product:upc", "product:isbn"}), 256);
  product.category = plain_words(first_meta(parts, {"product:category"}), 1'024);
  product.url = urls.absolute(parts.meta("og:url"));
  const std::string_view full =
      first_meta(parts, {"product:price:amount", "og:price:amount", "product:price", "product:original_price:amount"});
  const std::string_view sale = first_meta(parts, {"product:sale_price:amount", "og:sale_price:amount"});
  product.offer.currency =
      normalised_currency(first_meta(parts, {"product:price:currency", "og:price:currency", "product:sale_price:currency"}));
  product.offer.price = normalised_amount(sale.empty() ? full : sale, product.offer.currency);
  if (const std::string_view shown = twitter_datum(parts, "price"); product.offer.price.empty() && !shown.empty()) {
    const Price price = parse_price(shown, {.currency_hint = product.offer.currency, .currency_of_site = site_currency});
    product.offer.price = normalised_amount(price.amount, price.currency);
    fill(product.offer.currency, price.currency);
  }
  fill(product.brand, plain_words(twitter_datum(parts, "brand"), 256));
  if (!sale.empty()) product.offer.old_price = normalised_amount(full, product.offer.currency);
  product.offer.availability = normalised_availability(first_meta(parts, {"product:availability", "og:availability"}));
  if (std::string image = urls.absolute(first_meta(parts, {"og:image", "og:image:secure_url", "twitter:image"})); !image.empty())
    product.images.push_back(std::move(image));
  return product;
}

// The first picture behind the heading, else the page's own choice for links to it.
std::vector<std::string> visible_images(const ProductSources& sources) {
  if (std::string image = sources.urls.absolute(sources.parts.meta("og:image")); !image.empty()) return {std::move(image)};
  const std::size_t at = sources.parts.images_before_h1;
  if (at < sources.images.size()) return {sources.images[at].url};
  return {};
}

// A name that a shop appends to every title ("Lamp – Shop") is not part of the product's.
std::string without_site_name(std::string name, std::string_view site) {
  for (const std::string_view between : {std::string_view(" | "), std::string_view(" - "), std::string_view(" \u2013 ")}) {
    const std::string tail = std::string(between) + std::string(site);
    if (!site.empty() && name.size() > tail.size() && name.ends_with(tail)) name.resize(name.size() - tail.size());
  }
  return name;
}

/// What of the page is needed to decide on its own product.
struct OwnProduct {
  std::vector<Product> products;      // the own one first, if there is one
  std::vector<MarkedProduct> marked;  // it, as each kind of markup has it
  bool is_marked = false;
};

// One best product each: JSON-LD and other markup both speak of the page's product.
OwnProduct merged(std::vector<Ranked> first, FieldOrigin first_origin, std::vector<Ranked> second, FieldOrigin second_origin) {
  OwnProduct own;
  constexpr int kOwn = 8;
  const bool own_first = !first.empty() && first.front().score >= kOwn - 1;
  const bool own_second = !second.empty() && second.front().score >= kOwn - 1;
  own.is_marked = own_first || own_second;
  const auto keep = [&](const Ranked& ranked, FieldOrigin origin) {
    own.marked.push_back({origin, ranked.found.product, ranked.found.mpn});
  };
  if (own_first) keep(first.front(), first_origin);
  if (own_first && own_second) {
    const bool same = same_product(first.front().found.product, second.front().found.product) || first.front().found.product.name.empty() ||
                      second.front().found.product.name.empty() || (first.front().score >= 11 && second.front().score >= 11);
    if (same) {
      keep(second.front(), second_origin);
      complete(first.front().found.product, second.front().found.product);
      second.erase(second.begin());
    }
  }
  if (!own_first && own_second) {
    keep(second.front(), second_origin);
    std::swap(first, second);
  }
  for (std::vector<Ranked>* list : {&first, &second}) {
    for (Ranked& ranked : *list) own.products.push_back(std::move(ranked.found.product));
  }
  return own;
}

OwnProduct marked_products(const ProductSources& sources, std::size_t count_max) {
  const auto read = [&](const std::vector<JsonValue>& items) {
    return ranked(schema_products(items, sources.urls, count_max), sources.parts, sources.urls);
  };
  std::vector<Ranked> in_tags = read(sources.microdata);
  FieldOrigin origin = FieldOrigin::kMicrodata;
  if (in_tags.empty()) {
    in_tags = read(sources.rdfa);
    origin = FieldOrigin::kRdfa;
  }
  return merged(read(sources.json_ld), FieldOrigin::kJsonLd, std::move(in_tags), origin);
}

// The longest part of a title ("Shop - Brass lamp | Lamps") that is not the shop's name.
std::string main_part(const std::string& title, std::string_view site, std::string_view host) {
  std::string best;
  const std::string folded_site = fold(site);
  for (std::size_t at = 0; at < title.size();) {
    std::size_t end = title.size(), next = title.size();
    for (const std::string_view between : {std::string_view(" | "), std::string_view(" - "), std::string_view(" \u2013 "),
                                           std::string_view(" :: "), std::string_view("\uFF5C")}) {
      if (const std::size_t found = title.find(between, at); found < end) {
        end = found;
        next = found + between.size();
      }
    }
    const std::string part = title.substr(at, end - at);
    const std::string folded = fold(part);
    const bool is_site = folded == folded_site || host.find(folded) != std::string_view::npos;
    if (!is_site && part.size() > best.size()) best = part;
    at = next;
  }
  return best;
}

// What the product may be called on the page, best first.
std::vector<std::string> names_on_page(const PageParts& parts, const Product* own, std::string_view host) {
  std::vector<std::string> names;
  const auto add = [&](std::string name) {
    if (name.size() >= 3 && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  };
  if (own != nullptr) add(own->name);
  const std::string shared = plain_words(first_meta(parts, {"og:title", "twitter:title"}), 1'024);
  for (const std::string& title : {shared, parts.title}) add(main_part(title, parts.meta("og:site_name"), host));
  add(without_site_name(shared, parts.meta("og:site_name")));
  add(parts.title);
  return names;
}

// What a product of markup lacks and the page as a whole has.
void complete_from_page(Product& product, const ProductSources& sources, const Product& opengraph) {
  const PageParts& parts = sources.parts;
  Product other = opengraph;
  other.name = without_site_name(std::move(other.name), parts.meta("og:site_name"));
  other.offer = {};
  other.sku.clear();
  other.gtin.clear();
  // Open Graph's picture and words describe the page; that is the product's only when the page is about it.
  complete(product, other);
  if (product.images.empty()) product.images = visible_images(sources);
  if (product.name.empty() && !parts.h1.empty()) product.name = parts.h1.front();
  if (product.url.empty()) product.url = parts.canonical.empty() ? sources.urls.page().href() : parts.canonical;
  std::string breadcrumb = schema_breadcrumb(sources.json_ld);
  if (breadcrumb.empty()) breadcrumb = schema_breadcrumb(sources.microdata);
  fill(product.category, breadcrumb);
}

// A product that no markup names: the page shows a heading, a picture and one price, or its scripts sell what its heading says.
std::optional<Product> unmarked_product(const ProductSources& sources, const VisibleLines& lines, const VisibleProduct& visible,
                                        const std::vector<EmbeddedProduct>& embedded, const SelectedFields& selected) {
  if (selected.is_product) {
    Product product;
    product.name = selected.name;
    product.evidence.push_back({.field = "name", .origin = FieldOrigin::kLearnt, .sure_percent = 65, .otherwise = {}});
    product.images = visible_images(sources);
    product.description = sources.parts.meta("description");
    product.url = sources.urls.page().href();
    return product;
  }
  const bool is_embedded = !embedded.empty() && !embedded.front().product.offer.price.empty() && !embedded.front().product.name.empty();
  const bool is_loose = !lines.property("price").empty() && visible.price != nullptr;
  if (!lines.heading || (!visible.is_offer && !is_loose && !(is_embedded && visible.price != nullptr))) return std::nullopt;
  Product product;
  product.images = visible_images(sources);
  if (product.images.empty() && !visible.is_sure_offer) return std::nullopt;
  product.name = lines.heading.visible_text(1'024);
  product.description = sources.parts.meta("description");
  product.url = sources.urls.page().href();
  return product;
}

// What only markup says, so that a selector is not held against what was read by selectors.
Product by_markup(const std::vector<MarkedProduct>& marked) {
  Product known;
  for (const MarkedProduct& one : marked) complete(known, one.product);
  return known;
}

std::vector<FieldSelector> all_of(std::span<const FieldSelector> some, std::span<const FieldSelector> others) {
  std::vector<FieldSelector> all(some.begin(), some.end());
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

// Markup that only counts versions gives way to state that says what they are.
void complete_variants(Product& product, const ProductSources& sources, HtmlNode heading) {
  const auto says_what = [](const std::vector<ProductVariant>& variants) {
    return std::any_of(variants.begin(), variants.end(), [](const ProductVariant& variant) { return !variant.options.empty(); });
  };
  if (says_what(product.variants)) return;
  std::vector<ProductVariant> found = embedded_variants(sources.parts.state_texts, product, sources.urls);
  if (!says_what(found) && heading) found = visible_variants(sources.body, heading);
  if (says_what(found)) product.variants = std::move(found);
}

// The same product named twice, as many templates do, stands once.
void drop_repeats(std::vector<Product>& products) {
  constexpr std::size_t kComparedMax = 16;
  for (std::size_t i = 1; i < products.size();) {
    const std::size_t end = std::min(i, kComparedMax);
    const auto same = std::find_if(products.begin(), products.begin() + static_cast<std::ptrdiff_t>(end), [&](const Product& known) {
      const bool same_price = known.offer.price.empty() || products[i].offer.price.empty() || known.offer.price == products[i].offer.price;
      return same_price && known.url == products[i].url && same_product(known, products[i]);
    });
    if (same == products.begin() + static_cast<std::ptrdiff_t>(end)) {
      ++i;
      if (i > 4 * kComparedMax) return;
      continue;
    }
    complete(*same, products[i]);
    products.erase(products.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace

std::string_view currency_of_host(std::string_view host) {
  static constexpr std::pair<std::string_view, std::string_view> kCountries[] = {
      {"ae", "AED"}, {"at", "EUR"}, {"be", "EUR"}, {"bg", "EUR"}, {"br", "BRL"}, {"ch", "CHF"}, {"cy", "EUR"}, {"de", "EUR"}, {"ee", "EUR"},
      {"es", "EUR"}, {"fi", "EUR"}, {"fr", "EUR"}, {"gr", "EUR"}, {"hr", "EUR"}, {"hu", "HUF"}, {"id", "IDR"}, {"ie", "EUR"}, {"il", "ILS"},
      {"ir", "IRR"}, {"it", "EUR"}, {"ke", "KES"}, {"kr", "KRW"}, {"kz", "KZT"}, {"lt", "EUR"}, {"lu", "EUR"}, {"lv", "EUR"}, {"mt", "EUR"},
      {"my", "MYR"}, {"ng", "NGN"}, {"nl", "EUR"}, {"pe", "PEN"}, {"ph", "PHP"}, {"pl", "PLN"}, {"pt", "EUR"}, {"si", "EUR"}, {"sk", "EUR"},
      {"th", "THB"}, {"tr", "TRY"}, {"ua", "UAH"}, {"vn", "VND"}, {"za", "ZAR"}, {"gb", "GBP"}, {"ar", "ARS"}, {"au", "AUD"}, {"bb", "BBD"},
      {"bo", "BOB"}, {"by", "BYN"}, {"ca", "CAD"}, {"cl", "CLP"}, {"cn", "CNY"}, {"co", "COP"}, {"cz", "CZK"}, {"dk", "DKK"}, {"do", "DOP"},
      {"eg", "EGP"}, {"hk", "HKD"}, {"in", "INR"}, {"is", "ISK"}, {"jm", "JMD"}, {"jp", "JPY"}, {"lk", "LKR"}, {"ma", "MAD"}, {"md", "MDL"},
      {"mx", "MXN"}, {"no", "NOK"}, {"np", "NPR"}, {"nz", "NZD"}, {"pk", "PKR"}, {"qa", "QAR"}, {"ro", "RON"}, {"rs", "RSD"}, {"ru", "RUB"},
      {"sa", "SAR"}, {"se", "SEK"}, {"sg", "SGD"}, {"tt", "TTD"}, {"tw", "TWD"}, {"uk", "GBP"}, {"us", "USD"}, {"uy", "UYU"}, {"kw", "KWD"},
      {"om", "OMR"}};
  const std::string_view country = host.substr(host.rfind('.') + 1);
  for (const auto& [name, currency] : kCountries) {
    if (name == country) return currency;
  }
  return {};
}

// By the host's country, else by the one that the page's language or its address names ("en-AU", "/en-au/").
static std::string_view currency_of_page(const PageParts& parts, const Url& url) {
  if (const std::string_view currency = currency_of_host(url.hostname()); !currency.empty()) return currency;
  const auto of_region = [](std::string_view tag) -> std::string_view {
    if (tag.size() != 5 || (tag[2] != '-' && tag[2] != '_')) return {};
    return currency_of_host(ascii_lowered(tag.substr(3)));
  };
  for (const std::string_view tag : {std::string_view(parts.language), parts.meta("og:locale")}) {
    if (const std::string_view currency = of_region(tag); !currency.empty()) return currency;
  }
  const std::string_view path = url.pathname();
  return path.size() > 6 && path[6] == '/' ? of_region(path.substr(1, 5)) : std::string_view();
}

PageProducts page_products(const ProductSources& sources, std::size_t count_max) {
  const PageParts& parts = sources.parts;
  const std::string_view site_currency = currency_of_page(parts, sources.urls.page());
  OwnProduct own = marked_products(sources, count_max);
  PageProducts out;
  std::vector<Product>& products = own.products;
  drop_repeats(products);
  const Product opengraph = opengraph_product(parts, sources.urls, site_currency);
  if (sells(parts)) {
    if (!own.is_marked) products.insert(products.begin(), Product{});
    own.is_marked = true;
    own.marked.push_back({FieldOrigin::kOpenGraph, opengraph, {}});
  }
  // Of a page with markup selectors are asked what it says of them, of others what they say of it.
  const SelectedFields selected = own.is_marked ? SelectedFields() : select_fields(sources.body, sources.selectors, site_currency);
  // A page that lists products has none of its own, unless it shows one where the site's other pages do.
  const bool may_own = own.is_marked || products.empty() || selected.is_product;
  if (may_own && sources.body) {
    const Product* marked = own.is_marked ? &products.front() : nullptr;
    const std::vector<std::string> names = names_on_page(parts, marked, sources.urls.page().hostname());
    const VisibleLines lines = visible_lines(sources.body, product_heading(parts, sources.body, names));
    ProductClues clues{.names = names, .numbers = {}, .url = sources.urls.page().href()};
    for (const std::string& h1 : parts.h1) clues.names.push_back(h1);
    if (marked != nullptr && !marked->sku.empty()) clues.numbers.push_back(marked->sku);
    const std::vector<EmbeddedProduct> embedded = embedded_products(parts.state_texts, clues);
    const VisibleProduct visible = visible_product(lines, site_currency, own.is_marked);
    if (own.is_marked && sources.learns)
      out.trials = try_selectors(sources.body, lines, by_markup(own.marked), all_of(sources.selectors, sources.candidates), site_currency);
    if (!own.is_marked) {
      if (std::optional<Product> product = unmarked_product(sources, lines, visible, embedded, selected)) {
        products.insert(products.begin(), std::move(*product));
        own.is_marked = true;
      }
    }
    if (own.is_marked) {
      complete_from_page(products.front(), sources, opengraph);
      fill(products.front().category, visible_crumbs(lines.crumbs, products.front().name));
      decide_fields(products.front(),
                    {own.marked, embedded, lines, visible, selected, parts.state_texts, parts.meta("og:site_name"), site_currency,
                     parts.title, first_meta(parts, {"og:description", "description"}), sources.urls.page().href()});
      complete_variants(products.front(), sources, lines.heading);
    }
  }
  if (products.size() > count_max) products.resize(count_max);
  out.products = std::move(own.products);
  return out;
}

}  // namespace magpie
