#pragma once
// What a person would take for the product's price on a page whose markup does not say.
#include <optional>
#include <string>
#include <string_view>

#include "core/records.h"
#include "text/html_tree.h"

namespace magpie {

/// The price nearest behind `heading` in the page: an element that calls itself a price, or a short text that is nothing but one. Nothing
/// when it stands in a list, link or table row of its own, when several such prices compete (a listing), or when it names no currency.
/// `site_currency` (ISO 4217 or empty) is what a shared sign means here. Looks at a bounded stretch of the page.
std::optional<Offer> visible_offer(HtmlNode heading, HtmlNode body, std::string_view site_currency);

}  // namespace magpie
