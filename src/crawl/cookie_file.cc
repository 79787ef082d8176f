#include "crawl/cookie_file.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "crawl/cookie_jar.h"
#include "net/domain.h"

namespace magpie::crawl {
namespace {

constexpr std::string_view kHttpOnly = "#HttpOnly_";  // in front of a domain, for cookies that scripts cannot read

bool equal_true(std::string_view text) { return text == "TRUE" || text == "true"; }

bool can_be_sent(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == ';'; });
}

bool path_fits(std::string_view path, std::string_view cookie_path) {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') || path[cookie_path.size()] == '/';
}

bool has_name(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::string_view pair = header.substr(0, header.find(';'));
    if (pair.substr(0, pair.find('=')) == name) return true;
    header.remove_prefix(std::min(header.size(), pair.size() + 1));
    header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  }
  return false;
}

}  // namespace

std::optional<CookieFile::Cookie> CookieFile::parse_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with(kHttpOnly)) line.remove_prefix(kHttpOnly.size());
  else if (line.starts_with('#')) return std::nullopt;
  std::array<std::string_view, 7> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t end = i + 1 < fields.size() ? line.find('\t') : line.size();
    if (end == line.npos) return std::nullopt;
    fields[i] = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  std::string_view domain = fields[0];
  if (domain.starts_with('.')) domain.remove_prefix(1);
  const auto host = normalise_host(domain);
  std::int64_t expires = 0;
  const auto read = std::from_chars(fields[4].data(), fields[4].data() + fields[4].size(), expires);
  const bool good = host && read.ec == std::errc() && fields[2].starts_with('/') && !fields[5].empty() && can_be_sent(fields[5]) &&
                    can_be_sent(fields[6]) && fields[5].size() + fields[6].size() <= CookieJar::kCookieBytesMax;
  if (!good) return std::nullopt;
  Cookie cookie{.domain = *host, .path = std::string(fields[2]), .name = std::string(fields[5]), .value = std::string(fields[6])};
  cookie.subdomains = equal_true(fields[1]) && registrable_domain(cookie.domain).has_value();
  cookie.secure = equal_true(fields[3]);
  constexpr std::int64_t kLatest = 253'402'300'799;  // the year 9999
  if (expires > 0) cookie.expires = Timestamp(std::chrono::seconds(std::min(expires, kLatest)));
  return cookie;
}

Result<CookieFile> CookieFile::parse(std::string_view text) {
  CookieFile out;
  bool other = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (auto cookie = parse_line(line); cookie && out.cookies_.size() < kCookiesMax) out.cookies_.push_back(std::move(*cookie));
    else other |= line.find_first_not_of(" \t\r") != line.npos && !line.starts_with('#');
  }
  if (out.cookies_.empty() && other)
    return fail(Code::kBadInput, "it holds no cookie in the format of cookies.txt: seven fields a line with tabs between");
  // Longer paths first, as for any Cookie header (RFC 6265 §5.4).
  std::stable_sort(out.cookies_.begin(), out.cookies_.end(),
                   [](const Cookie& a, const Cookie& b) { return a.path.size() > b.path.size(); });
  return out;
}

bool CookieFile::fits_host(const Cookie& cookie, std::string_view host) {
  if (host == cookie.domain) return true;
  return cookie.subdomains && host.size() > cookie.domain.size() && host.ends_with(cookie.domain) &&
         host[host.size() - cookie.domain.size() - 1] == '.';
}

bool CookieFile::knows(const Url& url) const {
  return std::any_of(cookies_.begin(), cookies_.end(), [&](const Cookie& cookie) { return fits_host(cookie, url.hostname()); });
}

std::string CookieFile::header_for(const Url& url, std::string own, Timestamp now) const {
  std::string header = std::move(own);
  for (const Cookie& cookie : cookies_) {
    const bool fits = fits_host(cookie, url.hostname()) && (!cookie.secure || url.scheme() == "https") &&
                      path_fits(url.pathname(), cookie.path) && (!cookie.expires || *cookie.expires > now) &&
                      header.size() + cookie.name.size() + cookie.value.size() + 3 <= CookieJar::kHeaderBytesMax;
    if (!fits || has_name(header, cookie.name)) continue;
    if (!header.empty()) header += "; ";
    header += cookie.name + '=' + cookie.value;
  }
  return header;
}

}  // namespace magpie::crawl
