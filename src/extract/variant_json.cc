#include "extract/variant_json.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"
#include "extract/schema_product.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kEntriesMax = 4 * kVariantsMax;  // looked at of a list

const JsonValue* first_of(const JsonValue& node, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const JsonValue* value = node.find(key);
    while (value != nullptr && value->is_array()) value = value->items.empty() ? nullptr : &value->items.front();
    if (value != nullptr && value->kind != JsonValue::Kind::kNull) return value;
  }
  return nullptr;
}

std::string text_of(const JsonValue* value) {
  if (value == nullptr || value->is_array()) return {};
  if (value->is_object()) return text_of(first_of(*value, {"name", "value", "@value", "label", "title", "option"}));
  return plain_words(value->text, kTextBytesMax);
}

void add_option(ProductVariant& variant, std::string name, std::string value) {
  if (value.empty() || variant.options.size() >= ProductVariant::kOptionsMax) return;
  const auto same = [&](const VariantOption& known) { return known.name == name; };
  if (!name.empty() && std::any_of(variant.options.begin(), variant.options.end(), same)) return;
  variant.options.push_back({std::move(name), std::move(value)});
}

// "attribute_pa_color" is WooCommerce's for "color".
std::string plain_option_name(std::string_view name) {
  if (name.starts_with("attribute_")) name.remove_prefix(10);
  if (name.starts_with("pa_")) name.remove_prefix(3);
  return plain_words(name, kTextBytesMax);
}

// {"size": "M"}, or [{"name": "Size", "value": "M"}, …].
void add_options(ProductVariant& variant, const JsonValue& list) {
  for (const auto& [name, value] : list.members) add_option(variant, plain_option_name(name), text_of(&value));
  for (const JsonValue& item : list.items) {
    if (!item.is_object()) continue;
    add_option(variant, text_of(first_of(item, {"name", "attribute", "title", "label"})), text_of(first_of(item, {"value", "option"})));
  }
}

// Shopify's: option1 to option3, or a list of as many texts. Their names stand at the product.
void add_numbered_options(ProductVariant& variant, const JsonValue& entry) {
  for (const std::string_view key : {"option1", "option2", "option3"}) {
    if (const JsonValue* value = entry.find(key)) add_option(variant, {}, text_of(value));
  }
  if (!variant.options.empty()) return;
  const JsonValue* list = entry.find("options");
  if (list == nullptr || !list->is_array()) return;
  for (const JsonValue& item : list->items) {
    if (item.is_string()) add_option(variant, {}, text_of(&item));
  }
}

// "Shirt - Red / XL" of the product "Shirt" is "Red / XL".
std::string_view without_name(std::string_view title, std::string_view name) {
  if (name.empty() || !title.starts_with(name)) return title;
  title.remove_prefix(name.size());
  const std::size_t begin = title.find_first_not_of(" -,:|/(");
  title = begin == std::string_view::npos ? std::string_view() : title.substr(begin);
  if (title.ends_with(')')) title.remove_suffix(1);
  return title;
}

void read_options(ProductVariant& variant, const JsonValue& entry, const VariantContext& context) {
  for (const std::string_view key : {"color", "colour", "size", "material", "pattern"}) {
    if (const JsonValue* value = first_of(entry, {key})) add_option(variant, std::string(key), text_of(value));
  }
  for (const std::string_view key : {"attributes", "selectedOptions", "additionalProperty", "optionValues"}) {
    if (const JsonValue* list = entry.find(key); list != nullptr && variant.options.empty()) add_options(variant, *list);
  }
  if (variant.options.empty()) add_numbered_options(variant, entry);
  if (!variant.options.empty()) return;
  const std::string title = text_of(first_of(entry, {"title", "public_title", "name"}));
  const std::string_view told = without_name(title, context.name);
  // Shopify's name for the one version of what comes in one.
  if (told != "Default Title") add_option(variant, "", std::string(told));
}

std::string amount(const JsonValue* value, Offer& offer) {
  if (value == nullptr) return {};
  if (!value->is_object()) return normalised_amount(value->text, offer.currency);
  if (offer.currency.empty()) offer.currency = normalised_currency(text_of(first_of(*value, {"currencyCode", "currency"})));
  return amount(first_of(*value, {"amount", "value", "price"}), offer);
}

