#include "text/price.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"
#include "text/price_amount.h"
#include "text/price_currency.h"

namespace magpie {
namespace {

constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kNowhere = std::string_view::npos;

// Nothing to pay, in words, where no number stands.
bool says_free(std::string_view plain) {
  const std::string lower = ascii_lowered(plain);
  static constexpr std::string_view kWords[] = {"free",      "gratis",      "gratuit",
                                                "kostenlos", "gr\u00E1tis", "\u0431\u0435\u0441\u043F\u043B\u0430\u0442\u043D\u043E"};
  return std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

CurrencyFound currency_of_hint(std::string_view hint_plain) {
  const std::optional<AmountFound> amount = find_amount(hint_plain);
  return amount ? find_currency(hint_plain, amount->begin, amount->end) : find_currency(hint_plain, kNowhere, kNowhere);
}

}  // namespace

Price parse_price(std::string_view text, const PriceOptions& options) {
  const std::string plain = price_text(utf8_prefix(text, kTextBytesMax));
  const std::optional<AmountFound> amount = find_amount(plain);
  const CurrencyFound in_text = amount ? find_currency(plain, amount->begin, amount->end) : find_currency(plain, kNowhere, kNowhere);

  Price price;
  price.currency = in_text.code;
  price.symbol = in_text.symbol;
  if (!in_text.is_code && !options.currency_hint.empty()) {
    const std::string hint_plain = price_text(utf8_prefix(options.currency_hint, kTextBytesMax));
    const CurrencyFound hint = currency_of_hint(hint_plain);
    // A code nearby says which of several currencies a sign like "$" stands for.
    const bool refines = hint.is_code && symbol_may_mean(in_text.symbol, hint.code);
    if (in_text.symbol.empty() || refines) {
      price.currency = hint.code;
      if (in_text.symbol.empty()) price.symbol = hint.symbol;
    }
  }
  const bool named_by_sign = !price.symbol.empty() && !is_currency_code(price.symbol);
  if (named_by_sign && symbol_may_mean(price.symbol, options.currency_of_site)) price.currency = options.currency_of_site;

  if (amount) {
    price.amount = decimal_amount(*amount, has_three_decimals(price.currency));
  } else if (says_free(plain)) {
    price.amount = "0";
  }
  return price;
}

std::string parse_machine_amount(std::string_view text, std::string_view currency) {
  const std::string plain = price_text(utf8_prefix(text, kTextBytesMax));
  const std::optional<AmountFound> amount = find_amount(plain);
  if (!amount) return {};
  // "34.000" in markup is as often thirty-four with three decimals as thirty-four thousand; the former when written with a fraction in
  // a currency that has one.
  const bool one_dot = std::count(amount->digits.begin(), amount->digits.end(), '.') == 1 && amount->digits.find(',') == std::string::npos;
  return decimal_amount(*amount, one_dot && !has_no_decimals(currency));
}

}  // namespace magpie
