#include "crawl/robots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crawl/shared_cases_for_test.h"

namespace magpie::crawl {
namespace {

using ::testing::ElementsAre;

bool allows(std::string_view robots, std::string_view path, std::string_view agent = "magpie") {
  return RobotsRules::parse(robots, agent).judge_path(path).allowed;
}

TEST(RobotsRules, LongestMatchWins) {
  constexpr std::string_view kRobots = "User-agent: *\nDisallow: /img\nAllow: /img/free\n";
  EXPECT_TRUE(allows(kRobots, "/img/free/cat.jpg"));
  EXPECT_FALSE(allows(kRobots, "/img/cat.jpg"));
  EXPECT_TRUE(allows(kRobots, "/"));
}

TEST(RobotsRules, AllowWinsAmongEqualLengths) { EXPECT_TRUE(allows("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a")); }

TEST(RobotsRules, OwnGroupReplacesTheStarGroup) {
  constexpr std::string_view kRobots = "User-agent: *\nDisallow: /\n\nUser-agent: Magpie\nDisallow: /private\n";
  EXPECT_TRUE(allows(kRobots, "/shop"));
  EXPECT_FALSE(allows(kRobots, "/private/x"));
  EXPECT_FALSE(allows(kRobots, "/shop", "other"));
}

TEST(RobotsRules, GroupsOfOneAgentAreJoined) {
  constexpr std::string_view kRobots =
      "User-agent: magpie\nDisallow: /a\n\nUser-agent: x\nDisallow: /b\n\nUser-agent: MAGPIE\nDisallow: /c\n";
  EXPECT_FALSE(allows(kRobots, "/a"));
  EXPECT_TRUE(allows(kRobots, "/b"));
  EXPECT_FALSE(allows(kRobots, "/c"));
}

TEST(RobotsRules, OtherLinesDoNotEndTheListOfAgents) {
  constexpr std::string_view kRobots = "User-agent: magpie\nSitemap: http://a.test/s.xml\nCrawl-delay: 3\nUser-agent: x\nDisallow: /\n";
  EXPECT_FALSE(allows(kRobots, "/"));
  EXPECT_FALSE(allows(kRobots, "/", "x"));
  EXPECT_EQ(RobotsRules::parse(kRobots, "magpie").crawl_delay(), 3.0);
}

TEST(RobotsRules, AgentIsTheProductTokenWithoutVersionOrCase) {
  EXPECT_FALSE(allows("User-agent: MAGPIE/2.0\nDisallow: /\n", "/", "magpie/0.1 (+http://a.test)"));
  EXPECT_TRUE(allows("User-agent: magpi\nDisallow: /\n", "/"));
  EXPECT_TRUE(allows("User-agent: magpies\nDisallow: /\n", "/"));
}

TEST(RobotsRules, WildcardsAndAnchors) {
  constexpr std::string_view kRobots = "User-agent: *\nDisallow: /*.php$\nDisallow: /a*b*c\nDisallow: /end$\n";
  EXPECT_FALSE(allows(kRobots, "/x/y.php"));
  EXPECT_TRUE(allows(kRobots, "/x/y.php?q=1"));
  EXPECT_FALSE(allows(kRobots, "/a1b2c3"));
  EXPECT_TRUE(allows(kRobots, "/a1c2b3"));
  EXPECT_FALSE(allows(kRobots, "/end"));
  EXPECT_TRUE(allows(kRobots, "/end/"));
}

TEST(RobotsRules, PercentEncodingIsComparedNormalised) {
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /foo/\xE3\x83\x84\n", "/foo/%E3%83%84"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /foo/%e3%83%84\n", "/foo/%E3%83%84"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /%62%61z\n", "/baz"));
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /a%2Fb\n", "/a/b"));
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /a%2Ab\n", "/axb"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /a%2Ab\n", "/a*b"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /a%24\n", "/a$b"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /a%\n", "/a%"));
}

TEST(RobotsRules, AByteOrderMarkAndOldLineEndsAreRead) {
  EXPECT_FALSE(allows("\xEF\xBB\xBFUser-agent: *\rDisallow: /a\r\nDisallow: /b", "/a"));
  EXPECT_FALSE(allows("\xEF\xBB\xBFUser-agent: *\rDisallow: /a\r\nDisallow: /b", "/b"));
}

