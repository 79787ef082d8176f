#pragma once
// A URL as the WHATWG URL Living Standard has it (https://url.spec.whatwg.org/), parsed by ada: what a browser would fetch.
// Url is an immutable value: the serialised text and where its parts begin. The parts are views into it.
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace magpie {

/// Longest input that is parsed, in bytes. Browsers stop between 32 KB and 2 MB; no server takes more than this.
inline constexpr std::size_t kUrlBytesMax = 64 * 1024;

/// Turns the query of a link into bytes of the page's charset (WHATWG "percent-encode after encoding"): takes UTF-8, gives the
/// encoded bytes; a character the charset lacks is given as the text "%26%23<decimal code point>%3B". Must not throw.
using QueryEncoder = std::function<std::string(std::string_view utf8)>;

class Url {
 public:
  /// Parses an absolute URL. kBadInput when the standard refuses it, kTooLarge over kUrlBytesMax. Well under a microsecond.
  static Result<Url> parse(std::string_view input);
  /// The same for a link found on the page `base`; absolute input ignores the base.
  static Result<Url> parse(std::string_view input, const Url& base);
  /// For a link on a page that is not in UTF-8: non-ASCII characters in the query of http, https, ftp and file URLs go
  /// through `encode_query`. `base` may be null.
  static Result<Url> parse(std::string_view input, const Url* base, const QueryEncoder& encode_query);

  /// The whole URL, serialised. ASCII; a host in other letters stands as its A-label ("xn--…").
  const std::string& href() const { return href_; }

  // The parts as in the standard's API; empty when absent. All are ASCII views that live as long as this Url.
  std::string_view protocol() const { return part(0, scheme_end_ + 1u); }  // "https:"
  std::string_view scheme() const { return part(0, scheme_end_); }         // "https"
  std::string_view username() const { return part(username_begin_, username_end_); }
  std::string_view password() const { return part(password_begin_, password_end_); }
  std::string_view host() const { return part(host_begin_, host_and_port_end_); }  // "a.test:8080", without a default port
  std::string_view hostname() const { return part(host_begin_, host_end_); }       // "a.test", "[::1]"
  std::string_view port() const { return part(port_begin_, host_and_port_end_); }  // "8080", or "" for the default
  std::string_view pathname() const { return part(path_begin_, path_end_); }
  std::string_view search() const { return without_lone_mark(path_end_, query_end_); }  // "?a=b"; "" for "?"
  std::string_view hash() const { return without_lone_mark(query_end_, size()); }       // "#top"; "" for "#"
  /// Path and query as they stand in a request line: "/a?b=c".
  std::string_view path_and_query() const { return part(path_begin_, query_end_); }
  /// "https://a.test:8080", or "null" for schemes without one.
  std::string origin() const;
  /// The port number in use: the given one, else 80 or 443; 0 for other schemes.
  std::uint16_t port_or_default() const;
  bool is_http() const { return scheme() == "http" || scheme() == "https"; }
  /// Whether the hostname is an IPv4 or IPv6 address.
  bool has_ip_host() const;

  /// The same URL without its fragment.
  Url without_fragment() const;

  friend bool operator==(const Url& a, const Url& b) { return a.href_ == b.href_; }
  friend auto operator<=>(const Url& a, const Url& b) { return a.href_ <=> b.href_; }

 private:
  friend struct UrlBuilder;
  Url() = default;
  std::uint32_t size() const { return static_cast<std::uint32_t>(href_.size()); }
  std::string_view part(std::uint32_t begin, std::uint32_t end) const { return std::string_view(href_).substr(begin, end - begin); }
  std::string_view without_lone_mark(std::uint32_t begin, std::uint32_t end) const {
    return end - begin > 1 ? part(begin, end) : std::string_view();
  }

  std::string href_;
  std::uint32_t scheme_end_ = 0;
  std::uint32_t username_begin_ = 0, username_end_ = 0;
  std::uint32_t password_begin_ = 0, password_end_ = 0;
  std::uint32_t host_begin_ = 0, host_end_ = 0;
  std::uint32_t port_begin_ = 0, host_and_port_end_ = 0;
  std::uint32_t path_begin_ = 0, path_end_ = 0;
  std::uint32_t query_end_ = 0;
};

/// The form under which a crawler keeps a URL, so that one resource has one key. Beyond what the standard's serialisation
/// does (case of scheme and host, default port, dot segments, A-labels) it only drops the fragment: the one part a server never
/// sees. It changes nothing that a server could tell apart: path case, trailing slash, an empty query, order of parameters,
/// "www." and "index.html" all stay. Idempotent.
Url canonical_url(const Url& url);

/// Query parameters that only say where a visitor came from: utm_*, gclid, fbclid and their like, lower case. A name that
/// ends in "*" is a prefix.
std::span<const std::string_view> tracking_parameters();
/// The URL without those query parameters; the others stay as they stand, byte for byte and in order. Not part of
/// canonical_url(), as a job may switch it off.
Url without_tracking_parameters(const Url& url);

/// The A-label form of a host name ("münchen.de" -> "xn--mnchen-3ya.de"), lower case, as a URL's host would be serialised,
/// addresses included ("0x7f.1" -> "127.0.0.1", "[0::1]" -> "[::1]"). kBadInput for what no URL can hold as a host.
Result<std::string> normalise_host(std::string_view host);

}  // namespace magpie

template <>
struct fmt::formatter<magpie::Url> : fmt::formatter<std::string_view> {
  auto format(const magpie::Url& url, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(url.href(), context);
  }
};
template <>
struct std::hash<magpie::Url> {
  std::size_t operator()(const magpie::Url& url) const { return std::hash<std::string>()(url.href()); }
};
