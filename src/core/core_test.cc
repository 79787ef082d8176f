#include <gtest/gtest.h>

#include "base/wire.h"
#include "core/forget.h"
#include "core/licence.h"
#include "core/page_wire.h"
#include "core/records.h"
#include "core/refusals.h"

namespace magpie {
namespace {

Page full_page() {
  Page page;
  page.url = "http://a.test/p";
  page.title = "Röd klänning";
  page.keywords = {"klänning", "röd"};
  page.links = {{"http://a.test/q", "next", "next nofollow"}};
  page.images = {{"http://a.test/1.jpg",
                  {"http://a.test/1s.jpg"},
                  ImageOrigin::kSrcset,
                  "a dress",
                  "front",
                  "en",
                  800,
                  600,
                  true,
                  {"https://a.test/terms", "Ada", "http://a.test/buy"}}};
  Product product;
  product.name = "Dress";
  product.offer = {"1299.95", "SEK", "", "InStock"};
  product.images = {"http://a.test/1.jpg"};
  product.evidence = {{"price", FieldOrigin::kVisible, 90, "1399.95"}};
  product.variants = {
      {{{"Size", "S"}, {"Colour", "red"}}, "D-1-S", "4006381333931", {"1199.95", "SEK", "", "OutOfStock"}, "http://a.test/s.jpg"},
      {{{"Size", "M"}, {"Colour", "red"}}, "D-1-M", "", {}, ""}};
  page.products = {product};
  page.robots.noimageindex = true;
  page.verdict = {Cause::kLoginWall, "its heading says 'log in'"};
  page.shape = 77;
  page.selector_trials = {{{"sku", "em<p.z", "SKU: ", ""}, true}, {{"availability", "i", "fort", "OutOfStock"}, false}};
  return page;
}

TEST(Licence, OfCreativeCommonsHasItsShortName) {
  for (const auto& [terms, name] : std::vector<std::pair<std::string, std::string>>{
           {"https://creativecommons.org/licenses/by/4.0/", "CC BY 4.0"},
           {"http://www.creativecommons.org/licenses/by-nc-sa/3.0/de/deed.en", "CC BY-NC-SA 3.0 DE"},
           {"//creativecommons.org/licenses/BY-SA/2.5/scotland/", "CC BY-SA 2.5 SCOTLAND"},
           {"https://creativecommons.org/licenses/by-nd/4.0/deed.de", "CC BY-ND 4.0"},
           {"https://creativecommons.org/licenses/by/4.0/legalcode?x#y", "CC BY 4.0"},
           {"https://creativecommons.org/licenses/by/4.0", "CC BY 4.0"},
           {"https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"},
           {"https://creativecommons.org/publicdomain/mark/1.0/deed.fr", "Public Domain Mark 1.0"},
           {"https://creativecommons.org/licenses/publicdomain/", "Public Domain"}}) {
    EXPECT_EQ(licence_name(terms), name);
    EXPECT_TRUE(is_creative_commons(terms)) << terms;
  }
  for (const std::string other :
       {"", "CC BY", "https://creativecommons.org/", "https://creativecommons.org/licenses/", "https://creativecommons.org/licenses/by/",
        "https://creativecommons.org/licenses/evil/4.0/", "https://creativecommons.org/licenses/by/<b>/",
        "https://creativecommons.org.evil.test/licenses/by/4.0/", "https://evil.test/creativecommons.org/licenses/by/4.0/"}) {
    EXPECT_EQ(licence_name(other), other);
    EXPECT_FALSE(is_creative_commons(other)) << other;
  }
}

TEST(PageWire, ComesBackAsItWas) {
  const std::string bytes = encode_page(full_page());
  const auto back = decode_page(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->images[0].alternatives, full_page().images[0].alternatives);
  EXPECT_EQ(back->products[0].offer.price, "1299.95");
  ASSERT_EQ(back->products[0].evidence.size(), 1u);
  EXPECT_EQ(back->products[0].evidence[0].field, "price");
  EXPECT_EQ(back->products[0].evidence[0].origin, FieldOrigin::kVisible);
  EXPECT_EQ(back->products[0].evidence[0].otherwise, "1399.95");
  ASSERT_EQ(back->products[0].variants.size(), 2u);
  EXPECT_EQ(back->products[0].variants[0].options, full_page().products[0].variants[0].options);
  EXPECT_EQ(back->products[0].variants[0].offer.availability, "OutOfStock");
  EXPECT_EQ(back->products[0].variants[0].image, "http://a.test/s.jpg");
  EXPECT_EQ(back->images[0].language, "en");
  EXPECT_TRUE(back->robots.noimageindex);
  EXPECT_EQ(back->verdict.cause, Cause::kLoginWall);
  EXPECT_EQ(back->verdict.evidence, "its heading says 'log in'");
  EXPECT_EQ(back->shape, 77u);
  ASSERT_EQ(back->selector_trials.size(), 2u);
  EXPECT_EQ(back->selector_trials[0].selector, full_page().selector_trials[0].selector);
  EXPECT_TRUE(back->selector_trials[0].agrees);
  EXPECT_EQ(encode_page(*back), bytes);
}

TEST(PageWire, ACauseThatIsNoPagesIsCorrupt) {
  Page page = full_page();
  for (const Cause cause : {Cause::kDns, Cause::kPlaceholder, static_cast<Cause>(200)}) {
    page.verdict.cause = cause;
    EXPECT_FALSE(decode_page(encode_page(page))) << static_cast<int>(cause);
  }
}

TEST(PageWire, MoreVariantsOrOptionsThanThereMayBeAreCorrupt) {
  Page page = full_page();
  page.products[0].variants.resize(kVariantsMax + 1);
  EXPECT_FALSE(decode_page(encode_page(page)));
  page = full_page();
  page.products[0].variants[1].options.resize(ProductVariant::kOptionsMax + 1);
  EXPECT_FALSE(decode_page(encode_page(page)));
}

TEST(PageWire, AFieldOfNoOriginIsCorrupt) {
  for (const int origin : {0, 9}) {
    Page page = full_page();
    page.products[0].evidence[0].origin = static_cast<FieldOrigin>(origin);
    EXPECT_FALSE(decode_page(encode_page(page))) << origin;
  }
}

TEST(PageWire, EveryCutIsCorrupt) {
  const std::string bytes = encode_page(full_page());
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_page(bytes.substr(0, size))) << size;
  EXPECT_FALSE(decode_page(bytes + "x"));
}

TEST(Wire, NegativeNumbersAndHugeCounts) {
  WireWriter out;
  out.i64(-3);
  out.u64(~0ull);
  WireReader in(out.text());
  EXPECT_EQ(in.i64(), -3);
  EXPECT_EQ(in.count(), 0u);  // more things than bytes left
  EXPECT_FALSE(in.ok());
}

TEST(Cause, NamesComeBack) {
  for (int i = 0; i <= 25; ++i) EXPECT_EQ(cause_from_string(to_string(static_cast<Cause>(i))), static_cast<Cause>(i));
}

TEST(GoneAddresses, AreOverwrittenWhereverATextNamesThem) {
  ForgetPlan plan;
  plan.urls = {"http://shop.test/img/cat.jpg?w=3&h=4", "http://shop.test/cat"};
  const GoneAddresses gone(plan);
  struct Case {
    std::string text, after;
  };
  for (const Case& one : std::vector<Case>{
           {R"(<img src="http://shop.test/img/cat.jpg?w=3&amp;h=4">)", R"(<img src="about:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx">)"},
           {R"({"a":"http:\/\/shop.test\/img\/cat.jpg?w=3&h=4","b":1})", R"({"a":"about:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","b":1})"},
           {"<a href=/cat>cat</a>", "<a href=####>cat</a>"},
           {"<a href='../cat#top'>", "<a href='about:xxxx'>"},
           {"srcset='//shop.test/cat 2x, /cats 1x'", "srcset='about:xxxxxxxxx 2x, /cats 1x'"},
           {"data-x=\"{&quot;u&quot;:&quot;http://shop.test/cat&quot;}\"", "data-x=\"{&quot;u&quot;:&quot;about:xxxxxxxxxxxxxx&quot;}\""},
           {"See http://shop.test/cat, or not.", "See about:xxxxxxxxxxxxxx, or not."},
           {"http://shop.test/cats http://shop.test/cat/ http://other.test/cat",
            "http://shop.test/cats http://shop.test/cat/ http://other.test/cat"},
           {"", ""}}) {
    std::string text = one.text;
    gone.overwrite(text, "http://shop.test/list/1");
    EXPECT_EQ(text, one.after);
    EXPECT_EQ(text.size(), one.text.size());
  }
  ForgetPlan host;
  host.host = "shop.test:81";
  std::string text = "http://shop.test:81/x http://shop.test/x https://shop.test:81/";
  EXPECT_EQ(GoneAddresses(host).overwrite(text, ""), 2u);
  EXPECT_EQ(text, "about:xxxxxxxxxxxxxxx http://shop.test/x about:xxxxxxxxxxxxxxx");
}

TEST(ForgetPlan, ComesBackAsItWasAndDamageIsTold) {
  ForgetPlan plan;
  plan.target = {ForgetKind::kPage, "http://a.test/", true};
  plan.urls = {"http://a.test/", "http://a.test/2"};
  plan.images = {7};
  plan.contents = {sha256("seven")};
  const std::string bytes = encode(plan);
  const ForgetPlan back = *decode_forget_plan(bytes);
  EXPECT_EQ(back.target.name, plan.target.name);
  EXPECT_TRUE(back.target.copies);
  EXPECT_EQ(back.urls, plan.urls);
  EXPECT_EQ(back.contents, plan.contents);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ(decode_forget_plan(bytes.substr(0, cut)).error().code, Code::kCorrupt) << cut;
}

TEST(Refusals, KnowWhatWasForgottenAndNameNothing) {
  Refusals refusals(42);
  EXPECT_FALSE(refusals.refuses("http://a.test/"));
  refusals.add(refusal_mark(42, RefusedKind::kHost, "a.test"));
  refusals.add(refusal_mark(42, RefusedKind::kAddress, "http://b.test/x"));
  EXPECT_TRUE(refusals.refuses("http://a.test/"));
  EXPECT_FALSE(refusals.refuses("http://a.test:81/"));
  EXPECT_TRUE(refusals.refuses("http://b.test/x"));
  EXPECT_FALSE(refusals.has(RefusedKind::kArtist, "a.test"));
  EXPECT_NE(refusal_mark(42, RefusedKind::kHost, "a.test"), refusal_mark(43, RefusedKind::kHost, "a.test"));
}

}  // namespace
}  // namespace magpie
