#pragma once
// Versions of a product as JSON lists them: schema.org's ProductGroup.hasVariant and several Offers of one Product, the `variants` of
// Shopify and its like, WooCommerce's product_variations. What they share is a list of objects that name a number or a price and what is
// chosen. https://schema.org/hasVariant, https://shopify.dev/docs/api/ajax/reference/product
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/json_value.h"
#include "extract/page_urls.h"

namespace magpie {

/// What the product around a list says of all its entries.
struct VariantContext {
  std::string_view name;      // the product's: left out where an entry's begins with it
  std::string_view currency;  // ISO 4217, empty unknown
};

/// One version, or one with nothing known where `entry` is none.
ProductVariant read_variant(const JsonValue& entry, const VariantContext& context, const PageUrls& urls);

/// The entries of a list that say what is chosen or have a number of their own, in order, each once; none where fewer than two do, as one
/// version is no choice. At most kVariantsMax.
std::vector<ProductVariant> read_variants(std::span<const JsonValue* const> entries, const VariantContext& context, const PageUrls& urls);

/// Names of a product's choices: ["Color", "Size"], or [{"name": "Color"}, …].
std::vector<std::string> option_names_of(const JsonValue* options);

}  // namespace magpie
