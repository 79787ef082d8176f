#include "pipeline/page_difference.h"

#include <gtest/gtest.h>

#include "pipeline/page_images.h"

namespace magpie::pipeline {
namespace {

Page boots() {
  Page page;
  page.url = "http://a.test/boots";
  page.title = "Boots";
  page.language = "en";
  page.keywords = {"boot", "leather"};
  page.images = {{.url = "http://a.test/1.jpg", .alt = "A boot"}, {.url = "http://a.test/2.jpg"}};
  page.products = {{.name = "Boot", .offer = {.price = "129.95", .currency = "EUR"}}};
  return page;
}

PageDetails stored(const Page& page) {
  PageDetails details;
  details.page = page;
  for (const ImageRef& ref : std::exchange(details.page.images, {})) details.refs.push_back({.ref = ref});
  for (const Product& product : std::exchange(details.page.products, {})) details.products.push_back({.product = product});
  return details;
}

std::string words(const std::vector<FieldChange>& changes) {
  std::string out;
  for (const FieldChange& change : changes) out += fmt::format("{}: {} > {}\n", change.field, change.before, change.after);
  return out;
}

TEST(PageDifference, NothingWhereNothingDiffers) {
  Page page = boots();
  const PageDetails before = stored(page);
  page.links = {{.url = "http://a.test/elsewhere"}};  // not kept
  EXPECT_EQ(words(page_differences(before, page)), "");
}

TEST(PageDifference, NamesEachFieldWithWhatItSaid) {
  Page page = boots();
  page.title = "Boots, on sale";
  page.keywords.emplace_back("sale");
  page.robots.noindex = true;
  page.images[0].alt = "A brown boot";
  page.products[0].offer.price = "99.95";
  EXPECT_EQ(words(page_differences(stored(boots()), page)),
            "title: Boots > Boots, on sale\n"
            "keywords: boot, leather > boot, leather, sale\n"
            "robots:  > noindex\n"
            "products: Boot 129.95 EUR > Boot 99.95 EUR\n"
            "captions: http://a.test/1.jpg: A boot |  > http://a.test/1.jpg: A brown boot | \n");
}

TEST(PageDifference, OfListsOnlyWhatDiffersAndTheWholeOfAnotherOrder) {
  Page page = boots();
  page.images[1].url = "http://a.test/3.jpg";
  EXPECT_EQ(words(page_differences(stored(boots()), page)), "images: http://a.test/2.jpg > http://a.test/3.jpg\n");
  page = boots();
  std::swap(page.images[0], page.images[1]);
  EXPECT_EQ(words(page_differences(stored(boots()), page)),
            "images: http://a.test/1.jpg; http://a.test/2.jpg > http://a.test/2.jpg; http://a.test/1.jpg\n");
}

TEST(PageImages, InAReplayWhatTheArchiveHoldsGoesFirst) {
  Page page;
  page.images = {{.url = "http://a.test/large.jpg?utm_source=x", .alternatives = {"http://a.test/mid.jpg", "http://a.test/small.jpg"}},
                 {.url = "http://a.test/gone.jpg", .alternatives = {"http://a.test/lost.jpg"}}};
  const crawl::CrawlRules replay(1, {}, [](std::string_view url) { return url == "http://a.test/small.jpg"; });
  name_images(page, replay);
  EXPECT_EQ(page.images[0].url, "http://a.test/small.jpg");
  EXPECT_EQ(page.images[0].alternatives, (std::vector<std::string>{"http://a.test/large.jpg", "http://a.test/mid.jpg"}));
  EXPECT_EQ(page.images[1].url, "http://a.test/gone.jpg") << "none is held: as they stand";
}

}  // namespace
}  // namespace magpie::pipeline
