// Logins by form: how a form is filled in, and when a site is logged in to.
#include "crawl/form_logins.h"

#include <gmock/gmock.h>

namespace magpie::crawl {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Url url(std::string_view text) { return *Url::parse(text); }
FormLogin login(std::string user_field = "", std::string password_field = "") {
  return {url("https://a.test/in/login"), "me & you", "pä ss", std::move(user_field), std::move(password_field)};
}

TEST(LoginForm, IsFilledInAsAVisitorWould) {
  const auto filled = fill_login_form(
      R"(<form action=/search><input name=q></form>
         <form method=POST action="../session?a=b#c"><input type=hidden name=csrf value="t+/=">
         <input name=shown value=as-is><input type=email name=mail><p><input type=password name=word value=old>
         <input type=checkbox name=stay><input type=checkbox name=ticked checked><input type=radio name=r value=1><input type=radio name=r value=2 checked>
         <select name=s><option>one<option selected value=2>two</select><textarea name=t>x</textarea><input type=hidden name=off disabled>
         <input type=file name=f><button type=button name=no>no</button><button name=go value=1>Go</button><input type=submit name=other></form>)",
      login());
  ASSERT_TRUE(filled) << filled.error().message;
  EXPECT_EQ(filled->url.href(), "https://a.test/session?a=b");
  EXPECT_EQ(*filled->post, "csrf=t%2B%2F%3D&shown=as-is&mail=me+%26+you&word=p%C3%A4+ss&ticked=on&r=2&s=2&t=x&go=1");
  EXPECT_EQ(filled->referer, "https://a.test/in/login");
}

TEST(LoginForm, IsTheOneThatAsksForAPasswordOnce) {
  constexpr std::string_view kTwo =
      "<form method=post action=/register><input name=u><input type=password name=a><input type=password name=b></form>"
      "<form method=post action=/login><input type=password name=p><input name=u></form>";
  EXPECT_EQ(*fill_login_form(kTwo, login())->post, "p=p%C3%A4+ss&u=me+%26+you");
  EXPECT_EQ(fill_login_form(kTwo, login("u", "b"))->url.href(), "https://a.test/register");
  EXPECT_EQ(*fill_login_form(kTwo, login("u", "b"))->post, "u=me+%26+you&a=&b=p%C3%A4+ss");
}

TEST(LoginForm, GoesToItsOwnOriginByPostAndUrlencodedOrNotAtAll) {
  const auto why = [](std::string_view form, const FormLogin& given = login()) {
    const auto filled = fill_login_form(form, given);
    return filled ? std::string() : filled.error().message;
  };
  constexpr std::string_view kFields = "<input name=u><input type=password name=p></form>";
  const auto form = [&](std::string_view words) { return fmt::format("<form {}>{}", words, kFields); };
  EXPECT_EQ(why(form("method=post")), "");
  EXPECT_EQ(fill_login_form(form("method=post"), login())->url.href(), "https://a.test/in/login");
  EXPECT_EQ(fill_login_form("<base href=/deep/>" + form("method=post action=x"), login())->url.href(), "https://a.test/deep/x");
  EXPECT_THAT(why(form("action=/x")), HasSubstr("POST"));
  EXPECT_THAT(why(form("method=get")), HasSubstr("POST"));
  EXPECT_THAT(why(form("method=post enctype=multipart/form-data")), HasSubstr("multipart/form-data"));
  for (const char* elsewhere : {"https://evil.test/", "http://a.test/x", "https://a.test:444/", "//sub.a.test/", "javascript:x()"})
    EXPECT_NE(why(form(fmt::format("method=post action={}", elsewhere))), "") << elsewhere;
  EXPECT_NE(why("<base href=https://evil.test/>" + form("method=post action=x")), "");
  EXPECT_THAT(why("<p>Hello"), HasSubstr("no form"));
  EXPECT_THAT(why(form("method=post"), login("", "other")), HasSubstr("no form"));
  EXPECT_THAT(why(form("method=post"), login("other")), HasSubstr("user_field"));
  EXPECT_THAT(why("<form method=post><input type=password name=p></form>"), HasSubstr("user_field"));
  EXPECT_THAT(why("<form method=post><input name=u><input type=password></form>"), HasSubstr("no name"));
}

