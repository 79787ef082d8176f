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
  TdmRules out;
  if (json.size() > kTdmBytesMax) return out;
  simdjson::dom::parser parser;
  simdjson::dom::array entries;
  if (parser.parse(simdjson::padded_string(json)).get(entries) != simdjson::SUCCESS) return out;
  std::string lines = "User-agent: *\n";
  for (const simdjson::dom::element entry : entries) {
    std::string_view location, policy;
    simdjson::dom::element reservation;
    if (entry["location"].get(location) != simdjson::SUCCESS || !is_location(location)) continue;
    if (entry["tdm-reservation"].get(reservation) != simdjson::SUCCESS) continue;
    if (out.locations_.size() == kRulesMax) break;
    if (entry["tdm-policy"].get(policy) != simdjson::SUCCESS) policy = "";
    lines += says_reserved(reservation) ? "Disallow: " : "Allow: ";
    lines.append(location) += '\n';
    out.locations_.emplace_back(location);
    out.policies_.emplace_back(policy.substr(0, 2'048));
  }
  out.matcher_ = RobotsRules::parse(lines, "*");
  return out;
}

TdmRules::Verdict TdmRules::judge(const Url& url) const {
  const RobotsVerdict verdict = matcher_.judge(url);
  const std::size_t place = verdict.line < 2 ? locations_.size() : verdict.line - 2;
  if (place >= locations_.size()) return {};
  return {!verdict.allowed, locations_[place], policies_[place]};
}

}  // namespace magpie::crawl
