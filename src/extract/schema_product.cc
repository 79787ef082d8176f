#include "extract/schema_product.h"

#include <algorithm>
#include <unordered_map>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/schema_node.h"
#include "extract/variant_json.h"
#include "text/html_tree.h"
#include "text/price.h"

namespace magpie {
namespace {

constexpr std::size_t kNameBytesMax = 1'024;
constexpr std::size_t kDescriptionBytesMax = 16'384;
constexpr std::size_t kImagesMax = 64;

bool is_product(const JsonValue& node) {
  return is_schema_type(node,
                        {"product", "productgroup", "productmodel", "individualproduct", "someproducts", "vehicle", "car", "motorcycle"}) ||
         (is_schema_type(node, {"book", "movie", "musicalbum", "videogame", "softwareapplication", "creativework"}) &&
          node.find("offers") != nullptr);
}

// Properties that lead from a product to others, or from a page to a list.
bool leads_to_others(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"isRelatedTo",     "isSimilarTo",     "isAccessoryOrSparePartFor",
                                               "isConsumableFor", "itemListElement", "hasOfferCatalog",
                                               "makesOffer",      "review",          "reviews",
                                               "mentions",        "hasPart",         "relatedLink",
                                               "itemReviewed"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

class ProductReader {
 public:
  ProductReader(const std::vector<JsonValue>& items, const PageUrls& urls, std::size_t count_max) : urls_(urls), count_max_(count_max) {
    for (const JsonValue& item : items) note_ids(item);
    for (const JsonValue& item : items) walk(item, nullptr, false, false);
  }
  std::vector<FoundProduct> take() { return std::move(found_); }

 private:
  void note_ids(const JsonValue& value) {
    if (const JsonValue* id = value.find("@id"); id != nullptr && id->is_string() && value.members.size() > 1)
      by_id_.try_emplace(id->text, &value);
    for (const auto& [key, member] : value.members) note_ids(member);
    for (const JsonValue& item : value.items) note_ids(item);
  }

  const JsonValue& resolved(const JsonValue& value) const {
    if (!value.is_object() || value.members.size() != 1 || value.members.front().first != "@id") return value;
    const auto found = by_id_.find(value.members.front().second.text);
    return found == by_id_.end() ? value : *found->second;
  }

  // `offer` is the Offer around the value, for itemOffered.
  void walk(const JsonValue& value, const JsonValue* offer, bool listed, bool variant) {
    if (found_.size() >= count_max_) return;
    for (const JsonValue& item : value.items) walk(item, offer, listed, variant);
    if (!value.is_object()) return;
    if (is_product(value)) {
      FoundProduct found{read(value, offer), listed, variant, identifier(first_of(value, {"mpn"}))};
      if (!found.product.name.empty() || !found.product.offer.price.empty()) found_.push_back(std::move(found));
    }
    const JsonValue* inner_offer = is_schema_type(value, {"offer", "demand"}) ? &value : nullptr;
    for (const auto& [key, member] : value.members) {
      const bool is_variant = variant || key == "hasVariant" || key == "model" || key == "isVariantOf";
      walk(member, key == "itemOffered" ? inner_offer : nullptr, listed || leads_to_others(key), is_variant);
    }
  }

  template <class Use>
  void each_value(const JsonValue& node, std::string_view key, Use&& use) const {
    for (const auto& [name, member] : node.members) {
      if (name != key) continue;
      if (member.is_array()) {
        for (const JsonValue& item : member.items) use(resolved(item));
      } else {
        use(resolved(member));
      }
    }
  }

  // The words that a value stands for: itself, or the name of the thing it describes.
  std::string words(const JsonValue& value) const {
    switch (value.kind) {
      case JsonValue::Kind::kString:
      case JsonValue::Kind::kNumber: return value.text;
      case JsonValue::Kind::kObject:
        for (const std::string_view key : {"name", "@value", "value"}) {
          if (std::string text = first(value, key); !text.empty()) return text;
        }
        return {};
      default: return {};
    }
  }

  std::string first(const JsonValue& node, std::string_view key) const {
    std::string text;
    each_value(node, key, [&](const JsonValue& value) {
      if (text.empty() && &value != &node) text = words(value);
    });
    return text;
  }
  std::string first_of(const JsonValue& node, std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      if (std::string text = first(node, key); !text.empty()) return text;
    }
    return {};
  }

  Product read(const JsonValue& node, const JsonValue* offer) const {
    Product product;
    product.name = plain_words(first_of(node, {"name", "title"}), kNameBytesMax);
    product.brand = plain_words(first_of(node, {"brand", "manufacturer"}), kNameBytesMax);
    product.description = plain_words(first(node, "description"), kDescriptionBytesMax);
    product.sku = identifier(first_of(node, {"sku", "productID", "productId", "identifier"}));
    product.gtin = identifier(first_of(node, {"gtin13", "gtin", "gtin14", "gtin12", "gtin8", "ean", "isbn"}));
    product.category = plain_words(first(node, "category"), kNameBytesMax);
    product.url = urls_.absolute(first_of(node, {"url", "@id"}));
    each_value(node, "image", [&](const JsonValue& value) { add_image(product.images, value); });
    if (product.images.empty()) each_value(node, "photo", [&](const JsonValue& value) { add_image(product.images, value); });

    each_value(node, "offers", [&](const JsonValue& value) { add_offer(product, value, 0); });
    if (offer != nullptr) add_offer(product, *offer, 0);
    // A ProductGroup has its offers at its variants, and older microdata has price right at the product.
    if (product.offer.price.empty()) {
      each_value(node, "hasVariant", [&](const JsonValue& variant) {
        if (product.offer.price.empty()) each_value(variant, "offers", [&](const JsonValue& value) { add_offer(product, value, 0); });
        if (product.images.empty()) each_value(variant, "image", [&](const JsonValue& value) { add_image(product.images, value); });
      });
    }
    if (product.offer.price.empty()) add_offer(product, node, 0);
    product.variants = variants_of(node, product);
    return product;
  }

  // A group's members, else the product's models, else what its several offers sell.
  std::vector<ProductVariant> variants_of(const JsonValue& node, const Product& product) const {
    const VariantContext context{.name = product.name, .currency = product.offer.currency};
    for (const std::string_view key : {"hasVariant", "model", "offers"}) {
      std::vector<const JsonValue*> entries;
      each_value(node, key, [&](const JsonValue& value) {
        const JsonValue* inner = key == "offers" && is_schema_type(value, {"aggregateoffer"}) ? value.find("offers") : nullptr;
        if (inner == nullptr) return entries.push_back(&value);
        for (const JsonValue& offer : inner->items) entries.push_back(&resolved(offer));
      });
      if (entries.size() < 2) continue;
      if (std::vector<ProductVariant> found = read_variants(entries, context, urls_); !found.empty()) return found;
    }
    return {};
  }

  // "sku:1234" and "mpn 77" name their kind.
  static std::string identifier(std::string_view text) {
    std::string plain = plain_words(text, 256);
    const std::size_t colon = plain.find(':');
    if (colon != std::string::npos && colon <= 5 && colon + 1 < plain.size()) plain = squeeze(plain.substr(colon + 1));
    return plain;
  }

  void add_image(std::vector<std::string>& images, const JsonValue& value) const {
    if (images.size() >= kImagesMax) return;
    if (value.is_array()) {
      for (const JsonValue& item : value.items) add_image(images, item);
      return;
    }
    std::string text = value.text;
    if (value.is_object()) {
      for (const std::string_view key : {"contentUrl", "url", "@id", "image", "thumbnailUrl"}) {
        if (text.empty()) text = first(value, key);
      }
    }
    std::string url = urls_.absolute(text);
    if (!url.empty() && std::find(images.begin(), images.end(), url) == images.end()) images.push_back(std::move(url));
  }

  // The first offer with a price decides; later ones only complete it, and one that is in stock makes the product so.
  void add_offer(Product& product, const JsonValue& node, int depth) const {
    if (!node.is_object() || depth > 3) return;
    Offer read;
    read.currency = normalised_currency(first_of(node, {"priceCurrency", "pricecurrency", "currency"}));
    read.price = amount(node, {"price", "lowPrice", "lowprice"}, read);
    read.availability = normalised_availability(first(node, "availability"));
    each_value(node, "priceSpecification", [&](const JsonValue& value) { add_specification(read, value); });
    if (product.sku.empty()) product.sku = identifier(first(node, "sku"));
    if (product.gtin.empty()) product.gtin = identifier(first_of(node, {"gtin13", "gtin", "gtin14", "gtin12", "gtin8"}));
    complete(product.offer, read);
    if (&node != &resolved(node)) return;
    if (is_schema_type(node, {"offer", "aggregateoffer"}))
      each_value(node, "offers", [&](const JsonValue& value) { add_offer(product, value, depth + 1); });
  }

  std::string amount(const JsonValue& node, std::initializer_list<std::string_view> keys, Offer& offer) const {
    for (const std::string_view key : keys) {
      const std::string text = first(node, key);
      if (text.empty()) continue;
      if (offer.currency.empty()) offer.currency = parse_price(text).currency;
      if (std::string found = normalised_amount(text, offer.currency); !found.empty()) return found;
    }
    return {};
  }

  void add_specification(Offer& offer, const JsonValue& node) const {
    if (!node.is_object()) return;
    if (offer.currency.empty()) offer.currency = normalised_currency(first(node, "priceCurrency"));
    const std::string price = amount(node, {"price", "minPrice"}, offer);
    const std::string kind = schema_local_name(first(node, "priceType"));
    const bool is_old = kind == "listprice" || kind == "strikethroughprice" || kind == "msrp" || kind == "srp" || kind == "regularprice";
    const bool per_unit = node.find("referenceQuantity") != nullptr && !offer.price.empty();
    if (is_old && offer.old_price.empty()) offer.old_price = price;
    if (!is_old && !per_unit && offer.price.empty()) offer.price = price;
  }

  static void complete(Offer& known, const Offer& read) {
    if (known.price.empty()) {
      known.price = read.price;
      if (!read.currency.empty()) known.currency = read.currency;
    }
    if (known.currency.empty()) known.currency = read.currency;
    if (known.old_price.empty()) known.old_price = read.old_price;
    if (known.availability.empty() || read.availability == "InStock") known.availability = read.availability;
  }

  const PageUrls& urls_;
  std::size_t count_max_;
  std::unordered_map<std::string, const JsonValue*> by_id_;
  std::vector<FoundProduct> found_;
};

bool is_home(const std::string& name) {
  const std::string lower = ascii_lowered(name);
  static constexpr std::string_view kHomes[] = {"home",
                                                "homepage",
                                                "start",
                                                "startseite",
                                                "accueil",
                                                "inicio",
                                                "home page",
                                                "strona g\u0142\u00F3wna",
                                                "domov",
                                                "dom\u016F",
                                                "\u0433\u043B\u0430\u0432\u043D\u0430\u044F",
                                                "in\u00EDcio",
                                                "hem",
                                                "hjem",
                                                "\u9996\u9875",
                                                "\u9996\u9801"};
  return std::find(std::begin(kHomes), std::end(kHomes), lower) != std::end(kHomes);
}

}  // namespace

std::vector<FoundProduct> schema_products(const std::vector<JsonValue>& items, const PageUrls& urls, std::size_t count_max) {
  return ProductReader(items, urls, count_max).take();
}

std::string schema_breadcrumb(const std::vector<JsonValue>& items) {
  std::string best;
  each_schema_object(items, [&](const JsonValue& node) {
    if (!best.empty() || !is_schema_type(node, {"breadcrumblist"})) return;
    const JsonValue* elements = node.find("itemListElement");
    if (elements == nullptr || !elements->is_array()) return;
    std::string joined;
    for (const JsonValue& element : elements->items) {
      std::string name = plain_words(schema_text(element, "name"), 256);
      if (name.empty()) name = plain_words(schema_text(element, "item"), 256);
      if (name.empty() || name.starts_with("http") || (joined.empty() && is_home(name)) || joined.size() > 1'024) continue;
      if (!joined.empty()) joined += " > ";
      joined += name;
    }
    best = std::move(joined);
  });
  return best;
}

bool is_home_page(const std::string& name) { return is_home(name); }

std::string schema_site_name(const std::vector<JsonValue>& items) {
  std::string site, organisation;
  each_schema_object(items, [&](const JsonValue& node) {
    if (site.empty() && is_schema_type(node, {"website"})) site = plain_words(schema_text(node, "name"), 256);
    if (organisation.empty() && is_schema_type(node, {"organization", "onlinestore", "store"}))
      organisation = plain_words(schema_text(node, "name"), 256);
  });
  return site.empty() ? organisation : site;
}

std::vector<std::string> schema_images(const std::vector<JsonValue>& items, const PageUrls& urls, std::size_t count_max) {
  std::vector<std::string> images;
  const auto add = [&](const JsonValue& value) {
    std::string text = value.is_object() ? schema_text(value, "contentUrl") : value.text;
    if (value.is_object() && text.empty()) text = schema_text(value, "url");
    std::string url = urls.absolute(text);
    if (!url.empty() && images.size() < count_max) images.push_back(std::move(url));
  };
  each_schema_object(items, [&](const JsonValue& node) {
    if (is_schema_type(node, {"imageobject"})) add(node);
    for (const std::string_view key : {"image", "photo", "thumbnailUrl", "primaryImageOfPage"}) {
      const JsonValue* value = node.find(key);
      if (value == nullptr) continue;
      if (!value->is_array()) add(*value);
      for (const JsonValue& item : value->items) add(item);
    }
  });
  return images;
}

std::string normalised_availability(std::string_view text) {
  std::string words;
  for (const char c : ascii_lowered(text.substr(0, 256))) {
    if ((c >= 'a' && c <= 'z') || c == '/') words += c;
  }
  const std::size_t slash = words.rfind('/');
  if (slash != std::string::npos) words.erase(0, slash + 1);
  for (const std::string_view out : {"outofstock", "soldout", "discontinued", "oos", "unavailable", "notavailable", "notinstock"}) {
    if (words == out || words.ends_with(out)) return "OutOfStock";
  }
  for (const std::string_view in : {"instock", "instoreonly", "onlineonly", "limitedavailability", "preorder", "presale", "backorder",
                                    "availablefororder", "available", "availableforpreorder", "madetoorder", "lowstock"}) {
    if (words == in || words.ends_with(in)) return "InStock";
  }
  return {};
}

std::string normalised_currency(std::string_view text) {
  if (text.size() == 3) {
    std::string code(text);
    for (char& c : code) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (is_currency_code(code)) return code;
  }
  return text.empty() ? std::string() : parse_price("", {.currency_hint = text.substr(0, 32)}).currency;
}

std::string normalised_amount(std::string_view text, std::string_view currency) {
  const bool is_machine = text.find_first_not_of("0123456789.,+- \t\n") == std::string_view::npos;
  std::string amount = is_machine ? parse_machine_amount(text, currency) : parse_price(text, {.currency_hint = currency}).amount;
  return amount.find_first_not_of("0.") == std::string::npos ? std::string() : amount;
}

std::string plain_words(std::string_view text, std::size_t bytes_max) {
  text = utf8_prefix(text, bytes_max * 2);
  if (text.find_first_of("<&") == std::string_view::npos) return std::string(utf8_prefix(squeeze(text), bytes_max));
  auto tree = HtmlTree::parse_fragment(text, "body");
  return tree ? tree->root().visible_text(bytes_max) : std::string(utf8_prefix(squeeze(text), bytes_max));
}

}  // namespace magpie
