#pragma once
// The currency in a price: ISO 4217 codes and the signs and words that stand for them.
#include <cstddef>
#include <string_view>

namespace magpie {

struct CurrencyFound {
  std::string_view code;     // ISO 4217, static; empty for a sign that has none (toman) or when nothing was found
  std::string_view symbol;   // as written; a view into the text
  bool is_code = false;      // written as its ISO code
  bool is_adjacent = false;  // stands right before or behind the amount
};

/// The currency that belongs to the amount at [begin, end) of `plain` (price_amount.h): what stands beside it before what stands further
/// off, a code before a sign. With begin == end == npos there is no amount and every place is equal.
CurrencyFound find_currency(std::string_view plain, std::size_t begin, std::size_t end);

/// Whether `symbol` is written for the currency `code`, among others: ("$", "CAD") yes, ("€", "CAD") no.
bool symbol_may_mean(std::string_view symbol, std::string_view code);

/// Whether the currency has thousandths (Kuwaiti dinar and six more).
bool has_three_decimals(std::string_view code);
/// Whether prices in it are whole numbers in practice, so that a dot before three digits groups (yen, won, đồng, rupiah, ...).
bool has_no_decimals(std::string_view code);

}  // namespace magpie
