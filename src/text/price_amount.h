#pragma once
// The number in a price. Works on text that price_text() has made plain.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace magpie {

/// A text with digits of all scripts as 0-9, every kind of space as ' ', apostrophes as '\'', Arabic separators as '.' and ',', and
/// without direction marks. UTF-8 in and out.
std::string price_text(std::string_view text);

struct AmountFound {
  std::size_t begin = 0, end = 0;  // bytes of the plain text that hold the number
  std::string digits;              // with its separators, without spaces: "1.299,95"
};

/// The first number that is no percentage.
std::optional<AmountFound> find_amount(std::string_view plain);

/// "1.299,95" -> "1299.95". A last separator followed by three digits groups them ("34.000" -> "34000"), unless what stands before it is
/// only zeros, or `three_decimals` says that the currency has three.
std::string decimal_amount(const AmountFound& found, bool three_decimals);

}  // namespace magpie
