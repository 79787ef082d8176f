#pragma once
// What a person would take for the product's price, article number, brand and availability, from the lines of the page alone.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "extract/visible_lines.h"

namespace magpie {

/// An amount of money as shown.
struct VisibleAmount {
  std::string amount, currency;  // decimal; ISO 4217 or empty
  std::size_t at = 0;            // where in the lines' text
  int score = 0;                 // how likely the product's price
  bool is_old = false;           // struck through, or called the price before
  bool is_net = false;           // before tax
  bool is_apart = false;         // in a link or list entry of its own
};

/// A text with how sure it is, in percent; empty when nothing was found.
struct VisibleText {
  std::string text;
  int sure = 0;
};

struct VisibleProduct {
  std::vector<VisibleAmount> amounts;    // those that may concern the product, in the page's order
  const VisibleAmount* price = nullptr;  // into `amounts`; nullptr when none is likely
  std::string old_price;
  bool is_offer = false;       // the price stands alone enough that the page must be about one product
  bool is_sure_offer = false;  // … as it has an article number or a cart of its own
  VisibleText code, gtin, brand;
  VisibleText availability;  // "InStock" or "OutOfStock"

  VisibleProduct() = default;
  VisibleProduct(const VisibleProduct&) = delete;
  VisibleProduct(VisibleProduct&&) noexcept = default;
  VisibleProduct& operator=(const VisibleProduct&) = delete;
  VisibleProduct& operator=(VisibleProduct&&) noexcept = default;
  ~VisibleProduct() = default;

  /// Whether the amount is shown at all, other than as an old price.
  bool shows(std::string_view amount) const;
  /// The best score it is shown with, other than as an old price.
  int best_score(std::string_view amount) const;
  bool shows_as_old(std::string_view amount) const;
};

/// Never above this score is an amount believed.
inline constexpr int kLikelyScore = 5;
inline constexpr int kSureScore = 9;

/// `site_currency` (ISO 4217 or empty) is what a shared sign means here, and what an amount without a sign is in. `is_marked`:
/// the page's markup says that it has a product; of another page without a price nothing more is read. Linear; thread-safe.
VisibleProduct visible_product(const VisibleLines& lines, std::string_view site_currency, bool is_marked);

/// Whether two decimals are equal in value ("12.50", "12.5").
bool same_amount(std::string_view one, std::string_view other);

}  // namespace magpie
