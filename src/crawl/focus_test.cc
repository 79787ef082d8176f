#include "crawl/focus.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace magpie::crawl {
namespace {

std::vector<Link> links_to(std::initializer_list<std::pair<std::string, std::string>> targets) {
  std::vector<Link> links;
  for (const auto& [url, text] : targets) links.push_back({url, text, ""});
  return links;
}

Turn turn_of(Focus& focus, const std::string& url, const std::string& text = "") {
  return focus.learn("http://elsewhere.test/", {}, links_to({{url, text}})).front();
}

void read_products(Focus& focus, int count) {
  for (int i = 0; i < count; ++i) focus.learn(fmt::format("http://a.test/shop/blue-shirt-{}.html", i), {.products = 1}, {});
}

TEST(Focus, WhatLooksLikeProductsComesSooner) {
  Focus focus;
  EXPECT_EQ(turn_of(focus, "http://a.test/shop/red-shoe-7.html"), Turn::kAsEver) << "nothing is known yet";
  read_products(focus, 5);
  EXPECT_EQ(turn_of(focus, "http://a.test/shop/red-shoe-7.html"), Turn::kSooner);
  EXPECT_EQ(turn_of(focus, "http://a.test/blog/red-shoe-7.html"), Turn::kAsEver) << "another folder";
  EXPECT_EQ(turn_of(focus, "http://b.test/shop/red-shoe-7.html"), Turn::kAsEver) << "another site";
  EXPECT_EQ(turn_of(focus, "http://a.test/shop/red-shoe-7.html?print=1"), Turn::kAsEver) << "another parameter";
}

TEST(Focus, WhatYieldedNothingComesLater) {
  Focus focus;
  for (int i = 0; i < 8; ++i) focus.learn(fmt::format("http://a.test/tags/tag-{}", i), {}, {});
  EXPECT_EQ(turn_of(focus, "http://a.test/tags/tag-99"), Turn::kLater);
  EXPECT_EQ(priority_at(Turn::kLater, 1), kUrlPriorityLast);
  EXPECT_EQ(priority_at(Turn::kAsEver, 2), 2);
  EXPECT_EQ(priority_at(Turn::kSooner, 2), 0);
}

TEST(Focus, GalleriesAreWorthTheirPictures) {
  Focus focus;
  for (int page = 0; page < 8; ++page) {
    std::vector<ImageRef> pictures(9);
    for (int i = 0; i < 9; ++i) pictures[static_cast<std::size_t>(i)].url = fmt::format("http://a.test/{}/{}.jpg", page, i);
    focus.learn(fmt::format("http://a.test/gallery/{}", page), {.pictures = pictures}, {});
  }
  EXPECT_EQ(turn_of(focus, "http://a.test/gallery/77"), Turn::kSooner);
}

TEST(Focus, TheSameIconsOnEveryPageMakeNoGallery) {
  Focus focus;
  std::vector<ImageRef> icons(9);
  for (int i = 0; i < 9; ++i) icons[static_cast<std::size_t>(i)].url = fmt::format("http://a.test/icon{}.png", i);
  for (int page = 0; page < 12; ++page) focus.learn(fmt::format("http://a.test/help/{}", page), {.pictures = icons}, {});
  EXPECT_EQ(turn_of(focus, "http://a.test/help/77"), Turn::kLater);
}

TEST(Focus, ListingsAreWorthWhatTheyLeadTo) {
  Focus focus;
  read_products(focus, 8);
  std::vector<Link> products;
  for (int i = 0; i < 20; ++i) products.push_back({fmt::format("http://a.test/shop/coat-{}.html", i), "", ""});
  for (int i = 0; i < 8; ++i) focus.learn(fmt::format("http://a.test/list/coats?page={}", i), {}, products);
  EXPECT_EQ(turn_of(focus, "http://a.test/list/coats?page=77"), Turn::kSooner);
  // What leads to listings only is none itself, or the whole site would come first.
  std::vector<Link> listings;
  for (int i = 0; i < 20; ++i) listings.push_back({fmt::format("http://a.test/list/hats?page={}", i), "", ""});
  for (int i = 0; i < 8; ++i) focus.learn(fmt::format("http://a.test/help/{}", i), {}, listings);
  EXPECT_EQ(turn_of(focus, "http://a.test/help/77"), Turn::kLater);
}

TEST(Focus, WordsOfLinksAreLearntFromPagesThatWereRead) {
  Focus focus;
  // Addresses that tell nothing: each looks different.
  const auto page = [](int i) { return fmt::format("http://a.test/{}?{}=1", std::string(1 + i % 3, 'x'), std::string(1 + i, 'q')); };
  for (int i = 0; i < 10; ++i) focus.learn(page(i), {.products = i % 2 == 0 ? 1U : 0U}, {});
  std::vector<Link> links;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) links.push_back({page(i), i % 2 == 0 ? "Buy now" : "Our imprint", ""});
  }
  for (int i = 0; i < 4; ++i) focus.learn("http://a.test/start/", {}, links);
  EXPECT_EQ(turn_of(focus, "http://a.test/never?seen=1", "Buy this"), Turn::kSooner);
  EXPECT_EQ(turn_of(focus, "http://a.test/never?seen=1", "Imprint"), Turn::kLater);
  EXPECT_EQ(turn_of(focus, "http://a.test/never?seen=1", "Terms"), Turn::kAsEver);
}

TEST(Focus, ForgetsWhatWasSeenLeast) {
  Focus focus;
  read_products(focus, 100);
  for (std::size_t i = 0; i < Focus::kKnownMax; ++i) focus.learn(fmt::format("http://h{}.test/a/", i), {}, {});
  EXPECT_EQ(turn_of(focus, "http://a.test/shop/red-shoe-7.html"), Turn::kSooner);
}

TEST(Focus, OddAddressesAreHarmless) {
  Focus focus;
  for (const char* url : {"http://a.test", "http://a.test/", "http://a.test/?", "http://a.test/?&&==&", "http://a.test//",
                          "http://a.test/.", "http://[::1]:8080/a/b/", "", "/", "x"}) {
    for (int i = 0; i < 6; ++i) focus.learn(url, {.products = 1}, links_to({{url, " . "}}));
  }
}

TEST(FocusWords, LeadUntilTheSiteHasTaughtBetter) {
  Focus focus("dress,women", "blog,careers");
  const std::vector<Link> links = {{.url = "https://a.test/x/1", .text = "Dress, red"},
                                   {.url = "https://a.test/women/2", .text = "2"},
                                   {.url = "https://a.test/blog/dress", .text = "A dress"},
                                   {.url = "https://a.test/our-careers"},
                                   {.url = "https://a.test/address", .text = "Address"}};
  EXPECT_EQ(focus.learn("https://a.test/", {}, links),
            (std::vector<Turn>{Turn::kSooner, Turn::kSooner, Turn::kLater, Turn::kLater, Turn::kAsEver}));
  for (int i = 0; i < 10; ++i) (void)focus.learn("https://a.test/women/" + std::to_string(i), {}, {});
  EXPECT_EQ(focus.learn("https://a.test/", {}, links)[1], Turn::kLater) << "nothing was there";
}

}  // namespace
}  // namespace magpie::crawl
