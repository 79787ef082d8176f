#include "crawl/cookie_jar.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "crawl/host_state.h"

namespace magpie::crawl {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the text before the next ';'.
std::string_view next_part(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return part;
}

std::pair<std::string_view, std::string_view> split_pair(std::string_view part) {
  const std::size_t equals = part.find('=');
  if (equals == std::string_view::npos) return {part, {}};
  return {trim(part.substr(0, equals)), trim(part.substr(equals + 1))};
}

std::string default_path(std::string_view path) {  // §5.1.4
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : std::string(path.substr(0, slash));
}

bool path_matches(std::string_view path, std::string_view cookie_path) {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') || path[cookie_path.size()] == '/';
}

// Bytes that would break a header line, or what reads it.
bool can_be_sent(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == ';'; });
}

bool is_set_cookie(const HttpHeader& header) { return ascii_lowered(header.name) == "set-cookie"; }

}  // namespace

std::optional<CookieJar::Cookie> CookieJar::parse(std::string_view line, const Url& url, Timestamp now) {
  std::string_view rest = line;
  const auto [name, value] = split_pair(next_part(rest));
  if (name.empty() || name.size() + value.size() > kCookieBytesMax || !can_be_sent(name) || !can_be_sent(value)) return std::nullopt;
  Cookie cookie{.name = std::string(name), .value = std::string(value), .path = default_path(url.pathname())};
  cookie.secure = url.scheme() == "https";  // a session would show on the way otherwise
  bool has_max_age = false;
  while (!rest.empty()) {
    const auto [key, attribute] = split_pair(next_part(rest));
    const std::string kind = ascii_lowered(key);
    if (kind == "path" && attribute.starts_with('/')) {
      cookie.path = attribute;
    } else if (kind == "secure") {
      cookie.secure = true;
    } else if (kind == "max-age") {
      std::int64_t seconds = 0;
      const auto read = std::from_chars(attribute.data(), attribute.data() + attribute.size(), seconds);
      if (read.ec != std::errc()) continue;
      constexpr std::int64_t kYear = 366 * 86'400;
      cookie.expires = now + std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kYear));
      has_max_age = true;
    } else if (kind == "expires" && !has_max_age) {
      std::string date(attribute);  // "Wdy, DD-Mon-YYYY" is common, too
      std::replace(date.begin(), date.end(), '-', ' ');
      if (const auto when = parse_http_date(date)) cookie.expires = *when;
    }
  }
  return cookie;
}

bool CookieJar::put(std::vector<Cookie>& cookies, Cookie cookie, Timestamp now) {
  const auto same = std::find_if(cookies.begin(), cookies.end(),
                                 [&](const Cookie& other) { return other.name == cookie.name && other.path == cookie.path; });
  if (cookie.expires && *cookie.expires <= now) {
    if (same == cookies.end()) return false;
    cookies.erase(same);
    return true;
  }
  if (same != cookies.end()) {
    const bool changed = same->value != cookie.value;
    *same = std::move(cookie);
    return changed;
  }
  if (cookies.size() >= kCookiesPerHostMax)
    cookies.erase(std::min_element(cookies.begin(), cookies.end(), [](const Cookie& a, const Cookie& b) { return a.age < b.age; }));
  cookie.age = ++taken_;
  const auto shorter =
      std::find_if(cookies.begin(), cookies.end(), [&](const Cookie& other) { return other.path.size() < cookie.path.size(); });
  cookies.insert(shorter, std::move(cookie));
  return true;
}

bool CookieJar::take(const Url& url, const HttpHeaders& headers, Timestamp now) {
  bool changed = false;
  for (const HttpHeader& header : headers) {
    if (!is_set_cookie(header)) continue;
    auto cookie = parse(header.value, url, now);
    if (!cookie) continue;
    auto found = hosts_.find(key_of(url));
    if (found == hosts_.end()) {
      if (hosts_.size() >= kHostsMax) return changed;
      found = hosts_.emplace(key_of(url), std::vector<Cookie>()).first;
    }
    changed |= put(found->second, std::move(*cookie), now);
  }
  return changed;
}

void CookieJar::forget(const Url& url) {
  if (const auto found = hosts_.find(key_of(url)); found != hosts_.end()) hosts_.erase(found);
}

std::string CookieJar::header_for(const Url& url, Timestamp now) const {
  const auto found = hosts_.find(key_of(url));
  if (found == hosts_.end()) return {};
  std::string header;
  for (const Cookie& cookie : found->second) {
    const bool fits = (!cookie.secure || url.scheme() == "https") && path_matches(url.pathname(), cookie.path) &&
                      (!cookie.expires || *cookie.expires > now) &&
                      header.size() + cookie.name.size() + cookie.value.size() + 3 <= kHeaderBytesMax;
    if (!fits) continue;
    if (!header.empty()) header += "; ";
    header += cookie.name;
    header += '=';
    header += cookie.value;
  }
  return header;
}

}  // namespace magpie::crawl
