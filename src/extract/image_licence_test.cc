// What pages say of the licences of their pictures, and what they do not say.
#include "extract/image_licence.h"

#include <gtest/gtest.h>

#include "extract/extract_page.h"

namespace magpie {
namespace {

constexpr const char* kBy = "https://creativecommons.org/licenses/by/4.0/";

/// The licence of the picture of that file name on the page.
ImageLicence licence_on(const std::string& html, const std::string& file) {
  const auto page = extract_page(html, {.url = "https://photos.test/works/1"});
  EXPECT_TRUE(page);
  for (const ImageRef& image : page->images) {
    if (image.url.ends_with("/" + file)) return image.licence;
  }
  ADD_FAILURE() << "no picture " << file;
  return {};
}

std::string terms_on(const std::string& html, const std::string& file = "a.jpg") { return licence_on(html, file).terms; }

std::string json_ld(const std::string& json) { return R"(<img src="/a.jpg"><script type="application/ld+json">)" + json + "</script>"; }

TEST(ImageLicence, OfAnImageObjectIsItsPictures) {
  const ImageLicence licence = licence_on(json_ld(R"({"@context": "https://schema.org/", "@type": "ImageObject",
      "contentUrl": "https://photos.test/a.jpg", "license": "https://photos.test/licence", "acquireLicensePage": "/buy#a",
      "creditText": "Ada <b>Labs</b>", "creator": {"@type": "Person", "name": "Ada"}})"),
                                          "a.jpg");
  EXPECT_EQ(licence, (ImageLicence{"https://photos.test/licence", "Ada Labs", "https://photos.test/buy#a"}));
}

TEST(ImageLicence, IsReadHoweverMarkupWritesIt) {
  EXPECT_EQ(terms_on(json_ld(R"([{"@type": ["ImageObject"], "url": "/a.jpg", "license": {"@type": "CreativeWork", "url": "/terms"}}])")),
            "https://photos.test/terms");
  EXPECT_EQ(terms_on(json_ld(R"({"@type": "Photograph", "image": ["/a.jpg"], "license": [")" + std::string(kBy) + R"("]})")), kBy);
  EXPECT_EQ(terms_on(json_ld(R"({"@graph": [{"@type": "WebPage", "primaryImageOfPage": {"@type": "ImageObject", "contentUrl": "/a.jpg",
      "license": "CC BY"}}]})")),
            "CC BY");
  EXPECT_EQ(licence_on(json_ld(R"({"@type": "ImageObject", "contentUrl": "/a.jpg", "license": "CC0", "copyrightHolder": {"name": "Eve"}})"),
                       "a.jpg")
                .credit,
            "Eve");
  EXPECT_EQ(terms_on(R"(<div itemscope itemtype="https://schema.org/ImageObject"><img itemprop="contentUrl" src="/a.jpg">
      <a itemprop="license" href="https://creativecommons.org/licenses/by/4.0/">terms</a></div>)"),
            kBy);
}

TEST(ImageLicence, OfAnotherPictureIsNotTaken) {
  const std::string html = json_ld(R"({"@type": "ImageObject", "contentUrl": "/b.jpg", "license": "CC BY"})") + R"(<img src="/b.jpg">)";
  EXPECT_EQ(terms_on(html, "a.jpg"), "");
  EXPECT_EQ(terms_on(html, "b.jpg"), "CC BY");
  EXPECT_EQ(terms_on(json_ld(R"({"@type": "Article", "image": "/a.jpg", "license": "CC BY"})")), "") << "the text's";
}

TEST(ImageLicence, OfALinkIsThePicturesThatItStandsBeside) {
  const std::string link = R"(<a rel="license nofollow" href="/terms"><img src="/badge.png">Some rights</a>)";
  const std::string plain = R"(<p>By Ada, <a href="http://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA</a></p>)";
  const std::string two =
      "<figure><img src=/a.jpg><figcaption>" + link + "</figcaption></figure><figure><img src=/b.jpg>" + plain + "</figure>";
  EXPECT_EQ(terms_on(two, "a.jpg"), "https://photos.test/terms");
  EXPECT_EQ(terms_on(two, "b.jpg"), "http://creativecommons.org/licenses/by-sa/3.0/");
  EXPECT_EQ(terms_on(two, "badge.png"), "");
  EXPECT_EQ(terms_on("<main><h1>A</h1><div><img src=/a.jpg></div>" + plain + "</main><aside><img src=/b.jpg></aside>", "a.jpg"),
            "http://creativecommons.org/licenses/by-sa/3.0/");
  EXPECT_EQ(terms_on("<link rel=license href=/terms><img src=/a.jpg>"), "https://photos.test/terms") << "the only picture of the page";
}

TEST(ImageLicence, OfALinkThatMaySpeakOfSomethingElseIsNone) {
  const std::string link = R"(<a rel=license href="https://creativecommons.org/licenses/by/4.0/">CC BY</a>)";
  const std::string several = "<main><img src=/a.jpg><img src=/b.jpg>" + link + "</main>";
  EXPECT_EQ(terms_on(several, "a.jpg"), "");
  EXPECT_EQ(terms_on(several, "b.jpg"), "");
  EXPECT_EQ(terms_on("<img src=/a.jpg><footer><p>Text: " + link + "</footer>"), "");
  EXPECT_EQ(terms_on("<link rel=license href=/terms><img src=/a.jpg><img src=/b.jpg>"), "");
  EXPECT_EQ(terms_on("<img src=/a.jpg><a href=https://creativecommons.org/about/>about</a>"), "");
}

TEST(ImageLicence, HasLimits) {
  EXPECT_EQ(terms_on(json_ld(R"({"@type": "ImageObject", "contentUrl": "/a.jpg", "license": ")" + std::string(kLicenceBytesMax + 1, 'x') +
                             R"("})")),
            "");
  EXPECT_EQ(terms_on("<img src=/a.jpg><a rel=license href=/" + std::string(kLicenceBytesMax, 'x') + ">t</a>"), "");
  EXPECT_LE(licence_on(json_ld(R"({"@type": "ImageObject", "contentUrl": "/a.jpg", "license": "CC0", "creditText": ")" +
                               std::string(5'000, 'x') + R"(", "acquireLicensePage": "/)" + std::string(5'000, 'y') + R"("})"),
                       "a.jpg")
                .credit.size(),
            256U);
  std::string many = "<img src=/a.jpg>";
  for (std::size_t i = 0; i < 2 * kLicenceLinksMax; ++i) many += "<a rel=license href=/t" + std::to_string(i) + ">t</a>";
  EXPECT_EQ(terms_on(many), "https://photos.test/t0") << "the first stays";
  EXPECT_EQ(terms_on("<a rel=license href='javascript:alert(1)'>t</a><img src=/a.jpg>"), "");
}

}  // namespace
}  // namespace magpie
