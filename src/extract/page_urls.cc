#include "extract/page_urls.h"

#include <algorithm>
#include <array>
#include <utility>

#include "text/charset.h"

namespace magpie {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= 0x20) text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.remove_suffix(1);
  return text;
}

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if ((text[i] | 0x20) != (prefix[i] | 0x20)) return false;
  }
  return true;
}

// Told apart before parsing: an inline picture may be megabytes long.
bool is_inline(std::string_view href) {
  return starts_with_ignoring_case(href, "data:") || starts_with_ignoring_case(href, "javascript:") ||
         starts_with_ignoring_case(href, "blob:");
}

// What a character does to a link's path, query or fragment when its URL is written out. The standard's percent-encode sets
// (https://url.spec.whatwg.org/#path-percent-encode-set) hold none of those that are kept.
enum class InUrl : std::uint8_t { kChanges, kStays, kLooked };  // kLooked: depends on what stands around
constexpr std::array<InUrl, 256> kInUrl = [] {
  std::array<InUrl, 256> kinds{};
  for (unsigned c = '0'; c <= '9'; ++c) kinds[c] = InUrl::kStays;
  for (unsigned c = 'a'; c <= 'z'; ++c) kinds[c] = kinds[c - 32] = InUrl::kStays;
  for (const unsigned char c : {'-', '_', '~', '!', '$', '&', '(', ')', '*', '+', ',', ';', '=', ':', '@', '/'}) kinds[c] = InUrl::kStays;
  for (const unsigned char c : {'.', '%', '?', '#'}) kinds[c] = InUrl::kLooked;
  return kinds;
}();

// Whether `text`, a path from a slash or a name on, or a query or a fragment from its sign on, with what follows, stands in a URL as it is:
// no dot segments, nothing to encode.
bool stands_as_it_is(std::string_view text) {
  constexpr std::size_t kBytesMax = 2'048;
  if (text.size() > kBytesMax) return false;
  bool in_path = true, in_fragment = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const InUrl kind = kInUrl[static_cast<unsigned char>(text[at])];
    if (kind == InUrl::kStays) continue;
    if (kind == InUrl::kChanges) return false;
    switch (text[at]) {
      case '?': in_path = false; break;
      case '#':
        in_path = false;
        if (std::exchange(in_fragment, true)) return false;
        break;
      case '.':
        if (in_path && (at == 0 || text[at - 1] == '/')) return false;
        break;
      default:  // "%2e" is a dot
        if (in_path && at + 2 < text.size() && text[at + 1] == '2' && (text[at + 2] | 0x20) == 'e') return false;
    }
  }
  return true;
}

std::string joined(std::string_view begin, std::string_view end) {
  std::string out;
  out.reserve(begin.size() + end.size());
  out += begin;
  out += end;
  return out;
}

// All before the path.
std::string_view origin_of(const Url& url) {
  return std::string_view(url.href()).substr(0, static_cast<std::size_t>(url.pathname().data() - url.href().data()));
}

// All up to the path's last slash.
std::string_view folder_of(const Url& url) {
  return std::string_view(url.href()).substr(0, origin_of(url).size() + url.pathname().rfind('/') + 1);
}

// The part of a URL that a fragment or a query is put behind.
std::string_view before(std::string_view url, char sign) { return url.substr(0, url.find_first_of(sign == '?' ? "?#" : "#")); }

}  // namespace

// The absolute URL of a link that needs no parser; empty for all others.
std::string PageUrls::simple_url(std::string_view href) const {
  if (!base_.is_http()) return {};
  const char first = href.front();
  if (first == '/') {
    if (href.starts_with("//")) return of_known_origin(joined(base_.protocol(), href));
    return stands_as_it_is(href) ? joined(origin_of(base_), href) : std::string();
  }
  if (first == '#' || first == '?') return stands_as_it_is(href) ? joined(before(base_.href(), first), href) : std::string();
  if (first == 'h' && href.find(':') != std::string_view::npos) return of_known_origin(std::string(href));
  // A name beside the page's own.
  return href.find(':') == std::string_view::npos && stands_as_it_is(href) ? joined(folder_of(base_), href) : std::string();
}

std::string PageUrls::of_known_origin(std::string href) const {
  for (const std::string& origin : origins_) {
    const bool is_of = href.size() > origin.size() && href[origin.size()] == '/' && href.starts_with(origin);
    if (is_of) return stands_as_it_is(std::string_view(href).substr(origin.size())) ? std::move(href) : std::string();
  }
  return {};
}

// Only where link and URL begin alike, so that what follows a known origin is the path.
void PageUrls::learn_origin(const Url& url, std::string_view href) const {
  constexpr std::size_t kOriginsMax = 16;
  const std::string_view origin = origin_of(url);
  if (origins_.size() < kOriginsMax && href.size() > origin.size() && href[origin.size()] == '/' && href.starts_with(origin))
    origins_.emplace_back(origin);
}

void PageUrls::set_base(std::string_view href) {
  if (std::optional<Url> base = resolve(href); base && base->is_http()) base_ = std::move(*base);
}

std::optional<Url> PageUrls::resolve(std::string_view href) const {
  href = trimmed(href);
  if (is_inline(href)) return std::nullopt;
  if (charset_ == "utf-8" || is_ascii(href)) {
    auto url = Url::parse(href, base_);
    return url ? std::optional<Url>(std::move(*url)) : std::nullopt;
  }
  auto url = Url::parse(href, &base_, [&](std::string_view utf8) { return encode_for_url_query(utf8, charset_); });
  return url ? std::optional<Url>(std::move(*url)) : std::nullopt;
}

std::string PageUrls::absolute(std::string_view href) const {
  href = trimmed(href);
  if (href.empty()) return {};
  if (std::string simple = simple_url(href); !simple.empty()) return simple;
  const std::optional<Url> url = resolve(href);
  if (!url || !url->is_http()) return {};
  if (href.starts_with("//")) {
    learn_origin(*url, joined(base_.protocol(), href));
  } else {
    learn_origin(*url, href);
  }
  return url->href();
}

std::string PageUrls::absolute_or_text(std::string_view href) const {
  href = trimmed(href);
  if (std::string simple = href.empty() ? std::string() : simple_url(href); !simple.empty()) return simple;
  const std::optional<Url> url = resolve(href);
  return url ? url->href() : std::string(href);
}

}  // namespace magpie
