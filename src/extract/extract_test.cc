// JSON as found, srcset, pictures, products, robots rules and hostile pages.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "extract/extract_page.h"
#include "extract/image_list.h"
#include "extract/json_value.h"
#include "extract/page_products.h"
#include "extract/schema_product.h"
#include "extract/srcset.h"

namespace magpie {
namespace {

Page extracted(std::string_view html, std::string_view url = "http://shop.test/p/1") {
  auto page = extract_page(html, {.url = std::string(url), .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page);
  return page ? std::move(*page) : Page{};
}

std::string as_found(std::string_view text) {
  std::string out;
  for (const JsonValue& value : parse_json_texts(text)) out += to_json(value);
  return out;
}

TEST(PageUrls, GivesWhatTheUrlParserGives) {
  for (const char* const base : {"https://shop.test/a/b/c.html?x=1#top", "http://shop.test", "http://shop.test:8080/d/"}) {
    const Url page = Url::parse(base).value();
    const PageUrls urls(page, "utf-8");
    for (const char* const href : {"/",
                                   "/p/1",
                                   "/p/1#r",
                                   "/p/?q#f?#",
                                   "//cdn.test/i.jpg",
                                   "https://shop.test/x#y",
                                   "https://shop.test/x#y'z",
                                   "#",
                                   "#a/../b",
                                   "#a b",
                                   "?",
                                   "?q=1&r=/../s#t",
                                   "?q='1'",
                                   "?a#b?c#d",
                                   "i.jpg",
                                   "i/j.jpg?k",
                                   "../i.jpg",
                                   "./i.jpg",
                                   "i/../j",
                                   "i/./j",
                                   "i%2e/j",
                                   "home.html",
                                   "h",
                                   "http:i.jpg",
                                   "i:j",
                                   "%2e%2e/i",
                                   "a/.%2E/b",
                                   "i.j/k.l",
                                   "..",
                                   "a..b/c",
                                   "a/..b/c",
                                   "i\\j",
                                   "Ã¤.jpg",
                                   "a|b",
                                   "a//b",
                                   "a\tb",
                                   "a\"b",
                                   "a?b:c",
                                   "a#b:c",
                                   "@i",
                                   "?#",
                                   "//shop.test"}) {
      const auto parsed = Url::parse(href, page);
      const std::string wanted = parsed && parsed->is_http() ? parsed->href() : "";
      EXPECT_EQ(urls.absolute(href), wanted) << href << " on " << base;
      EXPECT_EQ(urls.absolute(href), wanted) << href << " again on " << base;
    }
  }
}

TEST(JsonAsFound, KeepsValidJsonExactly) {
  const std::string valid = R"({"a":[1,-2.50e+3,true,null,"\u00fc\n\"/"],"b":{"c":{}},"a":[]})";
  EXPECT_EQ(as_found(valid), R"({"a":[1,-2.50e+3,true,null,"ü\n\"/"],"b":{"c":{}},"a":[]})");
}

struct Broken {
  const char* text;
  const char* read;
};
class BrokenJson : public ::testing::TestWithParam<Broken> {};
TEST_P(BrokenJson, IsForgiven) { EXPECT_EQ(as_found(GetParam().text), GetParam().read); }
INSTANTIATE_TEST_SUITE_P(Found, BrokenJson,
                         ::testing::Values(Broken{"<!-- x --> {\"a\":1,} // end", R"({"a":1})"},
                                           Broken{"//<![CDATA[\n{\"a\":[1,2,],}\n//]]>", R"({"a":[1,2]})"},
                                           Broken{"{\"a\":\"line\nbreak\ttab\"}", R"({"a":"line\nbreak\ttab"})"},
                                           Broken{"{'a':'it\\'s'}", R"({"a":"it's"})"},
                                           Broken{"{\"a\":\"say \"hi\" now\",\"b\":2}", R"({"a":"say \"hi\" now","b":2})"},
                                           Broken{"{a:1 b:.5}", R"({"a":1,"b":".5"})"}, Broken{"{\"a\":1};{\"b\":2}", R"({"a":1}{"b":2})"},
                                           Broken{"{\"a\":[{\"b\":1", R"({"a":[{"b":1}]})"}, Broken{"null", ""},
                                           Broken{"/* c */ [ {\"a\" : NaN} ]", R"([{"a":null}])"},
                                           Broken{"{\"a\":\"\\ud83d\\ude00\\ud83d\"}", "{\"a\":\"😀\uFFFD\"}"},
                                           Broken{"{\"a\":\"x\\y\"}", R"({"a":"xy"})"}, Broken{"{\"a\" 1}", R"({})"}));

