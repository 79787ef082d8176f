#include "crawl/tdm_rules.h"

#include <gtest/gtest.h>

namespace magpie::crawl {
namespace {

bool reserved(const TdmRules& rules, std::string_view path) { return rules.reserve(*Url::parse("https://a.test" + std::string(path))); }

TEST(TdmRules, TheLongestLocationDecides) {
  const TdmRules rules = TdmRules::parse(R"([
    {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://a.test/policy.json"},
    {"location": "/free/", "tdm-reservation": 0},
    {"location": "/free/pictures/*.jpg$", "tdm-reservation": 1}])");
  EXPECT_EQ(rules.rule_count(), 3u);
  EXPECT_TRUE(reserved(rules, "/"));
  EXPECT_TRUE(reserved(rules, "/page?x"));
  EXPECT_FALSE(reserved(rules, "/free/page"));
  EXPECT_TRUE(reserved(rules, "/free/pictures/a.jpg"));
  EXPECT_FALSE(reserved(rules, "/free/pictures/a.jpg?small"));
}

TEST(TdmRules, WhatNoRuleMatchesIsFree) {
  const TdmRules rules = TdmRules::parse(R"([{"location": "/private/", "tdm-reservation": 1}])");
  EXPECT_FALSE(reserved(rules, "/"));
  EXPECT_TRUE(reserved(rules, "/private/a"));
  EXPECT_FALSE(reserved(TdmRules(), "/private/a"));
}

TEST(TdmRules, FormsOfTheReservation) {
  EXPECT_TRUE(reserved(TdmRules::parse(R"([{"location": "*", "tdm-reservation": "1"}])"), "/a"));
  EXPECT_TRUE(reserved(TdmRules::parse(R"([{"location": "/*", "tdm-reservation": true}])"), "/a"));
  EXPECT_FALSE(reserved(TdmRules::parse(R"([{"location": "/", "tdm-reservation": 2}])"), "/a"));
  EXPECT_FALSE(reserved(TdmRules::parse(R"([{"location": "/", "tdm-reservation": null}])"), "/a"));
  EXPECT_FALSE(reserved(TdmRules::parse(R"([{"location": "/"}])"), "/a"));
}

TEST(TdmRules, AByteOrderMarkIsNoHindrance) {
  const TdmRules rules = TdmRules::parse("\xEF\xBB\xBF[{\"location\": \"/\", \"tdm-reservation\": 1}]");
  EXPECT_TRUE(rules.readable());
  EXPECT_TRUE(reserved(rules, "/a"));
  EXPECT_FALSE(TdmRules::parse("<html></html>").readable());
}

TEST(TdmRules, WhatCannotBeReadReservesNothingAndSpoilsNothing) {
  for (const char* bad : {"", "{}", "[", "null", "<html></html>", "[1, \"a\", [], null]", R"({"location": "/", "tdm-reservation": 1})"}) {
    EXPECT_EQ(TdmRules::parse(bad).rule_count(), 0u) << bad;
  }
  const TdmRules rules = TdmRules::parse(
      R"([{"location": "/a\nDisallow: /b", "tdm-reservation": 1}, {"location": 5, "tdm-reservation": 1}, {"location": "", "tdm-reservation": 1},
          {"location": "/c#d", "tdm-reservation": 1}, {"location": "e", "tdm-reservation": 1}, {"location": "/good", "tdm-reservation": 1}])");
  EXPECT_EQ(rules.rule_count(), 1u);
  EXPECT_FALSE(reserved(rules, "/b"));
  EXPECT_TRUE(reserved(rules, "/good"));
}

TEST(TdmRules, RulesAreBounded) {
  std::string many = "[";
  for (int i = 0; i < 20'000; ++i) many += R"({"location":"/","tdm-reservation":1},)";
  many.back() = ']';
  EXPECT_EQ(TdmRules::parse(many).rule_count(), many.size() > kTdmBytesMax ? 0u : TdmRules::kRulesMax);
  std::string fewer = "[";
  for (int i = 0; i < 12'000; ++i) fewer += R"({"location":"/","tdm-reservation":1},)";
  fewer.back() = ']';
  ASSERT_LT(fewer.size(), kTdmBytesMax);
  EXPECT_EQ(TdmRules::parse(fewer).rule_count(), TdmRules::kRulesMax);
}

}  // namespace
}  // namespace magpie::crawl
