#include <gtest/gtest.h>

#include "extract/extract_page.h"

namespace magpie {
namespace {

std::string category_of(const std::string& crumbs, const std::string& more = "") {
  const std::string html = "<html><head><title>Brass lamp</title></head><body>" + crumbs +
                           "<h1>Brass lamp</h1><img src=/lamp.jpg><p class=price>$50.00</p><p>SKU: L-1234</p>" + more + "</body></html>";
  const auto page = extract_page(html, {.url = "https://shop.test/p/1", .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page);
  return page && !page->products.empty() ? page->products.front().category : "no product";
}

TEST(VisibleCrumbs, NameTheCategory) {
  EXPECT_EQ(category_of(R"(<ul class="breadcrumb"><li><a href=/>Home</a></li><li><a href=/l>Lamps</a></li><li>Brass lamp</li></ul>)"),
            "Lamps");
  EXPECT_EQ(category_of(R"(<nav aria-label="Breadcrumb"><a href=/>Home</a> / <a href=/l>Lamps</a> / <a href=/t>Table</a></nav>)"),
            "Lamps > Table");
  EXPECT_EQ(
      category_of("<div id=crumbs>You are here: <a href=/><span>Start</span></a> \u00BB <a href=/l><b>Lamps</b> &amp; light</a></div>"),
      "Lamps & light");
  EXPECT_EQ(category_of(""), "");
}

TEST(VisibleCrumbs, YieldToMarkupAndAreShort) {
  const std::string json =
      R"(<script type=application/ld+json>{"@type":"BreadcrumbList","itemListElement":[{"name":"Chairs"},{"name":"Oak"}]}</script>)";
  EXPECT_EQ(category_of("<p class=breadcrumbs><a href=/l>Lamps</a></p>", json), "Chairs > Oak");
  std::string many = "<div class=breadcrumb>";
  for (int i = 0; i < 40; ++i) many += "<a href=/x>Category</a>";
  EXPECT_EQ(category_of(many + "</div>"), "");
}

}  // namespace
}  // namespace magpie
