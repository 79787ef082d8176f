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
  static HttpResponse no_answer(HttpCause cause) {
    return {.url = url("https://a.test/in/login"), .cause = cause, .error = Error{Code::kUnavailable, std::string(to_string(cause))}};
  }
  void tell(const HttpResponse& response, bool set_cookies = true) {
    session.answered({response, judge_answer(response, Timestamp(now)), set_cookies}, SteadyTime(now));
  }
  /// From kOut to the form that is sent.
  void send(bool set_cookies = true) {
    ASSERT_TRUE(step().request);
    EXPECT_TRUE(step().waits);
    tell(answer(200, "", kForm), set_cookies);
    const LoginStep sends = step();
    ASSERT_TRUE(sends.request && sends.request->post);
    EXPECT_TRUE(step().waits);
  }
  /// From kOut to what the answer to the form makes of it.
  void try_once(const HttpResponse& to_form, bool set_cookies = true) {
    send(set_cookies);
    tell(to_form, set_cookies);
    last_ = std::max(last_, step().login);
  }
  bool is_in() {
    const LoginStep next = step();
    return !next.request && !next.waits && next.refused.empty();
  }
  void log_in_at(std::string_view form) {
    FormLogin given = login();
    given.page = url(form);
    session = LoginSession(given, {.every = 5min, .retry_delay = 5s});
  }
  /// Of a page asked behind the login of this number; 0: the last.
  bool wall(std::uint64_t signature, std::uint64_t behind = 0) {
    return session.note_wall(url("https://a.test/page"), signature, behind != 0 ? behind : last_);
  }
  void content(std::uint64_t signature) { session.note_content(signature, last_); }

  static constexpr std::string_view kForm = "<form method=post><input name=u><input type=password name=p></form>";
  std::chrono::milliseconds now = 1h;
  std::uint64_t last_ = 0;  // the number of the last login
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
  EXPECT_FALSE(session.note_wall(url("https://a.test/in/login"), 9, last_)) << "the form itself is always one";
  EXPECT_TRUE(wall(3, last_ - 1)) << "asked before it was logged in to";
  EXPECT_TRUE(is_in());
  content(1);
  now += 1min;
  EXPECT_TRUE(wall(1)) << "it was opened before";
  EXPECT_EQ(step().until, SteadyTime(now + 4min)) << "one login in five minutes";
}

TEST_F(LoginSessionTest, APasswordThatIsRefusedIsSentOnce) {
  for (const HttpResponse& refusal : {answer(302, "/in/login?error=1"), answer(200, "", kForm), answer(401, "", kForm)}) {
    log_in_at("https://a.test/in/login");
    try_once(refusal);
    EXPECT_THAT(step().refused, HasSubstr("user and password are not accepted"));
  }
}

TEST_F(LoginSessionTest, AFormIsKnownByItsQuery) {
  log_in_at("https://a.test/index.php?route=account/login");
  try_once(answer(302, "/index.php?route=account/account"));
  EXPECT_TRUE(is_in());
  EXPECT_FALSE(session.is_form(url("https://a.test/index.php?other=account/login")));
  EXPECT_FALSE(session.is_form(url("https://a.test/index.php")));
  EXPECT_TRUE(session.is_form(url("https://a.test/index.php?error=1&route=account/login")));
  log_in_at("https://a.test/index.php?route=account/login");
  try_once(answer(302, "/index.php?route=account/login&error=1"));
  EXPECT_THAT(step().refused, HasSubstr("not accepted"));
  log_in_at("https://a.test/");
  try_once(answer(302, "/"));
  EXPECT_TRUE(is_in()) << "the form was on the first page, and that has more to show";
}

