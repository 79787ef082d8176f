#include "extract/page_urls.h"

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

}  // namespace

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
  if (trimmed(href).empty()) return {};
  const std::optional<Url> url = resolve(href);
  return url && url->is_http() ? url->href() : std::string();
}

std::string PageUrls::absolute_or_text(std::string_view href) const {
  const std::optional<Url> url = resolve(href);
  return url ? url->href() : std::string(trimmed(href));
}

}  // namespace magpie
