#pragma once
// Who is believed where a page says different things of its own product: every source names its value, values that agree add up, and what
// the page shows can confirm a value or take it back.
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "extract/embedded_state.h"
#include "extract/field_selectors.h"
#include "extract/visible_lines.h"
#include "extract/visible_product.h"

namespace magpie {

/// The page's own product as one kind of markup has it.
struct MarkedProduct {
  FieldOrigin origin = FieldOrigin::kJsonLd;
  Product product;
  std::string mpn;
};

/// All borrowed for the call.
struct FieldSources {
  const std::vector<MarkedProduct>& marked;  // most trusted first
  const std::vector<EmbeddedProduct>& embedded;
  const VisibleLines& lines;
  const VisibleProduct& visible;
  const SelectedFields& selected;
  const std::vector<std::string_view>& state_texts;
  std::string_view site_name, site_currency;
  std::string_view title, description;
  std::string_view url;
};

/// Sets price, currency, old price, availability, brand, sku and gtin of `product`, and their evidence.
void decide_fields(Product& product, const FieldSources& sources);

/// The number that an address ends in or names ("…-p400105394.html", "?pid=260591"), without a letter before it; empty when there is none.
std::string number_in_address(std::string_view url);

}  // namespace magpie