TEST_F(LoginSessionTest, WhatTroublesTheHostIsNoFailureOfTheLogin) {
  for (const HttpResponse& trouble :
       {answer(503), answer(429), no_answer(HttpCause::kTimeout), no_answer(HttpCause::kConnect), answer(503)}) {
    ASSERT_TRUE(step().request);
    tell(trouble);
    EXPECT_TRUE(step().until && *step().until <= SteadyTime(now + 320s));
    now = std::chrono::duration_cast<std::chrono::milliseconds>(step().until->time_since_epoch());
  }
  send();
  tell(answer(503));
  now += 320s;
  try_once(answer(302, "/home"));
  EXPECT_TRUE(is_in());
}

TEST_F(LoginSessionTest, TroubleWithoutEndEndsTheLogin) {
  for (std::uint32_t i = 0; i < LoginSession::kTroublesMax; ++i) {
    ASSERT_TRUE(step().request) << i;
    tell(answer(503));
    now += 320s;
  }
  EXPECT_THAT(step().refused, HasSubstr("https://a.test/in/login answered 503 (tried 20 times)"));
}

TEST_F(LoginSessionTest, AFormThatHasMovedIsFollowedWithinItsOrigin) {
  const auto moved = [&](std::string_view from, std::string_view to) {
    HttpResponse response = answer(301, to);
    response.url = url(from);
    return response;
  };
  ASSERT_TRUE(step().request->begins);
  tell(moved("https://a.test/in/login", "/in/login/"));
  const LoginStep second = step();
  ASSERT_TRUE(second.request);
  EXPECT_EQ(second.request->url.href(), "https://a.test/in/login/");
  EXPECT_FALSE(second.request->begins) << "what cookies it has set on the way count";
  HttpResponse form = answer(200, "", kForm);
  form.url = second.request->url;
  tell(form);
  const LoginStep sends = step();
  ASSERT_TRUE(sends.request);
  EXPECT_EQ(sends.request->url.href(), "https://a.test/in/login/");
  EXPECT_EQ(sends.request->referer, "https://a.test/in/login/");
  tell(moved("https://a.test/in/login/", "/home"));
  EXPECT_TRUE(is_in());
  EXPECT_TRUE(session.is_form(url("https://a.test/in/login/?next=/"))) << "found there";
  EXPECT_TRUE(session.is_form(url("https://a.test/in/login")));

  log_in_at("https://a.test/in/login");
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(step().request) << i;
    tell(moved("https://a.test/in/login", "/in/login"));
  }
  EXPECT_EQ(step().until, SteadyTime(now + 5s)) << "in a circle";
  now += 5s;
  ASSERT_TRUE(step().request);
  tell(moved("https://a.test/in/login", "https://sso.test/"));
  EXPECT_EQ(step().until, SteadyTime(now + 20s)) << "elsewhere";
}

TEST_F(LoginSessionTest, ACookieOfAnyAnswerOfTheLoginCounts) {
  send(/*set_cookies=*/true);
  tell(answer(302, "/members/"), /*set_cookies=*/false);
  EXPECT_TRUE(is_in());
}

TEST_F(LoginSessionTest, ThreeTriesInARowThatFailAreTheLast) {
  try_once(answer(404));
  EXPECT_EQ(step().until, SteadyTime(now + 5s));
  now += 5s;
  try_once(answer(500));
  EXPECT_EQ(step().until, SteadyTime(now + 20s));
  now += 20s;
  try_once(answer(302, "/home"), /*set_cookies=*/false);
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

TEST_F(LoginSessionTest, APageThatComesBehindOthersMayMeetTheirSessionsEnd) {
  try_once(answer(302, "/home"));
  content(100);
  for (std::uint32_t time = 1; time < LoginSession::kWallsMax; ++time) {
    now += 1h;
    EXPECT_TRUE(wall(1, step().login)) << time;
    try_once(answer(302, "/home"));
  }
  const std::uint64_t late = step().login;
  EXPECT_GT(late, last_);
  EXPECT_FALSE(wall(1, late)) << "there is an end to it";
  EXPECT_TRUE(is_in());
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
