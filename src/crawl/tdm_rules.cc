#include "crawl/tdm_rules.h"

#include <simdjson.h>

#include <algorithm>

namespace magpie::crawl {
namespace {

/// "1", 1 and true are meant alike by those who write the file; anything else reserves nothing.
bool says_reserved(simdjson::dom::element value) {
  if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return number == 1;
  if (bool flag = false; value.get(flag) == simdjson::SUCCESS) return flag;
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) return text == "1";
  return false;
}

// A line of robots.txt ends at a line break and a comment begins at '#': a location with either could not be one rule.
bool is_location(std::string_view text) {
  constexpr std::size_t kLocationBytesMax = 2'048;
  if (text.empty() || text.size() > kLocationBytesMax || (text[0] != '/' && text[0] != '*')) return false;
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '#' || c == '\x7F'; });
}

}  // namespace

TdmRules TdmRules::parse(std::string_view json) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // some editors' first bytes, and no JSON
  TdmRules out;
  out.readable_ = false;
  if (json.size() > kTdmBytesMax) return out;
  if (json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  simdjson::dom::parser parser;
  simdjson::dom::array entries;
  if (parser.parse(simdjson::padded_string(json)).get(entries) != simdjson::SUCCESS) return out;
  out.readable_ = true;
  std::string lines = "User-agent: *\n";
  for (const simdjson::dom::element entry : entries) {
    std::string_view location;
    simdjson::dom::element reservation;
    if (entry["location"].get(location) != simdjson::SUCCESS || !is_location(location)) continue;
    if (entry["tdm-reservation"].get(reservation) != simdjson::SUCCESS) continue;
    if (out.count_ == kRulesMax) break;
    ++out.count_;
    lines += says_reserved(reservation) ? "Disallow: " : "Allow: ";
    lines.append(location) += '\n';
  }
  out.matcher_ = RobotsRules::parse(lines, "*");
  return out;
}

}  // namespace magpie::crawl
