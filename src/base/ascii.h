#pragma once
// Letter case as protocols know it: A to Z alone, whatever the locale. Text that people read is folded by text/tokens.h instead.
#include <algorithm>
#include <string>
#include <string_view>

namespace magpie {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Other bytes stay as they are, so UTF-8 stays UTF-8.
inline std::string ascii_lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
  return out;
}

/// Equal but for letter case.
constexpr bool ascii_same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

}  // namespace magpie
