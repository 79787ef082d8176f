// A whole page through extraction; what comes out must be UTF-8 and absolute.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
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
  return 0;
}
