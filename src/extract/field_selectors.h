#pragma once
// Where a site's pages show the fields of their products, learnt from those whose markup names the values, and applied to those that lack
// it: wrapper induction (N. Kushmerick, D. Weld, R. Doorenbos: Wrapper Induction for Information Extraction, IJCAI 1997) with markup in the
// place of a teacher.
//
//   a page with markup:  try_selectors() -> trials, which whoever reads many pages of a site adds up (pipeline/site_selectors.h)
//   a page of that site: select_fields(trusted selectors) -> values
//
// A selector names the first element of the page whose path is its own: tag, id and classes of the element and of up to three around it,
// without ids and classes that have two digits or more, as those number single products.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/visible_lines.h"
#include "text/html_tree.h"

namespace magpie {

/// What selectors found on a page; empty what none of them found.
struct SelectedFields {
  std::string name, price, currency, brand, sku, gtin, availability, description;
  /// The page has a name and a price where the site's products have theirs, and no second one: it is about one product.
  bool is_product = false;
};

/// Linear in the page's elements. Thread-safe.
SelectedFields select_fields(HtmlNode body, std::span<const FieldSelector> selectors, std::string_view site_currency);

/// Tries `known` on a page whose product is known by markup, and looks for more: each place that shows just a value of `product` (its own,
/// by markup alone) and is the first of its path. Linear in the page's elements; thread-safe.
std::vector<SelectorTrial> try_selectors(HtmlNode body, const VisibleLines& lines, const Product& product,
                                         std::span<const FieldSelector> known, std::string_view site_currency);

}  // namespace magpie
