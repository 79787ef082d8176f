#include "crawl/xml_scanner.h"

#include <algorithm>
#include <cstdint>

#include "base/utf8.h"

namespace magpie::crawl {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Cuts `text` behind the next `end`; everything when it is missing.
std::string_view after(std::string_view text, std::string_view end, std::size_t from) {
  const std::size_t at = text.find(end, from);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + end.size());
}

// The internal subset may hold '>' and broken quotes, so its end is the first "]" with ">" behind it.
std::string_view after_doctype(std::string_view text) {
  const std::size_t end = text.find('>');
  const std::size_t subset = text.find('[');
  if (subset == std::string_view::npos || end < subset) return after(text, ">", 0);
  for (std::size_t at = text.find(']', subset); at != std::string_view::npos; at = text.find(']', at + 1)) {
    const std::size_t next = text.find_first_not_of(kBlanks, at + 1);
    if (next != std::string_view::npos && text[next] == '>') return text.substr(next + 1);
  }
  return {};
}

bool starts_with_ignoring_case(std::string_view text, std::string_view upper) {
  if (text.size() < upper.size()) return false;
  return std::equal(upper.begin(), upper.end(), text.begin(), [](char u, char c) { return u == (c >= 'a' && c <= 'z' ? c - 32 : c); });
}

constexpr bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

struct Reference {
  std::size_t length = 0;   // 0: no reference at all
  char32_t code_point = 0;  // 0: an entity that is not known
};

char32_t numeric(std::string_view digits, bool hex) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const bool decimal = c >= '0' && c <= '9';
    const char lower = static_cast<char>(c | 0x20);
    if (!decimal && !(hex && lower >= 'a' && lower <= 'f')) return 0;
    value = value * (hex ? 16 : 10) + static_cast<std::uint32_t>(decimal ? c - '0' : lower - 'a' + 10);
    if (value > 0x10FFFF) return 0xFFFD;
  }
  return value;
}

Reference read_reference(std::string_view text) {
  constexpr std::pair<std::string_view, char32_t> kKnown[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  constexpr std::size_t kNameMax = 32;
  const std::size_t end = text.substr(0, kNameMax).find(';');
  if (end == std::string_view::npos || end < 2) return {};
  const std::string_view name = text.substr(1, end - 1);
  if (name.starts_with("#x") || name.starts_with("#X")) return {end + 1, numeric(name.substr(2), true)};
  if (name.starts_with('#')) return {end + 1, numeric(name.substr(1), false)};
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string_view::npos) return {};
  for (const auto& [known, code_point] : kKnown) {
    if (known == name) return {end + 1, code_point};
  }
  return {end + 1, 0};
}

// The end of a tag: the first '>' outside quotes; a quote that never closes does not count.
std::size_t tag_end(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    at = text.find_first_of("\"'><", at);
    if (at == std::string_view::npos || text[at] == '>') return at;
    if (text[at] == '<') return at;  // the tag was never closed
    const std::size_t close = text.find(text[at], at + 1);
    const std::size_t next_tag = text.find('<', at + 1);
    if (close == std::string_view::npos || close > next_tag) return std::min(text.find('>', at), next_tag);
    at = close;
  }
  return std::string_view::npos;
}

}  // namespace

bool XmlScanner::skip_markup() {
  if (rest_.starts_with("<!--")) rest_ = after(rest_, "-->", 4);
  else if (rest_.starts_with("<?")) rest_ = after(rest_, ">", 2);
  else if (starts_with_ignoring_case(rest_, "<!DOCTYPE")) rest_ = after_doctype(rest_);
  else if (rest_.starts_with("<!")) rest_ = after(rest_, ">", 2);
  else return false;
  return true;
}

