#pragma once
// The product as scripts carry it: state for a page's own program (__NEXT_DATA__, Shopify's meta, WooCommerce's variations), data layers
// for analytics (ecommerce events), data attributes. None has a standard; what they share is an object with a name or number and a price.
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/json_value.h"

namespace magpie {

/// What tells the page's own product from the others that its scripts name.
struct ProductClues {
  std::vector<std::string> names;    // its heading and titles
  std::vector<std::string> numbers;  // article numbers from markup
  std::string_view url;
};

struct EmbeddedProduct {
  Product product;              // name, brand, sku, gtin, offer: as far as known
  bool has_own_number = false;  // sku was called so, not merely an id
};

/// The objects that name the page's own product, by its name or its number in the address, most telling first, at most 16. Looks at a
/// bounded number of places of `texts` (scripts, attributes); linear.
std::vector<EmbeddedProduct> embedded_products(const std::vector<std::string_view>& texts, const ProductClues& clues);

/// The first ISO 4217 code that a script calls a currency, or empty.
std::string embedded_currency(const std::vector<std::string_view>& texts);

}  // namespace magpie
