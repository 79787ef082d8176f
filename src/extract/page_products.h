#pragma once
// A page's products: JSON-LD, microdata, Open Graph and the visible page put together, each filling what the one before left open.
#include <span>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/page_parts.h"

namespace magpie {

struct ProductSources {
  const std::vector<JsonValue>& json_ld;
  const std::vector<JsonValue>& microdata;
  const std::vector<JsonValue>& rdfa;
  const PageParts& parts;
  const PageUrls& urls;
  const std::vector<ImageRef>& images;
  HtmlNode body;
  std::span<const FieldSelector> selectors, candidates;
  bool learns = false;
};

struct PageProducts {
  std::vector<Product> products;  // the page's own first, those of lists behind it; the first is the page's own only if it is not listed
  std::vector<SelectorTrial> trials;
};

/// At most `count_max` products.
PageProducts page_products(const ProductSources& sources, std::size_t count_max);

/// The money of the country that a host's domain names, which is what "$", "kr" and amounts without a sign mean there: "shop.com.au" ->
/// "AUD"; empty when the domain says nothing.
std::string_view currency_of_host(std::string_view host);

}  // namespace magpie
