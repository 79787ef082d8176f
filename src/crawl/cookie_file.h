#pragma once
// Cookies that a user hands to a crawl, as browsers' extensions, curl and wget write them: the Netscape cookies.txt format, seven fields a
// line with tabs between: domain, whether its subdomains get it, path, https only, when it expires (0: never), name, value.
// Unlike those of a CookieJar, which sites set by themselves, these are somebody's login.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "net/url.h"

namespace magpie::crawl {

/// A value; reading is thread-safe.
class CookieFile {
 public:
  static constexpr std::size_t kBytesMax = 4 * 1024 * 1024;
  static constexpr std::size_t kCookiesMax = 10'000;

  CookieFile() = default;
  /// Lines that are none, or whose cookie no header can hold, are left out. kBadInput when nothing else is there: another format.
  static Result<CookieFile> parse(std::string_view text);

  /// The value of the Cookie header for a request: `own`, which the host itself has set since, and what of the file has another name; ""
  /// for none. A cookie for a public suffix ("com") goes nowhere.
  std::string header_for(const Url& url, std::string own, Timestamp now) const;
  /// Whether a cookie of the file may go to this host.
  bool knows(const Url& url) const;
  std::size_t size() const { return cookies_.size(); }

 private:
  struct Cookie {
    std::string domain, path, name, value;
    bool subdomains = false, secure = false;
    std::optional<Timestamp> expires;
  };
  static std::optional<Cookie> parse_line(std::string_view line);
  static bool fits_host(const Cookie& cookie, std::string_view host);

  std::vector<Cookie> cookies_;
};

}  // namespace magpie::crawl
