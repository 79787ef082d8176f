#pragma once
// A page's body as the lines of text that a person sees, each piece with what the elements around it say of it. One walk; made for finding
// a product's facts where markup is silent or wrong.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extract/page_parts.h"
#include "extract/visible_words.h"
#include "text/html_tree.h"

namespace magpie {

/// A stretch of text under the same elements; it ends where the next one begins.
struct VisiblePiece {
  std::size_t begin = 0;
  std::uint32_t marks = 0;  // VisibleMark; what names a value counts only where the element so named holds little text
  HtmlNode element;         // the innermost around it
  HtmlNode named;           // the innermost whose names were marks, else `element`
};

struct VisibleLine {
  std::size_t begin = 0, end = 0;  // bytes of the text
  std::size_t piece = 0;           // the first
};

/// Nodes live as long as the tree.
struct VisibleLines {
  std::string text;  // as price_text() makes it plain, squeezed, a line feed behind each line
  std::vector<VisiblePiece> pieces;
  std::vector<VisibleLine> lines;
  std::vector<std::pair<std::size_t, std::uint32_t>> carts;  // where elements stand that put into the cart, even without words; their marks
  HtmlNode heading;                                          // names the product; none when there is no such
  HtmlNode crumbs;                                           // the first element that calls itself a breadcrumb, menus included
  std::size_t heading_begin = 0, heading_end = 0;            // its place in the text; both 0 without
  /// The first of each itemprop of offers and products, even outside any item, that is not about another product: "price", "sku", ..
  std::vector<std::pair<std::string_view, std::string>> properties;

  /// A property's value, or empty.
  std::string_view property(std::string_view name) const;
  std::string_view words(const VisibleLine& line) const { return std::string_view(text).substr(line.begin, line.end - line.begin); }
  /// The piece that holds the byte.
  const VisiblePiece& piece_at(std::size_t at) const;
};

/// The element that names the page's product: the first-level heading that agrees with one of `names` (best first), else the first one,
/// else the first text that a name begins with or ends in.
HtmlNode product_heading(const PageParts& parts, HtmlNode body, const std::vector<std::string>& names);

/// Whether a link leads to the site's first page: "/", "https://shop.test" and the like.
bool leads_home(std::string_view href);

/// Looks at a bounded stretch of the page (nodes and bytes); linear.
VisibleLines visible_lines(HtmlNode body, HtmlNode heading);

}  // namespace magpie
