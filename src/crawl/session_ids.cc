#include "crawl/session_ids.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"

namespace magpie::crawl {
namespace {

// Taken off whatever their value: nobody names anything else like this.
constexpr std::array<std::string_view, 9> kAlways = {"phpsessid", "jsessionid", "aspsessionid", "asp.net_sessionid", "cfid",
                                                     "cftoken",   "zenid",      "oscsid",       "phpsessionid"};
// Taken off when the value looks drawn at random.
constexpr std::array<std::string_view, 6> kWithValue = {"sid", "session_id", "sessionid", "session", "sessid", "s_id"};
constexpr std::size_t kRandomBytesMin = 16;

bool equals(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(), [](char a, char b) { return ascii_lower(a) == b; });
}

bool looks_random(std::string_view value) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto fits = [&](char c) {
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' || c == '_' || c == '.' || c == ',';
  };
  return value.size() >= kRandomBytesMin && std::all_of(value.begin(), value.end(), fits) &&
         std::any_of(value.begin(), value.end(), is_digit);
}

bool is_session_id(std::string_view parameter) {
  const std::size_t equals_sign = parameter.find('=');
  if (equals_sign == std::string_view::npos) return false;
  const std::string_view name = parameter.substr(0, equals_sign);
  const auto is_name = [&](std::string_view known) { return equals(name, known); };
  if (std::any_of(kAlways.begin(), kAlways.end(), is_name)) return true;
  if (name.size() > 12 && equals(name.substr(0, 12), "aspsessionid")) return true;  // "ASPSESSIONIDQABC"
  return std::any_of(kWithValue.begin(), kWithValue.end(), is_name) && looks_random(parameter.substr(equals_sign + 1));
}

// `text` without those of its parts that are session ids; parts are divided by `divider`, and each stands behind one.
std::string without_ids(std::string_view text, char divider, std::string_view ends) {
  std::string kept;
  while (!text.empty()) {
    std::size_t end = text.find_first_of(ends, 1);
    end = std::min(end, text.size());
    const std::string_view part = text.substr(0, end);
    if (part.front() != divider || !is_session_id(part.substr(1))) kept += part;
    text.remove_prefix(end);
  }
  return kept;
}

std::string query_without_ids(std::string_view query) {
  std::string parts(query);
  parts[0] = '&';  // so that each part stands behind one
  std::string kept = without_ids(parts, '&', "&");
  if (!kept.empty()) kept[0] = '?';
  return kept;
}

}  // namespace

Url without_session_ids(const Url& url) {
  const std::string_view path = url.pathname(), query = url.search();
  const std::string new_path = path.find(';') == std::string_view::npos ? std::string(path) : without_ids(path, ';', ";/");
  const std::string new_query = query.find('=') == std::string_view::npos ? std::string(query) : query_without_ids(query);
  if (new_path == path && new_query == query) return url;
  const auto before = static_cast<std::size_t>(path.data() - url.href().data());
  const auto clean = Url::parse(url.href().substr(0, before) + new_path + new_query + std::string(url.hash()));
  return clean ? *clean : url;
}

}  // namespace magpie::crawl
