#pragma once
// The breadcrumb that a page shows: the way from the home page down to the product, as a person reads it above the heading.
#include <string>
#include <string_view>

#include "text/html_tree.h"

namespace magpie {

/// What the links and words of the element that calls itself a breadcrumb say, first level first, joined by " > ", without a leading home
/// page and without `product` itself at the end. Empty for no node, and for what is too long for a breadcrumb. Bounded.
std::string visible_crumbs(HtmlNode breadcrumb, std::string_view product);

}  // namespace magpie
