// What a site's marked-up pages teach of its other pages.
#include "extract/field_selectors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "extract/extract_page.h"

namespace magpie {
namespace {

Page extracted(std::string_view html, std::vector<FieldSelector> selectors = {}, bool learns = false) {
  const PageContext context{.url = "http://shop.test/p/1",
                            .content_type = "text/html; charset=utf-8",
                            .x_robots_tag = {},
                            .agent = "magpie",
                            .selectors = std::move(selectors),
                            .candidates = {},
                            .learns = learns};
  auto page = extract_page(html, context);
  EXPECT_TRUE(page);
  return page ? std::move(*page) : Page{};
}

// A page whose visible part alone is ambiguous: three prices in the same dress, no label at the number, words that are in no list.
std::string page_of(std::string_view name, std::string_view price, std::string_view number, std::string_view stock,
                    std::string_view markup = "") {
  return fmt::format(
      R"(<html><head><title>{0} - Shop</title>{4}</head><body><header><b class="amount">9,99 €</b> Gutschein</header><main class="ware">)"
      R"(<p class="teaser x4711">Neu</p><div class="titel"><span>{0}</span></div><img src="/i/1.jpg" width="600" height="600">)"
      R"(<div class="kauf"><div class="monat"><b class="amount">3,50 €</b></div><div class="ganz id-77123"><b class="amount"><i>{1}</i> €</b></div></div>)"
      R"(<div class="zahlen"><em>Bestell-Kennung: {2}</em></div><div class="lagerampel">{3}</div></main>)"
      R"(<aside><div class="kauf"><b class="amount">8,00 €</b></div></aside></body></html>)",
      name, price, number, stock, markup);
}

std::string json_ld(std::string_view name, std::string_view price, std::string_view number, std::string_view stock) {
  return fmt::format(
      R"(<script type="application/ld+json">{{"@type":"Product","name":"{}","sku":"{}","offers":{{"price":"{}","priceCurrency":"EUR","availability":"{}"}}}}</script>)",
      name, number, price, stock);
}

std::vector<FieldSelector> agreed(const std::vector<SelectorTrial>& trials) {
  std::vector<FieldSelector> selectors;
  for (const SelectorTrial& trial : trials) {
    if (trial.agrees) selectors.push_back(trial.selector);
  }
  return selectors;
}

std::vector<FieldSelector> learnt() {
  const Page page = extracted(
      page_of("Messinglampe", "129,00", "AB-129-7", "Kommt gleich", json_ld("Messinglampe", "129.00", "AB-129-7", "InStock")), {}, true);
  return agreed(page.selector_trials);
}

TEST(FieldSelectors, AreLearntFromMarkup) {
  std::vector<std::string> fields;
  for (const FieldSelector& selector : learnt()) {
    fields.push_back(selector.field);
    EXPECT_EQ(selector.path.find("4711"), std::string::npos) << selector.path;
    EXPECT_EQ(selector.path.find("77123"), std::string::npos) << "names one product";
    if (selector.field == "sku") { EXPECT_EQ(selector.words, "Bestell-Kennung: "); }
    if (selector.field == "availability") {
      EXPECT_EQ(selector.words, "kommt gleich");
      EXPECT_EQ(selector.value, "InStock");
    }
  }
  for (const char* field : {"name", "price", "sku", "availability"})
    EXPECT_GE(std::count(fields.begin(), fields.end(), field), 1) << field << " of " << fmt::format("{}", fmt::join(fields, " "));
}

TEST(FieldSelectors, ReadAPageWithoutMarkup) {
  const Page page = extracted(page_of("Eisenrost", "45,50", "ZK-5", "Kommt gleich"), learnt());
  ASSERT_EQ(page.products.size(), 1u);
  const Product& product = page.products.front();
  EXPECT_EQ(product.name, "Eisenrost");
  EXPECT_EQ(product.offer.price, "45.50");
  EXPECT_EQ(product.offer.currency, "EUR");
  EXPECT_EQ(product.sku, "ZK-5");
  EXPECT_EQ(product.offer.availability, "InStock");
  const auto price =
      std::find_if(product.evidence.begin(), product.evidence.end(), [](const FieldEvidence& one) { return one.field == "price"; });
  ASSERT_NE(price, product.evidence.end());
  EXPECT_EQ(price->origin, FieldOrigin::kLearnt);
}

TEST(FieldSelectors, LeaveAPageAloneThatLacksTheirPlaces) {
  const Page page = extracted("<body><main><h1>Über uns</h1><p>Seit 1910. Ab <b>3,50 €</b> Versand.</p></main></body>", learnt());
  EXPECT_TRUE(page.products.empty());
}

TEST(FieldSelectors, MarkupIsBelievedBeforeThem) {
  const Page page =
      extracted(page_of("Eisenrost", "45,50", "ZK-5", "Kommt gleich", json_ld("Eisenrost", "45.50", "ZK-6", "OutOfStock")), learnt());
  EXPECT_EQ(page.products.front().sku, "ZK-6");
  EXPECT_EQ(page.products.front().offer.availability, "OutOfStock");
}

TEST(FieldSelectors, APageThatShowsAnotherValueDisagrees) {
  // The markup says another price than the place shows: the template's price is elsewhere now.
  const Page page =
      extracted(page_of("Eisenrost", "45,50", "ZK-5", "Kommt gleich", json_ld("Eisenrost", "39.00", "ZK-5", "InStock")), learnt(), true);
  bool disagreed = false;
  for (const SelectorTrial& trial : page.selector_trials) disagreed = disagreed || (trial.selector.field == "price" && !trial.agrees);
  EXPECT_TRUE(disagreed);
}

TEST(FieldSelectors, AnElementOfManyWordsIsNoPlaceForAPrice) {
  // The first amount of the whole <main> is the product's on a page of this design, and anything on a list.
  const std::string head = "<html><head><title>Lampe</title>" + json_ld("Lampe", "129.00", "AB-1", "InStock") + "</head><body><main>";
  const Page page =
      extracted(head + "129,00 € <h1>Lampe</h1><p>Eine Lampe aus Messing, wie sie früher in jedem Flur hing, und schwer.</p></main></body>",
                {}, true);
  for (const SelectorTrial& trial : page.selector_trials) EXPECT_FALSE(trial.selector.field == "price" && trial.selector.path == "main");
}

TEST(FieldSelectors, AHostilePageCostsLittleAndTeachesNothingLarge) {
  const std::string head = "<html><head>" + json_ld("Lampe", "19.99", "AB-1", "InStock") + "</head><body><h1>Lampe</h1>";
  std::string many = head + "<div class=\"" + std::string(1'000'000, ' ') + "x\">";
  for (int i = 0; i < 20'000; ++i) many += "<b class=p>19.99</b>";
  EXPECT_LE(extracted(many, learnt(), true).selector_trials.size(), 42u);  // six of each of seven fields
  const Page page = extracted(head + "<" + std::string(1'500'000, 'x') + "><p class=price>19.99</p>", {}, true);
  for (const SelectorTrial& trial : page.selector_trials) EXPECT_LE(trial.selector.path.size(), FieldSelector::kPathBytesMax);
}

TEST(FieldSelectors, AListOfManyIsNoProduct) {
  std::string tiles;
  for (const char* price : {"1,00", "2,00", "3,00"}) {
    tiles += fmt::format(
        R"(<main class="ware"><div class="titel"><span>Ding {0}</span></div><div class="kauf"><div class="ganz"><b class="amount"><i>{0}</i> €</b></div></div></main>)",
        price);
  }
  const Page page = extracted("<body>" + tiles + "</body>", learnt());
  for (const Product& product : page.products)
    EXPECT_TRUE(std::none_of(product.evidence.begin(), product.evidence.end(),
                             [](const FieldEvidence& one) { return one.origin == FieldOrigin::kLearnt; }));
}

}  // namespace
}  // namespace magpie
