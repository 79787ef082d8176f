#pragma once
// One page in, everything a crawl and a search want to know of it out: links, pictures, products, words. Pure: bytes to records,
// no I/O. Runs inside a worker process, as it reads foreign bytes. See README.md for which markup is read and in which order it is
// believed.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// What the exchange said about the page, besides its bytes.
struct PageContext {
  std::string url;               // absolute, after redirects
  std::string content_type;      // the header as sent; empty when there was none
  std::string x_robots_tag;      // the headers as sent, joined by ", "
  std::string agent = "magpie";  // rules addressed to this robot ("magpie: noindex") count as well as those to all
  /// Where other pages of the site show the fields of their products (extract/field_selectors.h), best first; trusted where this page lacks
  /// markup.
  std::vector<FieldSelector> selectors;
  std::vector<FieldSelector> candidates;  // to be tried, too, and not trusted
  bool learns = false;                    // asks for Page::selector_trials
};

/// Beyond these the page is cut, not refused (but for html_bytes_max).
struct ExtractLimits {
  std::size_t html_bytes_max = std::size_t{32} << 20;
  std::size_t links_max = 100'000;
  std::size_t images_max = 20'000;
  std::size_t products_max = 1'000;
  std::size_t text_bytes_max = 4'096;  // of a link's or picture's words
  std::size_t description_bytes_max = 16'384;
  std::size_t json_ld_bytes_max = std::size_t{8} << 20;  // of all JSON-LD blocks together
};

/// kBadInput when context.url is no absolute URL, kTooLarge over html_bytes_max. Thread-safe. About 4 ms for a shop page of 280 KB
/// (README.md has the command).
Result<Page> extract_page(std::string_view html_bytes, const PageContext& context, const ExtractLimits& limits = {});

/// The page with its raw markup, for people who want to see what was there (`magpie inspect page`).
struct PageMarkup {
  Page page;
  std::vector<std::string> json_ld;    // each object as found, one valid JSON text
  std::vector<std::string> microdata;  // each top-level item as JSON: {"type": [..], "properties": {name: [text or item, ..]}}
  std::vector<std::pair<std::string, std::string>> opengraph;  // property, content; in order
};
Result<PageMarkup> extract_page_markup(std::string_view html_bytes, const PageContext& context, const ExtractLimits& limits = {});

}  // namespace magpie
