#pragma once
// The cookies of one crawl. Some sites send every visitor in a circle until a cookie comes back; nobody is logged in by this.
// Source: RFC 6265, kept narrow: a cookie goes back to the very host that set it, whatever its Domain says, so no site learns of another.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "net/http_headers.h"
#include "net/url.h"

namespace magpie::crawl {

/// Not thread-safe. Memory: at most kCookiesPerHostMax × kCookieBytesMax for each of kHostsMax hosts; a host's oldest cookie makes room for
/// a new one, further hosts' are not kept.
class CookieJar {
 public:
  static constexpr std::size_t kCookiesPerHostMax = 50;
  static constexpr std::size_t kCookieBytesMax = 4'096;  // name and value
  static constexpr std::size_t kHostsMax = 100'000;
  static constexpr std::size_t kHeaderBytesMax = 16 * 1024;

  /// @param apart  hosts with a login: what one of their origins has set goes back to that scheme and port only.
  explicit CookieJar(std::set<std::string, std::less<>> apart = {}) : apart_(std::move(apart)) {}

  /// Takes the Set-Cookie headers of an answer from `url`; what came over https goes back over https only. True when a cookie is new or has
  /// another value than before.
  bool take(const Url& url, const HttpHeaders& headers, Timestamp now);
  /// Forgets those that may go to the URL's host; of one with a login, to its origin.
  void forget(const Url& url);
  /// The value of the Cookie header for a request, longest paths first; "" when there is none to send.
  std::string header_for(const Url& url, Timestamp now) const;

 private:
  struct Cookie {
    std::string name, value, path;
    std::optional<Timestamp> expires;
    bool secure = false;
    std::uint64_t age = 0;  // smaller is older
  };
  static std::optional<Cookie> parse(std::string_view line, const Url& url, Timestamp now);
  std::string key_of(const Url& url) const { return apart_.contains(url.hostname()) ? url.origin() : std::string(url.hostname()); }
  bool put(std::vector<Cookie>& cookies, Cookie cookie, Timestamp now);

  std::uint64_t taken_ = 0;
  std::set<std::string, std::less<>> apart_;
  std::map<std::string, std::vector<Cookie>> hosts_;  // by host name, without port (§8.5); of those that are apart, by origin
};

}  // namespace magpie::crawl
