// A whole page through extraction, and once more by what it taught of its site; what comes out must be UTF-8 and absolute.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "crawl/picture_sizes.h"
#include "extract/extract_page.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view html(reinterpret_cast<const char*>(data), size);
  const auto markup =
      magpie::extract_page_markup(html, {.url = "http://shop.test/folder/page.html", .x_robots_tag = "noindex, a: nofollow"});
  if (!markup) return 0;
  MAGPIE_CHECK(magpie::is_utf8(markup->page.title), "the title is not UTF-8");
  for (const magpie::Link& link : markup->page.links) {
    MAGPIE_CHECK(link.url.starts_with("http"), "a link is not absolute: {}", link.url);
    MAGPIE_CHECK(magpie::is_utf8(link.text), "a link's text is not UTF-8");
  }
  for (const magpie::ImageRef& image : markup->page.images) {
    MAGPIE_CHECK(image.url.starts_with("http"), "a picture's address is not absolute: {}", image.url);
    MAGPIE_CHECK(magpie::is_utf8(image.alt) && magpie::is_utf8(image.caption), "a picture's words are not UTF-8");
  }
  for (const magpie::Product& product : markup->page.products) {
    MAGPIE_CHECK(magpie::is_utf8(product.name) && magpie::is_utf8(product.description), "a product's words are not UTF-8");
    for (const std::string* text :
         {&product.brand, &product.sku, &product.gtin, &product.category, &product.offer.price, &product.offer.currency})
      MAGPIE_CHECK(magpie::is_utf8(*text), "a product's field is not UTF-8: {}", *text);
    for (const magpie::FieldEvidence& evidence : product.evidence)
      MAGPIE_CHECK(magpie::is_utf8(evidence.otherwise), "what is said otherwise of {} is not UTF-8", evidence.field);
  }
  const std::string url = "http://shop.test/folder/page.html";
  const auto teaching = magpie::extract_page(html, {.url = url, .learns = true});
  MAGPIE_CHECK(teaching.has_value(), "a page that can be read cannot teach");
  std::vector<magpie::FieldSelector> selectors;
  for (const magpie::SelectorTrial& trial : teaching->selector_trials) {
    MAGPIE_CHECK(magpie::is_utf8(trial.selector.path) && magpie::is_utf8(trial.selector.words), "a selector is not UTF-8");
    selectors.push_back(trial.selector);
  }
  const auto taught = magpie::extract_page(html, {.url = url, .selectors = std::move(selectors)});
  MAGPIE_CHECK(taught.has_value(), "a page that can be read cannot be read by selectors");
  for (const magpie::Product& product : taught->products)
    MAGPIE_CHECK(magpie::is_utf8(product.name) && magpie::is_utf8(product.sku), "a learnt field is not UTF-8");
  for (const magpie::ImageRef& image : taught->images) {
    const auto spelt = magpie::crawl::spelt_size(image.url);
    MAGPIE_CHECK(!spelt || spelt->original.starts_with("http"), "an original's address is not absolute: {}", spelt->original);
  }
  return 0;
}
