#include "store/warc_text.h"

#include <algorithm>

#include "base/ascii.h"

namespace magpie {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::size_t http_header_end(std::string_view block) {
  std::size_t line = 0;
  while (true) {
    const std::size_t end = block.find('\n', line);
    if (end == std::string_view::npos) return block.size();
    if (end == line || (end == line + 1 && block[line] == '\r')) return end + 1;
    line = end + 1;
  }
}

std::optional<int> http_status_of(std::string_view block) {
  if (!ascii_same(block.substr(0, 5), "HTTP/")) return std::nullopt;
  const std::size_t space = block.substr(0, 16).find(' ');
  if (space == std::string_view::npos || block.size() < space + 4) return std::nullopt;
  const std::string_view digits = block.substr(space + 1, 3);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  if (block.size() > space + 4 && is_digit(block[space + 4])) return std::nullopt;
  return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

}  // namespace magpie