XmlToken XmlScanner::take_cdata() {
  constexpr std::string_view kOpen = "<![CDATA[";
  const std::size_t end = rest_.find("]]>", kOpen.size());
  XmlToken token{.kind = XmlToken::Kind::kCdata, .cut = end == std::string_view::npos};
  token.text = rest_.substr(kOpen.size(), token.cut ? std::string_view::npos : end - kOpen.size());
  rest_.remove_prefix(token.cut ? rest_.size() : end + 3);
  return token;
}

std::optional<XmlToken> XmlScanner::take_tag() {
  const std::size_t end = tag_end(rest_);
  XmlToken token{.kind = XmlToken::Kind::kOpen, .cut = end == std::string_view::npos};
  std::string_view inside = rest_.substr(1, token.cut ? std::string_view::npos : end - 1);
  rest_.remove_prefix(token.cut ? rest_.size() : (rest_[end] == '>' ? end + 1 : end));
  if (inside.starts_with('/')) {
    token.kind = XmlToken::Kind::kClose;
    inside.remove_prefix(1);
  } else if (inside.ends_with('/')) {
    token.closes_itself = true;
    inside.remove_suffix(1);
  }
  const std::size_t name_end = std::min(inside.find_first_of(kBlanks), inside.size());
  token.name = inside.substr(0, name_end);
  token.attributes = inside.substr(name_end);
  if (const std::size_t colon = token.name.rfind(':'); colon != std::string_view::npos) {
    token.prefix = token.name.substr(0, colon);
    token.name.remove_prefix(colon + 1);
  }
  return token;
}

std::optional<XmlToken> XmlScanner::next() {
  while (!rest_.empty()) {
    if (rest_.front() != '<') {
      const std::size_t end = rest_.find('<');
      XmlToken token{.kind = XmlToken::Kind::kText, .text = rest_.substr(0, end), .cut = end == std::string_view::npos};
      rest_.remove_prefix(token.text.size());
      return token;
    }
    if (rest_.starts_with("<![CDATA[")) return take_cdata();
    if (skip_markup()) continue;
    if (rest_.size() > 1 && (is_name_start(rest_[1]) || rest_[1] == '/')) return take_tag();
    XmlToken token{.kind = XmlToken::Kind::kText, .text = rest_.substr(0, 1)};  // a '<' that opens nothing
    rest_.remove_prefix(1);
    return token;
  }
  return std::nullopt;
}

bool append_xml_text(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t mark = std::min(raw.find('&'), raw.size());
    out += raw.substr(0, mark);
    raw.remove_prefix(mark);
    if (raw.empty()) break;
    const Reference reference = read_reference(raw);
    if (reference.length == 0) {
      out += '&';
      raw.remove_prefix(1);
      continue;
    }
    if (reference.code_point == 0) return false;
    append_utf8(out, reference.code_point);
    raw.remove_prefix(reference.length);
  }
  return true;
}

std::string xml_attribute(std::string_view attributes, std::string_view name) {
  while (true) {
    const std::size_t begin = attributes.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    attributes.remove_prefix(begin);
    const std::size_t equals = attributes.find('=');
    if (equals == std::string_view::npos) return {};
    std::string_view key = attributes.substr(0, equals);
    key = key.substr(0, key.find_last_not_of(kBlanks) + 1);
    const std::size_t quote = attributes.find_first_not_of(kBlanks, equals + 1);
    if (quote == std::string_view::npos) return {};
    const bool quoted = attributes[quote] == '"' || attributes[quote] == '\'';
    const std::size_t from = quoted ? quote + 1 : quote;
    const std::size_t end = quoted ? attributes.find(attributes[quote], from) : attributes.find_first_of(kBlanks, from);
    if (key.substr(key.find_last_of(kBlanks) + 1) == name) {
      std::string value;
      append_xml_text(value, attributes.substr(from, end == std::string_view::npos ? end : end - from));
      return value;
    }
    if (end == std::string_view::npos) return {};
    attributes.remove_prefix(end + 1);
  }
}

}  // namespace magpie::crawl