std::string stock_of(const JsonValue& entry) {
  const JsonValue* value = first_of(entry, {"availability", "is_in_stock", "available", "availableForSale", "inStock", "in_stock"});
  if (value == nullptr) return {};
  if (value->text == "true" || value->text == "1") return "InStock";
  if (value->text == "false" || value->text == "0") return "OutOfStock";
  return normalised_availability(text_of(value));
}

void read_offer(Offer& offer, const JsonValue& entry) {
  if (offer.currency.empty()) offer.currency = normalised_currency(text_of(first_of(entry, {"priceCurrency", "currency"})));
  if (offer.price.empty()) offer.price = amount(first_of(entry, {"display_price", "salePrice", "price", "lowPrice"}), offer);
  if (offer.old_price.empty())
    offer.old_price = amount(first_of(entry, {"compare_at_price", "compareAtPrice", "display_regular_price", "listPrice"}), offer);
  if (offer.old_price == offer.price) offer.old_price.clear();
  if (offer.availability.empty()) offer.availability = stock_of(entry);
}

std::string picture_of(const JsonValue& entry, const PageUrls& urls) {
  const JsonValue* value = first_of(entry, {"featured_image", "image", "featuredImage"});
  if (value != nullptr && value->is_object()) value = first_of(*value, {"full_src", "url", "src", "contentUrl"});
  return value == nullptr || value->is_object() ? std::string() : urls.absolute(value->text);
}

std::string identity_of(const ProductVariant& variant) {
  std::string identity = variant.sku;
  for (const VariantOption& option : variant.options) identity += '\n' + option.value;
  return identity;
}

}  // namespace

ProductVariant read_variant(const JsonValue& entry, const VariantContext& context, const PageUrls& urls) {
  ProductVariant variant;
  if (!entry.is_object()) return variant;
  variant.offer.currency = context.currency;
  variant.sku = text_of(first_of(entry, {"sku", "mpn", "productID"}));
  variant.gtin = text_of(first_of(entry, {"gtin13", "gtin", "gtin14", "gtin12", "gtin8", "barcode", "ean"}));
  variant.image = picture_of(entry, urls);
  read_options(variant, entry, context);
  read_offer(variant.offer, entry);
  if (const JsonValue* offer = first_of(entry, {"offers"}); offer != nullptr && offer->is_object()) {
    if (variant.sku.empty()) variant.sku = text_of(first_of(*offer, {"sku"}));
    read_offer(variant.offer, *offer);
  }
  // An Offer describes what it sells by an item of its own.
  if (const JsonValue* item = first_of(entry, {"itemOffered"}); item != nullptr && item->is_object()) {
    if (variant.sku.empty()) variant.sku = text_of(first_of(*item, {"sku"}));
    if (variant.gtin.empty()) variant.gtin = text_of(first_of(*item, {"gtin13", "gtin"}));
    if (variant.image.empty()) variant.image = picture_of(*item, urls);
    if (variant.options.empty()) read_options(variant, *item, context);
  }
  if (variant.offer.price.empty()) variant.offer.currency.clear();
  return variant;
}

std::vector<ProductVariant> read_variants(std::span<const JsonValue* const> entries, const VariantContext& context, const PageUrls& urls) {
  std::vector<ProductVariant> variants;
  std::vector<std::string> identities;
  for (const JsonValue* entry : entries.first(std::min(entries.size(), kEntriesMax))) {
    if (variants.size() >= kVariantsMax) break;
    ProductVariant variant = read_variant(*entry, context, urls);
    if (variant.options.empty() && variant.sku.empty()) continue;
    std::string identity = identity_of(variant);
    if (std::find(identities.begin(), identities.end(), identity) != identities.end()) continue;
    identities.push_back(std::move(identity));
    variants.push_back(std::move(variant));
  }
  if (variants.size() < 2) variants.clear();
  return variants;
}

std::vector<std::string> option_names_of(const JsonValue* options) {
  std::vector<std::string> names;
  if (options == nullptr || !options->is_array()) return names;
  for (const JsonValue& option : options->items) {
    if (names.size() >= ProductVariant::kOptionsMax) break;
    names.push_back(text_of(&option));
  }
  return names;
}

}  // namespace magpie
