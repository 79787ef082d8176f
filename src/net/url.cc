#include "net/url.h"

#include <ada.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/utf8.h"

namespace magpie {

struct UrlBuilder {
  static Url build(const ada::url_aggregator& parsed);
};

namespace {

/// Foreign text for an error message: valid UTF-8, not endless.
std::string shown(std::string_view text) { return to_valid_utf8(utf8_prefix(text, 200)); }

std::uint32_t or_else(std::uint32_t offset, std::uint32_t fallback) { return offset == ada::url_components::omitted ? fallback : offset; }

Result<Url> parse_with(std::string_view input, const ada::url_aggregator* base) {
  if (input.size() > kUrlBytesMax) return fail(Code::kTooLarge, "a URL of {} bytes is over the limit of {}", input.size(), kUrlBytesMax);
  const auto parsed = ada::parse<ada::url_aggregator>(input, base);
  if (!parsed) return fail(Code::kBadInput, "'{}' is not a URL", shown(input));
  if (parsed->get_href().size() > 3 * kUrlBytesMax) return fail(Code::kTooLarge, "the URL is over the limit once serialised");
  return UrlBuilder::build(*parsed);
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The standard's special-query percent-encode set.
bool stands_as_it_is_in_query(unsigned char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '#' && c != '<' && c != '>' && c != '\''; }

void append_percent_encoded(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (stands_as_it_is_in_query(byte)) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
}

/// Whether the standard encodes this URL's query in the page's charset: special schemes but ws and wss.
bool query_follows_charset(const Url& url) {
  constexpr std::array<std::string_view, 4> kSchemes = {"http", "https", "ftp", "file"};
  return std::find(kSchemes.begin(), kSchemes.end(), url.scheme()) != kSchemes.end();
}

std::string without_tabs_and_newlines(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out), [](char c) { return c != '\t' && c != '\n' && c != '\r'; });
  return out;
}

/// `input` with its query's text replaced by percent-encoded bytes of the charset. In every state of the standard's parser the
/// first "#" starts the fragment and the first "?" before it the query, so no second parser is needed to find it.
std::string with_encoded_query(std::string_view input, const QueryEncoder& encode_query) {
  // The parser trims these off both ends; after a rewrite the end of the query would no longer be one.
  while (!input.empty() && static_cast<unsigned char>(input.back()) <= 0x20) input.remove_suffix(1);
  const std::size_t fragment = std::min(input.find('#'), input.size());
  const std::size_t query = input.substr(0, fragment).find('?');
  if (query == std::string_view::npos) return std::string(input);
  const std::string text = without_tabs_and_newlines(input.substr(query + 1, fragment - query - 1));
  std::string out(input.substr(0, query + 1));
  append_percent_encoded(out, is_ascii(text) ? text : encode_query(text));
  out += input.substr(fragment);
  return out;
}

}  // namespace

Url UrlBuilder::build(const ada::url_aggregator& parsed) {
  const ada::url_components& at = parsed.get_components();
  Url url;
  url.href_ = parsed.get_href();
  const std::string& href = url.href_;
  url.scheme_end_ = at.protocol_end - 1;
  url.host_begin_ = at.host_start;
  url.host_end_ = at.host_end;
  if (at.host_end > at.host_start && href[at.host_start] == '@') {  // ada lets the host start at the sign
    ++url.host_begin_;
    url.username_begin_ = at.protocol_end + 2;
    url.username_end_ = at.username_end;
    url.password_begin_ = url.password_end_ = at.username_end;
    if (at.host_start > at.username_end) {
      url.password_begin_ = at.username_end + 1;
      url.password_end_ = at.host_start;
    }
  }
  const bool has_port = at.port != ada::url_components::omitted;
  // Between an absent host and the path may stand "/." (a path that starts with two slashes); it belongs to neither.
  url.host_and_port_end_ = has_port ? at.pathname_start : at.host_end;
  url.port_begin_ = has_port ? at.host_end + 1 : url.host_and_port_end_;
  url.path_begin_ = at.pathname_start;
  url.query_end_ = or_else(at.hash_start, url.size());
  url.path_end_ = or_else(at.search_start, url.query_end_);
  return url;
}

Result<Url> Url::parse(std::string_view input) { return parse_with(input, nullptr); }

Result<Url> Url::parse(std::string_view input, const Url& base) {
  const auto parsed_base = ada::parse<ada::url_aggregator>(base.href());
  if (!parsed_base) return fail(Code::kInternal, "'{}' does not parse a second time", base.href());
  return parse_with(input, &*parsed_base);
}

