// Prices: the amount is a plain decimal and the currency a code, whatever the text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "text/price.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t half = size / 2;
  const magpie::Price price = magpie::parse_price(text.substr(0, half), {.currency_hint = text.substr(half), .currency_of_site = "CAD"});
  const bool is_decimal = price.amount.find_first_not_of("0123456789.") == std::string::npos && !price.amount.starts_with('.') &&
                          !price.amount.ends_with('.') && price.amount.find('.') == price.amount.rfind('.');
  MAGPIE_CHECK(is_decimal, "'{}' is no decimal", price.amount);
  MAGPIE_CHECK(price.currency.empty() || magpie::is_currency_code(price.currency), "'{}' is no currency", price.currency);
  magpie::parse_machine_amount(text, "EUR");
  return 0;
}
