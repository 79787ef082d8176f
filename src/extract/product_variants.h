#pragma once
// The versions that the page's own product is sold in, where its markup names none: from the state that scripts carry, else from what the
// page lets a visitor choose.
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/page_urls.h"
#include "text/html_tree.h"

namespace magpie {

/// Lists of variants in scripts and attributes that belong to `product`: one has its number, or its name stands near and a price is its
/// price, in full or in hundredths. The longest of the best that fit; looks at a bounded number of lists, linear.
std::vector<ProductVariant> embedded_variants(const std::vector<std::string_view>& texts, const Product& product, const PageUrls& urls);

/// The entries of the one list behind `heading` that lets a visitor choose a size, a colour or the like (<select>, or radio buttons of one
/// name), those that cannot be bought marked so. None where there are several such lists, as nothing tells which go together.
std::vector<ProductVariant> visible_variants(HtmlNode body, HtmlNode heading);

}  // namespace magpie