TEST(JsonAsFound, DepthAndCountAreBounded) {
  EXPECT_LT(as_found(std::string(1'000'000, '[')).size(), 1'000u);
  EXPECT_EQ(parse_json_texts(std::string(100, '{') + "1", 10).size(), 1u);
}

TEST(Srcset, FollowsTheStandard) {
  const auto found = parse_srcset(" a.jpg 320w, b.jpg 640w 480h ,c,d.jpg 2x, data:,x 1x, e.jpg 3q, f.jpg (a, b) 1x, g.jpg 0w, h,, i 1.5x");
  std::string read;
  for (const SrcsetCandidate& candidate : found)
    read += std::string(candidate.url) + "|" + std::to_string(static_cast<int>(candidate.width)) + "|" +
            std::to_string(static_cast<int>(candidate.density * 10)) + " ";
  EXPECT_EQ(read, "a.jpg|320|0 b.jpg|640|0 c,d.jpg|0|20 data:,x|0|10 h|0|10 i|0|15 ");
}

TEST(Images, TheLargestCandidateStandsForItsElement) {
  const Page page = extracted(
      "<h2>Lamps</h2><img src=/s.jpg srcset='/m.jpg 640w, /l.jpg 1280w' alt='Red lamp'>"
      "<img src='data:image/gif;base64,R0' data-src=/photo.jpg data-srcset='/photo-300.jpg 300w'><noscript><img "
      "src=/photo-300.jpg></noscript>"
      "<picture><source srcset='/p2.webp 2x, /p1.webp'><img src=/p1.jpg></picture>"
      "<a href=/big.jpg><img src=/thumb.jpg></a><img src=/spacer.gif><img src=/count.php width=1 height=1>"
      "<figure><img src=/f.jpg><figcaption>A view</figcaption></figure><div style=\"background-image:url('/bg.png')\"></div>"
      "<img src=/f.jpg alt=again>");
  std::string urls;
  for (const ImageRef& image : page.images) urls += image.url.substr(16) + " ";
  EXPECT_EQ(urls, "/l.jpg /photo.jpg /p2.webp /big.jpg /f.jpg /bg.png ");
  EXPECT_EQ(page.images[0].alt, "Red lamp");
  EXPECT_EQ(page.images[0].caption, "Lamps");
  EXPECT_EQ(page.images[0].alternatives, (std::vector<std::string>{"http://shop.test/s.jpg", "http://shop.test/m.jpg"}));
  EXPECT_EQ(page.images[4].caption, "A view");
  EXPECT_EQ(page.images[4].alt, "again");
}

TEST(Images, PlaceholdersAreToldByName) {
  EXPECT_TRUE(is_placeholder_url("http://a.test/img/placeholder.png"));
  EXPECT_TRUE(is_placeholder_url("http://a.test/product-placeholder_300.png?x=1"));
  EXPECT_TRUE(is_placeholder_url("http://a.test/1x1.gif"));
  EXPECT_FALSE(is_placeholder_url("http://a.test/metropixel.jpg"));
  EXPECT_FALSE(is_placeholder_url("http://a.test/blanket.jpg"));
  for (const char* const spacer : {"blank.gif", "transparent.png", "pixel.gif", "loading.svg", "s.gif", "lazy.gif", "no_image.jpg"})
    EXPECT_TRUE(is_placeholder_url(std::string("http://a.test/i/") + spacer)) << spacer;
  for (const char* const honest : {"lazy.png", "lazy.jpg", "too-lazy.webp", "pixel-7.jpg", "empty-frame.png", "transparent_vase.jpg",
                                   "dummy.jpg", "grey.png", "loading-dock.png"})
    EXPECT_FALSE(is_placeholder_url(std::string("http://a.test/i/") + honest)) << honest;
}

TEST(Page, ReadsHeadLinksAndRobots) {
  auto page = extract_page(
      "<html lang=EN-gb><title> A \n title </title><base href=/b/><link rel=canonical href=c><meta name=description content=' D '>"
      "<meta name=robots content='NOINDEX, follow'><a href='x?q=1#f' rel='NoFollow  ugc'>Go <b>on</b></a><a href='mailto:a@b'>m</a><area "
      "href=y alt=Y>",
      {.url = "http://a.test/p", .content_type = "text/html; charset=utf-8", .x_robots_tag = "otherbot: noai, magpie: noimageindex"});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->title, "A title");
  EXPECT_EQ(page->canonical, "http://a.test/b/c");
  EXPECT_EQ(page->description, "D");
  EXPECT_EQ(page->language, "en-GB");
  ASSERT_EQ(page->links.size(), 3u);
  EXPECT_EQ(page->links[1].url, "http://a.test/b/x?q=1#f");
  EXPECT_EQ(page->links[1].text, "Go on");
  EXPECT_EQ(page->links[1].rel, "nofollow ugc");
  EXPECT_EQ(page->links[2].text, "Y");
  EXPECT_TRUE(page->robots.noindex && page->robots.noimageindex);
  EXPECT_FALSE(page->robots.nofollow || page->robots.noai);
}

