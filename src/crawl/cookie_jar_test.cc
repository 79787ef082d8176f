#include "crawl/cookie_jar.h"

#include <gtest/gtest.h>

namespace magpie::crawl {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::milliseconds(1'700'000'000'000)};

Url url(std::string_view text) { return *Url::parse(text); }
HttpHeaders sets(std::initializer_list<std::string> lines) {
  HttpHeaders headers;
  for (const std::string& line : lines) headers.push_back({"Set-Cookie", line});
  return headers;
}

TEST(CookieJar, GoesBackToItsHostOnly) {
  CookieJar jar;
  EXPECT_TRUE(jar.take(url("http://a.test/x/y"), sets({"k=v; Path=/; Domain=test; HttpOnly"}), kNow));
  EXPECT_EQ(jar.header_for(url("http://a.test/z"), kNow), "k=v");
  EXPECT_EQ(jar.header_for(url("http://a.test:8080/z"), kNow), "k=v");
  EXPECT_EQ(jar.header_for(url("http://b.test/z"), kNow), "");
  EXPECT_EQ(jar.header_for(url("http://sub.a.test/z"), kNow), "");
}

TEST(CookieJar, PathsAndSecureCount) {
  CookieJar jar;
  jar.take(url("http://a.test/shop/list"), sets({"here=1", "all=2; path=/", "safe=3; Secure; Path=/"}), kNow);
  EXPECT_EQ(jar.header_for(url("http://a.test/shop/item"), kNow), "here=1; all=2");
  EXPECT_EQ(jar.header_for(url("http://a.test/shopping"), kNow), "all=2");
  EXPECT_EQ(jar.header_for(url("https://a.test/"), kNow), "all=2; safe=3");
}

TEST(CookieJar, WhatCameOverHttpsGoesBackOverHttpsOnly) {
  CookieJar jar;
  jar.take(url("https://a.test/"), sets({"session=1"}), kNow);
  EXPECT_EQ(jar.header_for(url("https://a.test/"), kNow), "session=1");
  EXPECT_EQ(jar.header_for(url("http://a.test/"), kNow), "");
}

TEST(CookieJar, OfAHostWithALoginTheyGoBackToTheirVeryOrigin) {
  CookieJar jar({"a.test"});
  jar.take(url("http://a.test:8080/"), sets({"session=1"}), kNow);
  EXPECT_EQ(jar.header_for(url("http://a.test:8080/x"), kNow), "session=1");
  EXPECT_EQ(jar.header_for(url("http://a.test/"), kNow), "");
  EXPECT_EQ(jar.header_for(url("http://a.test:8081/"), kNow), "");
  jar.forget(url("http://a.test/"));
  EXPECT_EQ(jar.header_for(url("http://a.test:8080/"), kNow), "session=1");
  jar.forget(url("http://a.test:8080/login"));
  EXPECT_EQ(jar.header_for(url("http://a.test:8080/"), kNow), "");
}

TEST(CookieJar, ForgetsOneHost) {
  CookieJar jar;
  jar.take(url("http://a.test/"), sets({"k=1"}), kNow);
  jar.take(url("http://b.test/"), sets({"k=2"}), kNow);
  jar.forget(url("http://a.test/x"));
  EXPECT_EQ(jar.header_for(url("http://a.test/"), kNow), "");
  EXPECT_EQ(jar.header_for(url("http://b.test/"), kNow), "k=2");
}

TEST(CookieJar, TellsWhetherAnythingChanged) {
  CookieJar jar;
  const Url page = url("http://a.test/");
  EXPECT_TRUE(jar.take(page, sets({"k=1"}), kNow));
  EXPECT_FALSE(jar.take(page, sets({"k=1"}), kNow));
  EXPECT_TRUE(jar.take(page, sets({"k=2"}), kNow));
  EXPECT_TRUE(jar.take(page, sets({"k=; Max-Age=0"}), kNow));
  EXPECT_EQ(jar.header_for(page, kNow), "");
}

TEST(CookieJar, CookiesExpire) {
  CookieJar jar;
  const Url page = url("http://a.test/");
  jar.take(
      page,
      sets({"short=1; Max-Age=60", "past=1; Expires=Mon, 01 Jan 2001 00:00:00 GMT", "dashes=1; expires=Wed, 01-Jan-2098 00:00:00 GMT"}),
      kNow);
  EXPECT_EQ(jar.header_for(page, kNow), "short=1; dashes=1");
  EXPECT_EQ(jar.header_for(page, kNow + 61s), "dashes=1");
}

TEST(CookieJar, HasLimitsAndSendsNothingThatBreaksAHeader) {
  CookieJar jar;
  const Url page = url("http://a.test/");
  for (int i = 0; i < 200; ++i) jar.take(page, sets({fmt::format("c{}={}", i, std::string(300, 'x'))}), kNow);
  EXPECT_LE(jar.header_for(page, kNow).size(), CookieJar::kHeaderBytesMax);
  EXPECT_NE(jar.header_for(page, kNow).find("c199="), std::string::npos) << "the oldest make room";
  EXPECT_FALSE(jar.take(page, sets({"big=" + std::string(5'000, 'x'), "bad=a\rb", "=none", ""}), kNow));
}

}  // namespace
}  // namespace magpie::crawl
