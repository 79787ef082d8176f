#pragma once
// Whether a page is content, or one of the answers that servers give in place of it with status 200 (or 403): an error page, a puzzle for
// robots, words that ask to slow down, a password form.
//
// Precision first: a page of a site that is lost costs more than a useless one that is kept. So nothing that names a product, and nothing
// that says 4 KB or more, is ever judged; a word counts only in a title or heading, or in a page of hardly any text; and a login form, a
// captcha or a "404" alone proves nothing, as honest pages carry them. Where the rules come from:
//
//   soft error     a title or heading that says it, in a page that says little else: Bar-Yossef et al. 2004, "Sic Transit Gloria Telae",
//                  section 3, and what servers and shop systems write (extract/page_phrases.cc). Pages that say the same to every address
//                  are told by their shape, over a whole crawl (pipeline/same_pages.h)
//   captcha        an interstitial's own scripts, or a widget's, as their vendors' manuals name them (kChallenges, kWidgets in
//                  page_class.cc), in a page that holds nothing else
//   rate-limited   RFC 6585 section 4's reason phrase, and its like in other languages
//   login wall     a password field (HTML section 4.10.5.1.6) in a page that is called a login by its heading or its address, or says
//                  nothing else at all
#include <cstdint>
#include <string_view>

#include "core/records.h"
#include "extract/page_parts.h"
#include "text/html_tree.h"

namespace magpie {

/// What is looked at. All borrowed for the call.
struct PageToClassify {
  const HtmlTree& tree;
  const PageParts& parts;
  const Page& page;       // its URL, links, images and products
  std::string_view text;  // the body's visible text, its first kPageTextBytes
};

/// What the body's visible text is cut to. Text of this length may go on, so its page is not judged.
inline constexpr std::size_t kPageTextBytes = 4'096;

/// The page's class, kNone for content. Thread-safe. Cost: nothing for pages with a product or much text; some microseconds for others; a
/// second walk over the tree only for pages that are under suspicion.
PageVerdict classify_page(const PageToClassify& page);

/// Page::shape: a hash of title, text and pictures without the words of the page's own address; 0 for a page with a product or over
/// kShapeTextBytes of text. Only to be compared within one host and run. Thread-safe; one pass over the text.
std::uint64_t page_shape(const PageToClassify& page);
inline constexpr std::size_t kShapeTextBytes = 1'024;

}  // namespace magpie