TEST(ExtractPage, ARobotsNameHoldsToTheEndOfItsHeader) {
  const auto page = extract_page(
      "<p>x", {.url = "http://a.test/p", .content_type = "text/html", .x_robots_tag = "googlebot: nofollow\nnoindex", .agent = "magpie"});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->robots.noindex);
  EXPECT_FALSE(page->robots.nofollow);
}

TEST(Page, RefusesARelativeAddressAndAnOversizedPage) {
  EXPECT_EQ(extract_page("<p>", {.url = "p"}).error().code, Code::kBadInput);
  ExtractLimits limits;
  limits.html_bytes_max = 2;
  EXPECT_EQ(extract_page("<p>", {.url = "http://a.test"}, limits).error().code, Code::kTooLarge);
}

TEST(Products, JsonLdWithGraphVariantsAndReferences) {
  const Page page = extracted(
      R"(<script type=application/ld+json>{"@graph":[{"@type":"BreadcrumbList","itemListElement":[{"name":"Home"},{"item":{"name":"Chairs"}}]},
    {"@type":["Product","Thing"],"name":"Oak &amp; ash chair","brand":{"name":"Wood"},"image":[{"url":"/1.jpg"},"/2.jpg"],"offers":{"@id":"#o"},
     "isRelatedTo":{"@type":"Product","name":"Other","offers":{"price":1}}},
    {"@id":"#o","@type":"Offer","price":"1.299,95","priceCurrency":"eur","availability":"http://schema.org/InStock"}]}</script>)");
  ASSERT_EQ(page.products.size(), 2u);
  const Product& own = page.products.front();
  EXPECT_EQ(own.name, "Oak & ash chair");
  EXPECT_EQ(own.brand, "Wood");
  EXPECT_EQ(own.offer.price, "1299.95");
  EXPECT_EQ(own.offer.currency, "EUR");
  EXPECT_EQ(own.offer.availability, "InStock");
  EXPECT_EQ(own.category, "Chairs");
  EXPECT_EQ(own.images, (std::vector<std::string>{"http://shop.test/1.jpg", "http://shop.test/2.jpg"}));
  EXPECT_EQ(page.products[1].name, "Other");
  ASSERT_EQ(page.images.size(), 2u);
  EXPECT_TRUE(page.images[0].of_product);
}

TEST(Products, AggregateOffersGroupsAndListPrices) {
  const Page page = extracted(R"(<script type=application/ld+json>{"@type":"ProductGroup","name":"Shirt","hasVariant":[
    {"@type":"Product","name":"Shirt S","offers":{"@type":"Offer","availability":"OutOfStock","priceSpecification":[
      {"price":30,"priceCurrency":"USD","priceType":"https://schema.org/ListPrice"},{"price":20,"priceCurrency":"USD"}]}}]}</script>)");
  ASSERT_FALSE(page.products.empty());
  EXPECT_EQ(page.products.front().offer.price, "20");
  EXPECT_EQ(page.products.front().offer.old_price, "30");
  EXPECT_EQ(page.products.front().offer.availability, "OutOfStock");
  const Page aggregate = extracted(
      R"(<script type=application/ld+json>{"@type":"Product","name":"A","offers":{"@type":"AggregateOffer","lowPrice":5,"highPrice":9,"priceCurrency":"GBP"}}</script>)");
  EXPECT_EQ(aggregate.products.front().offer.price, "5");
}

TEST(Products, MicrodataAndOpenGraphCompleteEachOther) {
  const Page page = extracted(
      "<meta property=og:type content=product><meta property=og:image content=/og.jpg><meta property=product:brand content=Acme>"
      "<div itemscope itemtype=http://schema.org/Product><h1 itemprop=name>Anvil</h1><div itemprop=offers itemscope "
      "itemtype=http://schema.org/Offer>"
      "<span itemprop=price content=12.5>12,50 €</span><meta itemprop=priceCurrency content=EUR><link itemprop=availability "
      "href=http://schema.org/SoldOut></div></div>");
  ASSERT_EQ(page.products.size(), 1u);
  EXPECT_EQ(page.products[0].name, "Anvil");
  EXPECT_EQ(page.products[0].brand, "Acme");
  EXPECT_EQ(page.products[0].offer.price, "12.5");
  EXPECT_EQ(page.products[0].offer.availability, "OutOfStock");
  EXPECT_EQ(page.products[0].images, (std::vector<std::string>{"http://shop.test/og.jpg"}));
}

