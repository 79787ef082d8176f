#pragma once
// On what terms a page says that its pictures may be used:
//   schema.org       license, acquireLicensePage, creditText and creator of an ImageObject, Photograph or work of visual art, in JSON-LD,
//                    microdata or RDFa (https://developers.google.com/search/docs/appearance/structured-data/image-license-metadata)
//   rel=license      a link (https://html.spec.whatwg.org/multipage/links.html#link-type-license), or any link to a licence of
//                    Creative Commons
// A link speaks of the picture that shares with it the nearest element that holds one, if that holds no other: a figure, a card, a page of
// one picture. One in a footer, and one beside several pictures, speaks of none: it is as likely the text's. No licence is better than a
// wrong one. The first that is said of a picture stays.
#include <vector>

#include "extract/image_list.h"
#include "extract/json_value.h"
#include "extract/page_urls.h"
#include "text/html_tree.h"

namespace magpie {

/// Longest address or words of a licence that are kept; longer ones are no name, and are dropped.
inline constexpr std::size_t kLicenceBytesMax = 200;

/// A link that names a licence; the node lives as long as its tree.
struct LicenceLink {
  HtmlNode node;
  std::string terms;  // absolute
};
inline constexpr std::size_t kLicenceLinksMax = 200;

/// Whether an <a> or <link> names a licence; `rel` in lower case.
bool is_licence_link(std::string_view rel, std::string_view absolute);

/// Gives pictures what items of markup say of them.
void add_schema_licences(const std::vector<JsonValue>& items, const PageUrls& urls, ImageList& images);
/// Gives pictures what the links beside them say. Cost: at most 2,000 nodes are looked at for each link.
void add_linked_licences(const std::vector<LicenceLink>& links, ImageList& images);

}  // namespace magpie