TEST(RobotsRules, RobotsTxtItselfIsAlwaysAllowed) { EXPECT_TRUE(allows("User-agent: *\nDisallow: /\n", "/robots.txt")); }

TEST(RobotsRules, WhatStandsBehindTheLimitIsIgnored) {
  std::string robots = "User-agent: *\nDisallow: /a\n" + std::string(kRobotsBytesMax, '#') + "\nDisallow: /b\n";
  EXPECT_FALSE(allows(robots, "/a"));
  EXPECT_TRUE(allows(robots, "/b"));
}

TEST(RobotsRules, CrawlDelayIsTheGroupsOwnAndMustBeANumber) {
  constexpr std::string_view kRobots = "User-agent: *\nCrawl-delay: 2.5\nDisallow:\n\nUser-agent: x\nCrawl-delay: soon\nDisallow:\n";
  EXPECT_EQ(RobotsRules::parse(kRobots, "magpie").crawl_delay(), 2.5);
  EXPECT_EQ(RobotsRules::parse(kRobots, "x").crawl_delay(), std::nullopt);
  EXPECT_EQ(RobotsRules::parse("User-agent: *\nCrawl-delay: -1\n", "x").crawl_delay(), std::nullopt);
  EXPECT_EQ(RobotsRules::parse("User-agent: *\nCrawl-delay: inf\n", "x").crawl_delay(), std::nullopt);
}

TEST(RobotsRules, SitemapsOfTheWholeFileAreKept) {
  const auto rules = RobotsRules::parse("Sitemap: http://a.test/1.xml\nUser-agent: x\nDisallow: /\nsitemap: /2.xml # two\n", "magpie");
  EXPECT_THAT(rules.sitemaps(), ElementsAre("http://a.test/1.xml", "/2.xml"));
}

TEST(RobotsRules, TheVerdictNamesItsLine) {
  const auto rules = RobotsRules::parse("User-agent: *\n\nDisallow: /cart*\n", "magpie");
  const RobotsVerdict verdict = rules.judge_path("/cart/1");
  EXPECT_EQ(verdict.line, 3u);
  EXPECT_EQ(verdict.rule, "/cart*");
}

TEST(RobotsRules, AHostilePatternCostsNoMoreThanItsLengthTimesThePath) {
  std::string pattern = "/";
  for (int i = 0; i < 20'000; ++i) pattern += "*a";
  EXPECT_TRUE(allows("User-agent: *\nDisallow: " + pattern + "b\n", "/" + std::string(10'000, 'a')));
}

TEST(RobotsRules, SharedCases) {
  std::size_t checked = 0;
  const bool found = cases::for_each_case("robots", [&](const simdjson::dom::element& root) {
    const auto input = root["input"].value();
    const auto expect = root["expect"].value();
    const auto rules = RobotsRules::parse(cases::text_of(input, "robots"), cases::text_of(input, "agent"));
    const auto url = Url::parse(cases::text_of(input, "url"));
    ASSERT_TRUE(url) << url.error().message;
    SCOPED_TRACE(cases::text_of(root, "id"));
    ++checked;
    if (bool allowed; expect["allowed"].get(allowed) == simdjson::SUCCESS) {
      EXPECT_EQ(rules.allows(*url), allowed) << cases::text_of(input, "agent") << ' ' << url->href() << '\n'
                                             << cases::text_of(input, "robots");
    }
    if (simdjson::dom::element delay; expect["crawl_delay"].get(delay) == simdjson::SUCCESS) {
      EXPECT_EQ(rules.crawl_delay(), delay.is_null() ? std::nullopt : std::optional(delay.get_double().value()));
    }
    if (simdjson::dom::array sitemaps; expect["sitemaps"].get(sitemaps) == simdjson::SUCCESS) {
      std::vector<std::string> wanted;
      for (const auto sitemap : sitemaps) wanted.emplace_back(sitemap.get_string().value());
      EXPECT_EQ(rules.sitemaps(), wanted);
    }
  });
  if (!found) GTEST_SKIP() << "the shared cases are not here; set MAGPIE_SHARED to their folder";
  EXPECT_GE(checked, 468u);
}

}  // namespace
}  // namespace magpie::crawl
