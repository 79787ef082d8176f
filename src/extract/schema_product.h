#pragma once
// schema.org products out of JSON-LD and microdata, which share one shape (extract/json_value.h).
// https://schema.org/Product, https://developers.google.com/search/docs/appearance/structured-data/product
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/json_value.h"
#include "extract/page_urls.h"

namespace magpie {

struct FoundProduct {
  Product product;
  bool is_listed = false;   // in a list of products, or named as related to another
  bool is_variant = false;  // a size or colour of a ProductGroup
  std::string mpn;          // the maker's number
};

/// Products in the order of the page, at most `count_max`.
std::vector<FoundProduct> schema_products(const std::vector<JsonValue>& items, const PageUrls& urls, std::size_t count_max);

/// The names of a BreadcrumbList, first level first, joined by " > ", without a leading home page; empty when there is none.
std::string schema_breadcrumb(const std::vector<JsonValue>& items);

/// Whether a breadcrumb's first level is the home page, in the main languages of trade.
bool is_home_page(const std::string& name);

/// The name of the WebSite, else of the Organization.
std::string schema_site_name(const std::vector<JsonValue>& items);

/// Every picture that an item names, in order.
std::vector<std::string> schema_images(const std::vector<JsonValue>& items, const PageUrls& urls, std::size_t count_max);

/// "InStock", "OutOfStock", or empty, from a schema.org address, its last part, or words such as "in stock".
std::string normalised_availability(std::string_view text);

/// ISO 4217 code in capitals from a code, sign or word; empty when unknown.
std::string normalised_currency(std::string_view text);

/// Decimal from a machine's or person's notation; zero counts as unknown.
std::string normalised_amount(std::string_view text, std::string_view currency);

/// Text without markup and entities, white space squeezed, at most `bytes_max`.
std::string plain_words(std::string_view text, std::size_t bytes_max);

}  // namespace magpie
