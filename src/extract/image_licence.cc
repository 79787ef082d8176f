#include "extract/image_licence.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"
#include "core/licence.h"
#include "extract/page_parts.h"
#include "extract/schema_node.h"
#include "extract/schema_product.h"

namespace magpie {
namespace {

constexpr std::size_t kCreditBytesMax = 256, kPageBytesMax = 2'048;
constexpr std::size_t kItemsMax = 1'000;  // of markup that speak of pictures
constexpr int kLevelsMax = 12, kNodesMax = 2'000;

/// An address where it is one, else words. An item is a licence by its address or identifier, else by its name.
std::string terms_of(const JsonValue& node, const PageUrls& urls) {
  const JsonValue* value = only_value(node.find("license"));
  if (value == nullptr) return {};
  std::string text = value->text;
  for (const std::string_view key : {"url", "@id", "id", "name"}) {
    if (value->is_object() && text.empty()) text = schema_text(*value, key);
  }
  text = plain_words(text, kPageBytesMax);
  const bool is_address = text.starts_with("http://") || text.starts_with("https://") || text.starts_with('/');
  if (is_address) text = urls.absolute(text);
  return text.size() <= kLicenceBytesMax ? text : std::string();
}

std::string credit_of(const JsonValue& node) {
  for (const std::string_view key : {"creditText", "creator", "author", "copyrightHolder", "copyrightNotice"}) {
    if (std::string credit = plain_words(schema_text(node, key), kCreditBytesMax); !credit.empty()) return credit;
  }
  return {};
}

ImageLicence licence_of(const JsonValue& node, const PageUrls& urls) {
  ImageLicence licence{.terms = terms_of(node, urls), .credit = credit_of(node)};
  const JsonValue* page = only_value(node.find("acquireLicensePage"));
  if (page != nullptr) licence.page = urls.absolute(page->is_object() ? schema_text(*page, "url") : page->text);
  if (licence.page.size() > kPageBytesMax) licence.page.clear();
  return licence;
}

/// Addresses of the picture that the item is, or is of.
void each_address(const JsonValue& node, bool is_image, const PageUrls& urls, ImageList& images, const ImageLicence& licence) {
  const auto give = [&](const JsonValue& value) {
    std::string text = value.is_object() ? schema_text(value, "contentUrl") : value.text;
    if (value.is_object() && text.empty()) text = schema_text(value, "url");
    if (const std::string url = urls.absolute(text); !url.empty()) images.set_licence(url, licence);
  };
  if (is_image) give(node);
  for (const std::string_view key : {"contentUrl", "thumbnailUrl", "thumbnail", "image", "url"}) {
    const JsonValue* value = node.find(key);
    if (value == nullptr) continue;
    if (!value->is_array()) give(*value);
    for (const JsonValue& item : value->items) give(item);
  }
}

bool has_rel_license(HtmlNode node) { return has_word(ascii_lowered(utf8_prefix(node.attribute("rel"), 256)), "license"); }

/// The badge inside a link to a licence is no picture that the licence is of.
bool is_badge(HtmlNode image) {
  int levels = 0;
  for (HtmlNode at = image.parent(); at && ++levels <= 4; at = at.parent()) {
    if (at.is("a")) return has_rel_license(at) || is_creative_commons(at.attribute("href"));
  }
  return false;
}

/// The picture that the link speaks of; nothing when there are several, or none that is known.
std::optional<std::size_t> pictured_with(HtmlNode link, const ImageList& images) {
  int levels = 0, nodes = 0;
  for (HtmlNode around = link.parent(); around && ++levels <= kLevelsMax; around = around.parent()) {
    if (around.is("footer")) return std::nullopt;
    std::optional<std::size_t> found;
    for (HtmlNode node = around.first_child(); node; node = node.next_in_order(around)) {
      if (++nodes > kNodesMax) return std::nullopt;
      if (!node.is("img") || is_badge(node)) continue;
      const auto image = images.find(node);
      if (image && found && image != found) return std::nullopt;
      if (image) found = image;
    }
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace

bool is_licence_link(std::string_view rel, std::string_view absolute) {
  const bool may_be_named = absolute.find("creativecommons.org") != std::string_view::npos;  // asked of every link of a page
  return has_word(rel, "license") || (may_be_named && is_creative_commons(absolute));
}

void add_schema_licences(const std::vector<JsonValue>& items, const PageUrls& urls, ImageList& images) {
  std::size_t count = 0;
  each_schema_object(items, [&](const JsonValue& node) {
    const bool is_image = is_schema_type(node, {"imageobject"});
    if (!is_image && !is_schema_type(node, {"photograph", "visualartwork", "painting", "drawing", "comicstory"})) return;
    if (++count > kItemsMax) return;
    const ImageLicence licence = licence_of(node, urls);
    if (!licence.terms.empty()) each_address(node, is_image, urls, images, licence);
  });
}

void add_linked_licences(const std::vector<LicenceLink>& links, ImageList& images) {
  for (const LicenceLink& link : links) {
    if (const auto image = pictured_with(link.node, images)) images.set_licence(*image, {.terms = link.terms});
  }
}

}  // namespace magpie