/// One site's session at times that the test sets.
class LoginSessionTest : public testing::Test {
 protected:
  HttpResponse answer(int status, std::string_view target = "", std::string_view body = "") {
    HttpResponse response{.url = url("https://a.test/in/login"), .status = status, .body = std::string(body)};
    if (!target.empty()) response.headers.push_back({"Location", std::string(target)});
    return response;
  }
  LoginStep step() { return session.step(robots, SteadyTime(now)); }
  void tell(const HttpResponse& response, bool has_cookies = true) {
    session.answered(response, has_cookies, Timestamp(now), SteadyTime(now));
  }
  /// From kOut to what the answer to the form makes of it.
  void try_once(const HttpResponse& to_form, bool has_cookies = true) {
    ASSERT_TRUE(step().request);
    EXPECT_TRUE(step().waits);
    tell(answer(200, "", kForm));
    const LoginStep sends = step();
    ASSERT_TRUE(sends.request && sends.request->post);
    EXPECT_TRUE(step().waits);
    tell(to_form, has_cookies);
  }
  bool is_in() {
    const LoginStep next = step();
    return !next.request && !next.waits && next.refused.empty();
  }
  bool wall(std::uint64_t signature) { return session.note_wall(url("https://a.test/page"), signature, Timestamp(now)); }
  void content(std::uint64_t signature) { session.note_content(signature, Timestamp(now)); }

  static constexpr std::string_view kForm = "<form method=post><input name=u><input type=password name=p></form>";
  std::chrono::milliseconds now = 1h;
  RobotsRules robots;
  LoginSession session{login(), {.every = 5min, .retry_delay = 5s}};
};

TEST_F(LoginSessionTest, ASessionThatEndsIsBegunAgain) {
  try_once(answer(302, "/home"));
  EXPECT_TRUE(is_in());
  now += 10min;
  EXPECT_TRUE(wall(1));
  EXPECT_TRUE(wall(2)) << "met meanwhile";
  try_once(answer(200, "", "<p>Welcome"));
  EXPECT_FALSE(session.note_wall(url("https://a.test/in/login"), 9, Timestamp(now))) << "the form itself is always one";
  EXPECT_TRUE(session.note_wall(url("https://a.test/page"), 3, Timestamp(now - 1s))) << "asked before it was logged in to";
  EXPECT_TRUE(is_in());
  content(1);
  now += 1min;
  EXPECT_TRUE(wall(1)) << "it was opened before";
  EXPECT_EQ(step().until, SteadyTime(now + 4min)) << "one login in five minutes";
}

TEST_F(LoginSessionTest, ThreeTriesInARowThatFailAreTheLast) {
  try_once(answer(302, "/in/login?error=1"));
  EXPECT_EQ(step().until, SteadyTime(now + 5s));
  now += 5s;
  try_once(answer(200, "", kForm));
  EXPECT_EQ(step().until, SteadyTime(now + 20s));
  now += 20s;
  try_once(answer(302, "/home"), /*has_cookies=*/false);
  EXPECT_THAT(step().refused, HasSubstr("(tried 3 times)"));
  EXPECT_EQ(step().refused.find("pä ss"), std::string::npos);
  EXPECT_FALSE(wall(1)) << "and its walls are walls";
}

TEST_F(LoginSessionTest, WhatRobotsTxtRefusesIsNotAsked) {
  robots = RobotsRules::parse("User-agent: *\nDisallow: /in/\n", "magpie");
  EXPECT_THAT(step().refused, HasSubstr("robots.txt line 2 refuses https://a.test/in/login"));
}

TEST_F(LoginSessionTest, APageThatStaysAWallIsItsOwn) {
  try_once(answer(302, "/home"));
  content(100);
  for (std::uint64_t page = 1; page <= 3; ++page) {
    now += 1h;
    EXPECT_TRUE(wall(page)) << page;
    try_once(answer(302, "/home"));
    EXPECT_FALSE(wall(page)) << page;
  }
  EXPECT_FALSE(wall(4)) << "three logins in a row opened nothing";
  EXPECT_TRUE(is_in()) << "other pages go on";
}

TEST_F(LoginSessionTest, LoginsThatNeverOpenAnythingEnd) {
  try_once(answer(302, "/home"));
  for (std::uint64_t page = 1; page <= 3; ++page) {
    now += 1h;
    EXPECT_TRUE(wall(page));
    try_once(answer(302, "/home"));
    EXPECT_FALSE(wall(page));
  }
  EXPECT_THAT(step().refused, HasSubstr("3 logins in a row have opened no page"));
}

TEST_F(LoginSessionTest, AShutdownInBetweenIsNoTry) {
  ASSERT_TRUE(step().request);
  HttpResponse cancelled = answer(0);
  cancelled.cause = HttpCause::kCancelled;
  tell(cancelled);
  try_once(answer(302, "/home"));
  EXPECT_TRUE(is_in());
}

}  // namespace
}  // namespace magpie::crawl
