// What a page shows, what its scripts carry, and who is believed. Each page is made for one rule.
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "extract/extract_page.h"
#include "extract/product_fields.h"

namespace magpie {
namespace {

constexpr std::string_view kUrl = "https://shop.test/lamps/brass-lamp";

Product product_of(std::string_view body, std::string_view head = "", std::string_view url = kUrl) {
  std::string html = "<html><head><title>Brass table lamp | Shop</title>";
  html += head;
  html += "</head><body>";
  html += body;
  html += "</body></html>";
  auto page = extract_page(html, {.url = std::string(url), .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page);
  return page && !page->products.empty() ? page->products.front() : Product{};
}

// A heading, a picture and what a test adds.
std::string shown(std::string_view more) { return R"(<div><h1>Brass table lamp</h1><img src="/lamp.jpg">)" + std::string(more) + "</div>"; }

std::string product_json(std::string_view more) {
  return R"(<script type="application/ld+json">{"@type":"Product","name":"Brass table lamp")" + std::string(more) + "}</script>";
}

const FieldEvidence* evidence_of(const Product& product, std::string_view field) {
  for (const FieldEvidence& evidence : product.evidence) {
    if (evidence.field == field) return &evidence;
  }
  return nullptr;
}

// ---- visible prices ----

struct Shown {
  const char* name;
  const char* body;
  const char* price;
  const char* old_price;
};
class VisiblePrice : public ::testing::TestWithParam<Shown> {};
TEST_P(VisiblePrice, IsTheOneToPay) {
  const Product product = product_of(shown(GetParam().body));
  EXPECT_EQ(product.offer.price, GetParam().price);
  EXPECT_EQ(product.offer.old_price, GetParam().old_price);
}
INSTANTIATE_TEST_SUITE_P(
    Pages, VisiblePrice,
    ::testing::Values(
        Shown{"bare", "<p>€ 49,90</p>", "49.90", ""}, Shown{"struck", "<p><del>€ 59,90</del> <span>€ 49,90</span></p>", "49.90", "59.90"},
        Shown{"struck by style", "<p><span style=\"text-decoration: line-through\">$60</span><b>$50</b></p>", "50", "60"},
        Shown{"called old", "<p class=\"oldPrice\">€ 59,90</p><p class=\"price\">€ 49,90</p>", "49.90", "59.90"},
        Shown{"labelled", "<p>RRP: $60.00</p><p>Now: $50.00</p>", "50.00", "60.00"},
        Shown{"two side by side", "<span class=\"price\">$60.00</span> <span class=\"price\">$50.00</span>", "50.00", ""},
        Shown{"a range", "<p class=\"price\">$45,000 - $70,000</p>", "45000", ""},
        Shown{"cents set high", "<p class=\"price\">173<sup>34</sup> Lei</p>", "173.34", ""},
        Shown{"in blocks", "<div class=\"price\"><div>€</div><div>49</div><div>,90</div></div>", "49.90", ""},
        Shown{"in blocks with cents", "<div class=\"price\"><div>€</div><div>49</div><div class=\"decimals\">90</div></div>", "49.90", ""},
        Shown{"per kilogram beside", "<p class=\"price\">€ 12,00</p><p class=\"unit-price\">€ 3,40/kg</p>", "12.00", ""},
        Shown{"shipping before", "<p>Shipping: $4.95</p><p>$50.00</p>", "50.00", ""},
        Shown{"free over", "<p>Free delivery over £50</p><p class=\"price\">£17.49</p>", "17.49", ""},
        Shown{"instalments", "<p class=\"price\">R$ 1.299,00</p><p>12x R$ 108,25 sem juros</p>", "1299.00", ""},
        Shown{"saving", "<p>You save $10.00</p><p class=\"price\">$50.00</p>", "50.00", ""},
        Shown{"a difference", "<p class=\"price\">$50.00</p><label>brass (+$8.00)</label>", "50.00", ""},
        Shown{"before tax", "<p class=\"price\">€ 60,00</p><p class=\"price\">excl. VAT € 49,59</p>", "60.00", ""},
        Shown{"related products", "<p>€ 49,90</p><div class=\"related-products\"><p class=\"price\">€ 9,90</p></div>", "49.90", ""},
        Shown{"before the sign of a word", "最低價$<span>99</span>元起/包<a class=\"btn\">加入購物車</a>", "99", ""},
        Shown{"Persian digits", "<p class=\"price\">۱۲٬۵۰۰ ریال</p>", "12500", ""}),
    [](const auto& test) {
      std::string name = test.param.name;
      for (char& c : name) c = c == ' ' ? '_' : c;
      return name;
    });

TEST(VisibleProduct, OfAListingIsNone) {
  std::string tiles;
  for (int i = 1; i < 9; ++i) {
    const std::string number = std::to_string(i);
    tiles += "<div class=\"tile\"><img src=\"/" + number + ".jpg\"><p>Lamp " + number + "</p><p class=\"price\">€ 1" + number +
             ",00</p><button>Add to cart</button></div>";
  }
  EXPECT_EQ(product_of("<h1>Brass table lamps</h1>" + tiles).name, "");
}

TEST(VisibleProduct, OfAShortListingIsNone) {
  std::string tiles;
  for (int i = 1; i < 4; ++i) {
    const std::string number = std::to_string(i);
    tiles += "<div class=\"tile\"><img src=\"/" + number + ".jpg\"><p>Lamp " + number +
             "</p><p>and a few words to describe it, as shops do in their listings, " +
             "so that entries are apart</p><p class=\"price\">€ 1" + number + ",00</p><button>Add to cart</button></div>";
  }
  EXPECT_EQ(product_of("<h1>Brass table lamps</h1>" + tiles).name, "");
}

TEST(VisibleProduct, OfAnArticleIsNone) {
  EXPECT_EQ(
      product_of(
          shown("<p>In 1987 a lamp of this kind cost about $50 in the shops of the town, and $80 with its shade, which few could afford "
                "when wages were low; today collectors pay ten times as much.</p>"))
          .name,
      "");
}

TEST(VisibleProduct, ItsHeadingIsTheOneThatSharesMostWordsWithTheTitle) {
  auto page = extract_page(
      "<title>Casio FX-991 Calculator Victoria City</title><body><h1>Policies and news of our site</h1><img src=\"/a.jpg\">"
      "<h1>$15 · Casio FX-991 Calculator</h1><p>Ad # 36029524</p>",
      {.url = std::string(kUrl)});
  ASSERT_TRUE(page);
  ASSERT_FALSE(page->products.empty());
  EXPECT_EQ(page->products.front().offer.price, "15");
  EXPECT_EQ(page->products.front().sku, "36029524");
}

TEST(VisibleProduct, StandsInNoHeadingButInTheTitle) {
  const Product product = product_of(
      "<img src=\"/lamp.jpg\"><div class=\"name\">Brass table lamp</div><p class=\"price\">€ 49,90</p><button>Add to cart</button>");
  EXPECT_EQ(product.name, "Brass table lamp");
  EXPECT_EQ(product.offer.price, "49.90");
}

TEST(VisibleProduct, AShopsNameAsHeadingIsNone) {
  const Product product = product_of(
      "<h1>The shop of lamps</h1><p>Free delivery</p><img src=\"/lamp.jpg\"><div class=\"name\">Brass table lamp</div><p>€ "
      "49,90</p><button>Add to cart</button>",
      "<meta property=\"og:title\" content=\"The shop of lamps - Brass table lamp\"><meta property=\"og:site_name\" content=\"The shop of "
      "lamps\">");
  EXPECT_EQ(product.name, "Brass table lamp");
}

TEST(VisibleProduct, AHeadingThatLeadsHomeIsTheShops) {
  const Product product = product_of(
      "<h1><a href=\"https://shop.test/\">Brass table</a></h1><h2>Brass table lamp</h2><img src=\"/lamp.jpg\"><p>€ 49,90</p>"
      "<button>Add to cart</button>");
  EXPECT_EQ(product.name, "Brass table lamp");
}

TEST(VisibleProduct, ASignMeansTheMoneyOfTheLanguagesRegion) {
  auto page = extract_page("<html lang=\"en-AU\"><body>" + shown("<p class=\"price\">$50</p>"), {.url = std::string(kUrl)});
  ASSERT_TRUE(page);
  ASSERT_FALSE(page->products.empty());
  EXPECT_EQ(page->products.front().offer.currency, "AUD");
}

TEST(VisibleProduct, DataAttributesNameIt) {
  const Product product =
      product_of(shown("<p class=\"price\">€ 50</p><form data-product-sku=\"L-100\" data-brand=\"Acme\"><button>Buy</button></form>"));
  EXPECT_EQ(product.sku, "L-100");
  EXPECT_EQ(product.brand, "Acme");
}

TEST(Cards, ForTwitterNameAPrice) {
  const Product product =
      product_of(shown("<p>Ask us</p>"), "<meta name=\"twitter:label1\" content=\"Price\"><meta name=\"twitter:data1\" content=\"C$15\">");
  EXPECT_EQ(product.offer.price, "15");
  EXPECT_EQ(product.offer.currency, "CAD");
}

TEST(VisibleProduct, AmountsWithoutASignAreInTheCountrysMoney) {
  const Product product = product_of(shown("<p class=\"price\">1.299,00</p>"), "", "https://shop.pl/brass-lamp");
  EXPECT_EQ(product.offer.price, "1299.00");
  EXPECT_EQ(product.offer.currency, "PLN");
}

// ---- numbers, brands, availability ----

struct Labelled {
  const char* body;
  const char* code;
};
class VisibleCode : public ::testing::TestWithParam<Labelled> {};
TEST_P(VisibleCode, StandsBehindItsLabel) {
  EXPECT_EQ(product_of(shown(std::string("<p>$50</p>") + GetParam().body)).sku, GetParam().code);
}
INSTANTIATE_TEST_SUITE_P(
    Labels, VisibleCode,
    ::testing::Values(Labelled{"<p>SKU: AB-1234</p>", "AB-1234"}, Labelled{"<p>Item No. 83810610</p>", "83810610"},
                      Labelled{"<table><tr><th>SKU</th><td>21128AC57NWP</td></tr></table>", "21128AC57NWP"},
                      Labelled{"<p>Art.-Nr.: 4711-08</p>", "4711-08"}, Labelled{"<h4>Bestellnummer:</h4><div>79961</div>", "79961"},
                      Labelled{"<p>Référence : LB204</p>", "LB204"}, Labelled{"<span>Cod produs: DR2401 </span>", "DR2401"},
                      Labelled{"<p>Šifra: <b>9470</b></p>", "9470"}, Labelled{"<p>〈商品編號：M14876706〉</p>", "M14876706"},
                      Labelled{"<p>Артикул: 123456</p>", "123456"}, Labelled{"<p>کد محصول: ۱۲۳۴۵</p>", "12345"},
                      Labelled{"<p>Kód: GARNI 570 EASY II</p>", "GARNI 570 EASY II"},
                      Labelled{"<p>Article number: <b>202.481.18</b><span>This item is heavy</span></p>", "202.481.18"},
                      Labelled{"<p>Refrigerator 12345</p>", ""}, Labelled{"<div class=\"related\"><p>SKU: ZZ-1</p></div>", ""}));

TEST(VisibleCode, StandsInForAHiddenOneOfMarkup) {
  const std::string head = product_json(R"(,"sku":"238368885","offers":{"price":"50","priceCurrency":"USD"})");
  const Product product = product_of(shown("<p>$50</p><p>Product code: 83810610</p>"), head);
  EXPECT_EQ(product.sku, "83810610");
  const FieldEvidence* evidence = evidence_of(product, "sku");
  ASSERT_NE(evidence, nullptr);
  EXPECT_EQ(evidence->origin, FieldOrigin::kVisible);
  EXPECT_EQ(evidence->otherwise, "238368885");
}

TEST(VisibleCode, GtinStaysApart) {
  const Product product = product_of(shown("<p>$50</p><p>SKU: AB-1234</p><p>EAN: 4005556050178</p>"));
  EXPECT_EQ(product.sku, "AB-1234");
  EXPECT_EQ(product.gtin, "4005556050178");
}

TEST(NumberInAddress, IsTheLastOneThatIsLongEnough) {
  EXPECT_EQ(number_in_address("https://a.test/regal-p400105394.html"), "400105394");
  EXPECT_EQ(number_in_address("https://a.test/store/122725?pid=260591"), "260591");
  EXPECT_EQ(number_in_address("https://a.test/Casio-Calculator_36029524"), "36029524");
  EXPECT_EQ(number_in_address("https://a.test/pchome24h/M67296549.htm?pc=promo"), "M67296549");
  EXPECT_EQ(number_in_address("https://a.test/2020/lamp-3000"), "");
  EXPECT_EQ(number_in_address("not an address"), "");
}

TEST(VisibleBrand, StandsBehindItsLabelOrInAnElementCalledSo) {
  EXPECT_EQ(product_of(shown("<p>$50</p><p>Brand: Acme Lights</p>")).brand, "Acme Lights");
  EXPECT_EQ(product_of(shown("<p>$50</p><dl><dt>Hersteller</dt><dd>Acme</dd></dl>")).brand, "Acme");
  EXPECT_EQ(product_of(shown("<p>$50</p><p>品牌：Acme</p>")).brand, "Acme");
  EXPECT_EQ(product_of(shown("<a class=\"product-brand\" href=\"/acme\">Acme</a><p>$50</p>")).brand, "Acme");
  EXPECT_EQ(product_of(shown("<p>$50</p><p>Brand new and boxed</p>")).brand, "");
  EXPECT_EQ(product_of(shown("<a href=\"/brass\">Brass</a><p>$50</p>")).brand, "Brass");
  EXPECT_EQ(product_of(shown("<p>by Brass</p><p>$50</p>")).brand, "Brass");
  EXPECT_EQ(product_of(shown("<p>by Anna, a customer</p><a href=\"/lamps\">Lamps</a><p>$50</p>")).brand, "");
}

TEST(Brand, LosesTheShopsName) {
  const Product product = product_of(shown("<p>$50</p>"), product_json(R"(,"brand":"Acme | Shop")"));
  EXPECT_EQ(product.brand, "Acme");
}

TEST(VisibleAvailability, IsToldByWordsAndByTheCart) {
  EXPECT_EQ(product_of(shown("<p>$50</p><p>Sold out</p>")).offer.availability, "OutOfStock");
  EXPECT_EQ(product_of(shown("<p>$50</p><p>Derzeit nicht verfügbar</p>")).offer.availability, "OutOfStock");
  for (const char* const words :
       {"Not in stock", "Nicht mehr lieferbar", "Tillfälligt slut", "在庫がありません", "Нет на складе", "재고 없음"})
    EXPECT_EQ(product_of(shown("<p>$50</p><p>" + std::string(words) + "</p>")).offer.availability, "OutOfStock") << words;
  EXPECT_EQ(product_of(shown("<p>$50</p><p>10 in stock</p>")).offer.availability, "InStock");
  EXPECT_EQ(product_of(shown("<p>$50</p><button disabled>Add to cart</button>")).offer.availability, "OutOfStock");
  EXPECT_EQ(product_of(shown("<p>$50</p><button>Add to cart</button>")).offer.availability, "InStock");
  // A size has to be chosen first.
  EXPECT_EQ(product_of(shown("<p>$50</p><select><option>S</option></select><button disabled>Add to cart</button>")).offer.availability, "");
  EXPECT_EQ(product_of(shown("<p>$50</p><select><option>Red (sold out)</option></select><button>Add to cart</button>")).offer.availability,
            "InStock");
}

TEST(VisibleAvailability, TakesBackWhatATemplateSays) {
  const std::string head = product_json(R"(,"offers":{"price":"50","priceCurrency":"USD","availability":"https://schema.org/InStock"})");
  EXPECT_EQ(product_of(shown("<p>$50</p><p class=\"availability\">Sold out</p>"), head).offer.availability, "OutOfStock");
}

// ---- markup against the page ----

TEST(Price, OfMarkupThatThePageStrikesThroughIsTheOldOne) {
  const std::string head = product_json(R"(,"offers":{"price":"219.99","priceCurrency":"EUR"})");
  const Product product = product_of(shown("<p><del>€ 219,99</del> <span class=\"price\">€ 110,00</span></p>"), head);
  EXPECT_EQ(product.offer.price, "110.00");
  EXPECT_EQ(product.offer.old_price, "219.99");
  const FieldEvidence* evidence = evidence_of(product, "price");
  ASSERT_NE(evidence, nullptr);
  EXPECT_EQ(evidence->origin, FieldOrigin::kVisible);
  EXPECT_EQ(evidence->otherwise, "219.99");
}

TEST(Price, OfMarkupStaysWhenThePageShowsItToo) {
  const std::string head = product_json(R"(,"offers":{"price":"50.00","priceCurrency":"EUR"})");
  const Product product = product_of(shown("<p>€ 50</p><p class=\"price sale big\">€ 20</p>"), head);
  EXPECT_EQ(product.offer.price, "50.00");
}

TEST(Price, OfLoosePropertiesCounts) {
  const Product product = product_of(shown(
      R"(<div itemprop="offers"><meta itemprop="price" content="17.10"><meta itemprop="priceCurrency" content="CHF"><p class="price">17,10</p></div>)"));
  EXPECT_EQ(product.offer.price, "17.10");
  EXPECT_EQ(product.offer.currency, "CHF");
}

// ---- RDFa Lite and scripts ----

TEST(RdfaLite, NamesAProduct) {
  const Product product = product_of(
      R"(<div vocab="https://schema.org/" typeof="Product"><h1 property="name">Brass table lamp</h1><img property="image" src="/lamp.jpg">)"
      R"(<span property="schema:sku">L-1</span><div property="offers" typeof="Offer"><span property="price" content="12.50">12,50</span>)"
      R"(<meta property="priceCurrency" content="EUR"><link property="availability" href="https://schema.org/OutOfStock"></div></div>)");
  EXPECT_EQ(product.sku, "L-1");
  EXPECT_EQ(product.offer.price, "12.50");
  EXPECT_EQ(product.offer.currency, "EUR");
  EXPECT_EQ(product.offer.availability, "OutOfStock");
  ASSERT_NE(evidence_of(product, "price"), nullptr);
  EXPECT_EQ(evidence_of(product, "price")->origin, FieldOrigin::kRdfa);
}

struct Script {
  const char* name;
  const char* text;
};
class EmbeddedState : public ::testing::TestWithParam<Script> {};
TEST_P(EmbeddedState, SaysWhatThePageSells) {
  const Product product = product_of(shown("<p class=\"price\">12,50</p><p>SKU: L-100</p>") + GetParam().text);
  EXPECT_TRUE(same_amount(product.offer.price, "12.50")) << product.offer.price;
  EXPECT_EQ(product.offer.currency, "CHF");
  EXPECT_EQ(product.brand, "Acme");
}
INSTANTIATE_TEST_SUITE_P(
    Scripts, EmbeddedState,
    ::testing::Values(
        Script{"data_layer", R"(<script>dataLayer.push({'event':'view','ecommerce':{'currencyCode':'CHF','detail':{'products':[
          {'name':'Other thing','price':'9','brand':'Wrong'},{'name':'Brass table lamp','id':'77','price':'12.50','brand':'Acme'}]}}});</script>)"},
        Script{"inside_a_function", R"(<script>(function(){var x={a:{}};gtag('event','view_item',{currency:'CHF',items:[
          {item_name:"Brass table lamp",item_id:"77",item_brand:"Acme",price:12.5}]})})()</script>)"},
        Script{
            "next_data",
            R"(<script id="__NEXT_DATA__" type="application/json">{"props":{"product":{"title":"Brass table lamp","brand":{"name":"Acme"},
          "price":{"amount":12.5,"currency":"CHF"}}}}</script>)"},
        Script{
            "json_in_a_string",
            R"(<script>window.state=JSON.parse("{\"product\":{\"name\":\"Brass table lamp\",\"brand\":\"Acme\",\"price\":\"12.50\",\"currency\":\"CHF\"}}")</script>)"},
        Script{"attribute", R"(<div data-product='{"name":"Brass table lamp","brand":"Acme","price":12.5,"currency":"CHF"}'></div>)"},
        Script{
            "cents",
            R"(<script>var meta={"product":{"title":"Brass table lamp","vendor":"Acme","price":1250}};var c={"currency":"CHF"}</script>)"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EmbeddedState, OfOtherProductsIsLeft) {
  const Product product =
      product_of(shown("<p class=\"price\">€ 50</p>") + R"(<script>x({"name":"Cat food","price":"3.00","brand":"Meow"})</script>)");
  EXPECT_EQ(product.offer.price, "50");
  EXPECT_EQ(product.brand, "");
}