TEST(Products, AVisibleProductNeedsHeadingPictureAndOnePrice) {
  const Page shown = extracted(
      "<header><img src=/logo.png></header><h1>Red fish</h1><img src=/fish.jpg><p class=price>1.299,95 €</p><button>Buy</button>");
  ASSERT_EQ(shown.products.size(), 1u);
  EXPECT_EQ(shown.products[0].name, "Red fish");
  EXPECT_EQ(shown.products[0].offer.price, "1299.95");
  EXPECT_EQ(shown.products[0].offer.currency, "EUR");
  EXPECT_EQ(shown.products[0].images, (std::vector<std::string>{"http://shop.test/fish.jpg"}));
  EXPECT_TRUE(
      extracted("<h1>Fish</h1><ul><li><a href=/1><img src=/1.jpg></a><b>$1</b><li><img src=/2.jpg><b>$2</b></ul>").products.empty());
  EXPECT_TRUE(extracted("<h1>About</h1><img src=/1.jpg><p>Since 1999 we have served 20 towns.</p>").products.empty());
}

TEST(Products, WordsOfAvailability) {
  EXPECT_EQ(normalised_availability("https://schema.org/PreOrder"), "InStock");
  EXPECT_EQ(normalised_availability("out of stock"), "OutOfStock");
  EXPECT_EQ(normalised_availability("In Stock"), "InStock");
  EXPECT_EQ(normalised_availability("perhaps"), "");
  EXPECT_EQ(currency_of_host("shop.com.au"), "AUD");
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kSecondsMax = 80;
#else
constexpr double kSecondsMax = 8;
#endif

TEST(Links, AreFollowedIntoFramesAndBehindRefreshes) {
  const auto links = [](std::string_view html) {
    std::string urls;
    for (const Link& link : extracted(html).links) urls += link.url + " ";
    return urls;
  };
  EXPECT_EQ(links("<iframe src='/frame'></iframe><iframe></iframe>"), "http://shop.test/frame ");
  for (const char* content : {"0; url=/next", "5;URL=/next", "0;url=\"/next\" x", "0, /next", " 3 ; Url = /next"})
    EXPECT_EQ(links("<meta http-equiv=Refresh content='" + std::string(content) + "'>").substr(0, 22), "http://shop.test/next ") << content;
  EXPECT_EQ(links("<meta http-equiv=refresh content=30><meta http-equiv=refresh content='0;url=javascript:x()'>"), "");
}

TEST(HostilePages, CostSecondsAtMost) {
  std::string attributes = "<p ", links, images, metas, items = "<div itemscope itemref='";
  for (int i = 0; i < 200'000; ++i) attributes += "a" + std::to_string(i) + "=1 ";
  for (int i = 0; i < 100'000; ++i) links += "<a href=/" + std::to_string(i) + ">l" + std::to_string(i) + "</a>";
  for (int i = 0; i < 100'000; ++i) images += "<img src=/" + std::to_string(i) + ".jpg srcset='/a 1x,/b 2x'>";
  for (int i = 0; i < 100'000; ++i) metas += "<meta property=og:image content=/" + std::to_string(i) + ".jpg>";
  for (int i = 0; i < 3'000; ++i) items += "i" + std::to_string(i) + " ";
  items += "'></div>";
  for (int i = 0; i < 3'000; ++i) items += "<div id=i" + std::to_string(i) + "><b itemprop=x itemscope itemref='i0 i1 i2 i3'>t</b></div>";
  const std::string products = "<script type=application/ld+json>[" +
                               repeated(R"({"@type":"Product","name":"A long enough name","offers":{"price":1}},)", 50'000) + "]</script>";
  for (const std::string& html :
       {repeated("<div>", 300'000), attributes + ">", links, images, metas, items, products,
        repeated("<div itemscope itemprop=a>x", 100'000), repeated("<div typeof=Product property='a b'>x", 100'000),
        "<h1>x</h1>" + repeated("<a class=brand href=/x>x</a> SKU: ", 100'000), "<h1>x</h1>" + repeated("<p>sold out $1", 100'000),
        "<title>" + repeated("x ", 100'000) + "</title>" + repeated("<p>x x x x", 100'000), repeated("<a href=x><table><td>", 50'000),
        repeated("<h1>", 100'000) + "x", repeated("<script type=application/ld+json>{", 50'000),
        "<script type=application/ld+json>" + repeated("{\"a\":", 500'000), repeated("<p class=price>$1</p>", 100'000),
        "<h1>x</h1>" + repeated("<span class=price>", 100'000) + "$1", repeated("\xE4\xB8", 500'000)}) {
    const std::clock_t begin = std::clock();  // processor time: a busy machine is not the page's fault
    EXPECT_TRUE(extract_page_markup(html, {.url = "http://a.test/"}));
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, kSecondsMax) << html.substr(0, 60);
    if (seconds > 1) std::cout << seconds << " s: " << html.substr(0, 60) << "\n";
  }
}

}  // namespace
}  // namespace magpie
