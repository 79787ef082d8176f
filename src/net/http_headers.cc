#include "net/http_headers.h"

#include <algorithm>

#include "base/ascii.h"

namespace magpie {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

void append_line(HttpHeaders& headers, std::string_view line) {
  if (is_blank(line.front()) && !headers.empty()) {
    headers.back().value.append(" ").append(trimmed(line));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return;
  headers.push_back({std::string(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1)))});
}

}  // namespace

bool same_header_name(std::string_view a, std::string_view b) { return ascii_same(a, b); }

std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name) {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const HttpHeader& header) { return same_header_name(header.name, name); });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::string header_lines(const HttpHeaders& headers, std::string_view name) {
  std::string joined;
  for (const HttpHeader& header : headers) {
    if (!same_header_name(header.name, name)) continue;
    if (!joined.empty()) joined += '\n';
    joined += header.value;
  }
  return joined;
}

HttpHeaders parse_header_block(std::string_view block) {
  HttpHeaders headers;
  for (bool first = true; !block.empty(); first = false) {
    const std::size_t end = std::min(block.find('\n'), block.size());
    const std::string_view line = block.substr(0, end);
    if (!first && !trimmed(line).empty()) append_line(headers, line);
    block.remove_prefix(std::min(end + 1, block.size()));
  }
  return headers;
}

bool is_sendable(const HttpHeader& header) {
  return !header.name.empty() && std::all_of(header.name.begin(), header.name.end(), is_token_character) &&
         std::none_of(header.value.begin(), header.value.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace magpie