Result<Url> Url::parse(std::string_view input, const Url* base, const QueryEncoder& encode_query) {
  Result<Url> url = base ? parse(input, *base) : parse(input);
  if (!url || !encode_query || is_ascii(input) || !query_follows_charset(*url)) return url;
  const std::string encoded = with_encoded_query(input, encode_query);
  return base ? parse(encoded, *base) : parse(encoded);
}

std::string Url::origin() const {
  if (scheme() == "blob") {
    const auto inner = parse(pathname());
    return inner && inner->is_http() ? inner->origin() : "null";
  }
  constexpr std::array<std::string_view, 5> kWithOrigin = {"http", "https", "ws", "wss", "ftp"};
  if (std::find(kWithOrigin.begin(), kWithOrigin.end(), scheme()) == kWithOrigin.end()) return "null";
  return fmt::format("{}//{}", protocol(), host());
}

std::uint16_t Url::port_or_default() const {
  std::uint16_t number = scheme() == "http" ? 80 : scheme() == "https" ? 443 : 0;
  const std::string_view given = port();
  std::from_chars(given.data(), given.data() + given.size(), number);
  return number;
}

bool Url::has_ip_host() const {
  const std::string_view name = hostname();
  if (name.empty()) return false;
  if (name.front() == '[') return true;
  // For schemes whose hosts the standard parses, a host whose last label is a number has become an IPv4 address.
  return is_http() && name.back() >= '0' && name.back() <= '9' && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

Url Url::without_fragment() const {
  Url url = *this;
  url.href_.resize(query_end_);
  return url;
}

Url canonical_url(const Url& url) { return url.without_fragment(); }

std::span<const std::string_view> tracking_parameters() {
  // Those that are set by advertising and mailing systems and that no shop uses to choose what it shows.
  static constexpr std::array<std::string_view, 36> kNames = {
      "utm_*",  "mtm_*",   "pk_campaign", "pk_kwd", "pk_source", "pk_medium",  "pk_content",     "piwik_*",       "matomo_*",
      "gclid",  "gclsrc",  "gbraid",      "wbraid", "dclid",     "gad_source", "gad_campaignid", "_ga",           "_gl",
      "fbclid", "msclkid", "ttclid",      "twclid", "igshid",    "igsh",       "yclid",          "li_fat_id",     "epik",
      "mc_cid", "mc_eid",  "_hsenc",      "_hsmi",  "__hssc",    "__hstc",     "__hsfp",         "hsctatracking", "srsltid",
  };
  return kNames;
}

namespace {

bool names_tracking(std::string_view parameter) {
  const std::string name = ascii_lowered(parameter.substr(0, parameter.find('=')));
  return std::any_of(tracking_parameters().begin(), tracking_parameters().end(), [&](std::string_view pattern) {
    return pattern.back() == '*' ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
  });
}

}  // namespace

Url without_tracking_parameters(const Url& url) {
  std::string_view query = url.search();
  if (query.empty()) return url;
  query.remove_prefix(1);
  std::string kept;
  bool dropped = false;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (names_tracking(parameter)) {
      dropped = true;
    } else {
      kept += kept.empty() ? '?' : '&';
      kept += parameter;
    }
  }
  if (!dropped) return url;
  const std::size_t path_end = static_cast<std::size_t>(url.search().data() - url.href().data());
  const Result<Url> clean = Url::parse(url.href().substr(0, path_end) + kept + std::string(url.hash()));
  return clean ? *clean : url;
}

Result<std::string> normalise_host(std::string_view host) {
  if (host.size() > 1'024) return fail(Code::kTooLarge, "a host of {} bytes is too long", host.size());
  // Anything that would end or extend the host in a URL is not part of one.
  if (host.empty() || host.find_first_of("/\\?#@\t\n\r") != std::string_view::npos)
    return fail(Code::kBadInput, "'{}' is no host name", shown(host));
  const auto parsed = ada::parse<ada::url_aggregator>(fmt::format("http://{}/", host));
  // The default port is gone from the parsed URL, so a colon is looked for in the input.
  const std::size_t address_end = host.front() == '[' ? host.find(']') : 0;
  if (!parsed || host.find(':', address_end) != std::string_view::npos) {
    return fail(Code::kBadInput, "'{}' is no host name", shown(host));
  }
  return std::string(parsed->get_hostname());
}

}  // namespace magpie