// ---- hostile pages ----

TEST(HostileShopPages, AreCutBetweenCharacters) {
  std::string letters;
  for (int i = 0; i < 6'000; ++i) letters += "ä";
  for (const std::size_t shift : {0u, 1u}) {
    const std::string cut = std::string(shift, 'x') + letters;
    const Product product = product_of(
        shown("<p class=\"price\">€ 50</p><p itemprop=\"brand\">" + cut + "</p><meta itemprop=\"sku\" content=\"" + cut + "\">") +
        "<script>x({\"name\":\"Brass table lamp\",\"price\":5,\"brand\":\"" + cut + "\"})</script>");
    for (const std::string* text : {&product.brand, &product.sku}) EXPECT_TRUE(is_utf8(*text)) << shift;
  }
}

TEST(HostileShopPages, TakeLinearTime) {
  std::string prices, braces = "<script>", labels, nested;
  for (int i = 0; i < 100'000; ++i) prices += "<b class=price>$" + std::to_string(i) + "</b>";
  for (int i = 0; i < 200'000; ++i) braces += "{\"price\":";
  for (int i = 0; i < 200'000; ++i) labels += "SKU ";
  for (int i = 0; i < 100'000; ++i) nested += "<div class=\"price sku brand\">";
  for (const std::string& body : {prices, braces + "</script>", labels, nested + "$5"}) {
    const Product product = product_of(shown("<p class=\"price\">€ 50</p>") + body, product_json(""));
    EXPECT_EQ(product.name, "Brass table lamp");
  }
}

}  // namespace
}  // namespace magpie
