#pragma once
// What one walk over a page's tree gathers, for the readers of markup to work on.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/records.h"
#include "extract/image_licence.h"
#include "extract/image_list.h"
#include "extract/json_value.h"
#include "extract/page_urls.h"
#include "text/html_tree.h"

namespace magpie {

struct ExtractLimits;
struct PageContext;

/// <meta>: `key` is its property, name or http-equiv in lower case.
struct MetaTag {
  std::string key, content;
  bool is_property = false;
  bool in_head = false;
};

struct PageParts {
  std::string title, language, canonical;
  std::vector<std::string> h1;     // texts
  std::vector<HtmlNode> h1_nodes;  // as many
  std::size_t images_before_h1 = 0;
  std::string lower_heading;        // the first of the other levels
  std::size_t password_fields = 0;  // <input type=password>
  std::vector<MetaTag> metas;
  std::vector<Link> links;
  std::vector<std::string> json_ld_texts;
  std::vector<std::string> opengraph_prefixes;  // declared by prefix="…" on html and head
  std::vector<LicenceLink> licence_links;       // to licences, in order; they live as long as the tree
  bool has_microdata = false, has_rdfa = false;
  /// Scripts in the page and attributes that may hold a product as data; they live as long as the tree.
  std::vector<std::string_view> state_texts;

  /// The content of the first <meta> of that key, or empty.
  std::string_view meta(std::string_view key) const;
};

/// Whether the word is among these, which stand one space apart: of a rel attribute.
bool has_word(std::string_view words, std::string_view word);

/// Walks the tree once; pictures go to `images`.
PageParts read_parts(const HtmlTree& tree, const PageUrls& urls, const ExtractLimits& limits, ImageList& images);

}  // namespace magpie
