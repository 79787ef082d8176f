#include "pipeline/site_selectors.h"

#include <gtest/gtest.h>

namespace magpie::pipeline {
namespace {

const std::string kHost = "shop.test";

SelectorTrial trial(std::string field, std::string path, bool agrees) {
  return {{.field = std::move(field), .path = std::move(path), .words = {}, .value = {}}, agrees};
}

SiteSelectors empty() {
  return SiteSelectors([](const std::string&) { return std::vector<LearntSelector>(); });
}

TEST(SiteSelectors, ThreePagesThatAgreeAreBelieved) {
  SiteSelectors sites = empty();
  const std::vector<SelectorTrial> page = {trial("name", "h1", true), trial("price", "b<p.price", true), trial("price", "b<li", false)};
  sites.note(kHost, page);
  sites.note(kHost, page);
  EXPECT_TRUE(sites.lesson(kHost).trusted.empty());
  EXPECT_EQ(sites.edition(kHost), 0U);
  sites.note(kHost, page);
  EXPECT_EQ(sites.lesson(kHost).trusted.size(), 2U);
  EXPECT_EQ(sites.edition(kHost), 1U);
  sites.note(kHost, page);
  EXPECT_EQ(sites.edition(kHost), 1U) << "the same are trusted";
  EXPECT_TRUE(sites.lesson("other.test").trusted.empty());
}

TEST(SiteSelectors, OneInTenThatDisagreesIsTooMany) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 17; ++i) sites.note(kHost, {trial("price", "b", true)});
  sites.note(kHost, {trial("price", "b", false)});
  EXPECT_EQ(sites.lesson(kHost).trusted.size(), 1U);
  sites.note(kHost, {trial("price", "b", false)});
  EXPECT_TRUE(sites.lesson(kHost).trusted.empty());
}

TEST(SiteSelectors, TheMostAgreedWithComesFirstAndTwoOfAFieldAreEnough) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 5; ++i) {
    sites.note(kHost, {trial("sku", "once", i < 3), trial("sku", "twice", i < 4), trial("sku", "thrice", true)});
  }
  // Those that disagreed once in five are not trusted at all.
  ASSERT_EQ(sites.lesson(kHost).trusted.size(), 1U);
  SiteSelectors clean = empty();
  for (int i = 0; i < 5; ++i) {
    std::vector<SelectorTrial> page = {trial("sku", "a", true)};
    if (i < 4) page.push_back(trial("sku", "b", true));
    if (i < 3) page.push_back(trial("sku", "c", true));
    clean.note(kHost, page);
  }
  const auto trusted = clean.lesson(kHost).trusted;
  ASSERT_EQ(trusted.size(), 2U);
  EXPECT_EQ(trusted[0].path, "a");
  EXPECT_EQ(trusted[1].path, "b");
}

TEST(SiteSelectors, PagesAreAskedOftenAtFirstAndRarelyLater) {
  SiteSelectors sites = empty();
  std::uint32_t asked = 0;
  for (int i = 0; i < 190; ++i) {
    if (!sites.lesson(kHost).learns) continue;
    ++asked;
    sites.note(kHost, {trial("name", "h1", true)});
  }
  EXPECT_EQ(asked, SiteSelectors::kPagesAsked + 10);
}

TEST(SiteSelectors, WhatWasLearntIsHandedOutOnceAndTakenUpAgain) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 3; ++i) sites.note(kHost, {trial("name", "h1", true), trial("price", "b", true)});
  const auto news = sites.take_news();
  ASSERT_EQ(news.size(), 1U);
  EXPECT_TRUE(sites.take_news().empty());
  SiteSelectors next([&](const std::string& host) { return host == news[0].first ? news[0].second : std::vector<LearntSelector>(); });
  EXPECT_GT(next.edition(kHost), 0U);
  EXPECT_EQ(next.lesson(kHost).trusted, sites.lesson(kHost).trusted);
}

TEST(SiteSelectors, AskedPagesTryWhatAgreedOnce) {
  SiteSelectors sites = empty();
  sites.note(kHost, {trial("price", "b", true), trial("price", "i", false)});
  const auto lesson = sites.lesson(kHost);
  ASSERT_EQ(lesson.candidates.size(), 1U);
  EXPECT_EQ(lesson.candidates[0].path, "b");
  EXPECT_TRUE(lesson.trusted.empty());
}

TEST(SiteSelectors, WhatIsLongerThanASelectorIsNotTaken) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 3; ++i) sites.note(kHost, {trial("price", std::string(FieldSelector::kPathBytesMax + 1, 'b'), true)});
  EXPECT_TRUE(sites.lesson(kHost).trusted.empty());
}

TEST(SiteSelectors, AFieldNamedAnewByEveryPageDrivesOutNoOther) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 60; ++i) {
    std::vector<SelectorTrial> page;
    for (int j = 0; j < 40; ++j) page.push_back(trial("price", "b.x" + std::to_string(i * 40 + j), true));
    page.push_back(trial("availability", "p.stock", true));
    sites.note(kHost, page);
  }
  EXPECT_EQ(sites.lesson(kHost).trusted.size(), 1U);
}

TEST(SiteSelectors, AHostThatNamesEveryElementAnewIsBounded) {
  SiteSelectors sites = empty();
  for (int i = 0; i < 2'000; ++i) sites.note(kHost, {trial("name", "h1", true), trial("price", "b.p" + std::to_string(i), true)});
  EXPECT_LE(sites.take_news()[0].second.size(), SiteSelectors::kSelectorsMax);
  EXPECT_EQ(sites.lesson(kHost).trusted.size(), 1U) << "what recurs is kept";
}

}  // namespace
}  // namespace magpie::pipeline
