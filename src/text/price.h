#pragma once
// A price as people write it: amount and currency out of "1.299,95 €", "US$:12.99", "PTE 120 000 000", "۱۲٬۵۰۰ تومان", "$45,000 - $70,000".
// The first amount that is no percentage counts; of a range that is the lower end.
#include <string>
#include <string_view>

namespace magpie {

struct Price {
  std::string amount;    // decimal, ASCII, "." before the fraction, no grouping, never negative: "1299.95"; empty when there is none
  std::string currency;  // ISO 4217 ("EUR"); of a sign that several share the commonest ("$" is USD); empty when unknown, and for toman
  std::string symbol;    // the currency as written, for people
};

struct PriceOptions {
  std::string_view currency_hint;  // words from nearby that may name the currency; a code in the text wins over it
  // ISO 4217 code that a bare "$", "kr", "£" … means on this site, from its domain or language; empty: the commonest reading.
  std::string_view currency_of_site;
};

/// Never fails: what is not there stays empty. Reads at most the first 4 KB of each text. Digits of any script count. Thread-safe;
/// about a microsecond.
Price parse_price(std::string_view text, const PriceOptions& options = {});

/// The amount of a plain machine value as in JSON-LD ("1299.95", "1,299.95", "34.000"): a dot followed by other than three digits is
/// always a decimal point, and so is the only dot before three digits unless the currency has no minor unit. Empty when it is none.
std::string parse_machine_amount(std::string_view text, std::string_view currency);

/// Whether `code` is an ISO 4217 code, current or withdrawn, in capitals.
bool is_currency_code(std::string_view code);

}  // namespace magpie
