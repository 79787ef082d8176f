// The pure parts of the crawl's policy: scope, traps, rules, politeness, dates, answers, the schedule, robots over time.
#include <gtest/gtest.h>

#include "crawl/answer.h"
#include "crawl/host_schedule.h"
#include "crawl/host_state.h"
#include "crawl/robots_state.h"
#include "crawl/rules.h"
#include "crawl/session_ids.h"
#include "crawl/settings.h"

namespace magpie::crawl {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

Url url(std::string_view text) { return *Url::parse(text); }
HttpResponse answer(int status, HttpHeaders headers = {}, std::string body = "") {
  return {.url = url("http://a.test/x"), .status = status, .headers = std::move(headers), .body = std::move(body)};
}
constexpr SteadyTime kStart{std::chrono::hours(1)};

TEST(RobotsTag, KeepsItsLinesApartAndKnowsReservations) {
  EXPECT_EQ(robots_tag({}), "");
  EXPECT_EQ(robots_tag({{"X-Robots-Tag", "googlebot: noindex"}, {"x-robots-tag", "nofollow"}}), "googlebot: noindex\nnofollow");
  EXPECT_EQ(robots_tag({{"TDM-Reservation", "1"}}), "noai");
  EXPECT_EQ(robots_tag({{"tdm-reservation", "1"}, {"X-Robots-Tag", "a: b"}}), "noai\na: b");
  EXPECT_EQ(robots_tag({{"tdm-reservation", "0"}}), "");
}

TEST(Scope, SeedsHostsWithAndWithoutWww) {
  const Scope scope({url("http://a.test/x"), url("http://127.0.0.1:81/")}, {});
  EXPECT_TRUE(scope.allows(url("https://www.a.test/y"), UrlKind::kPage));
  EXPECT_FALSE(scope.allows(url("http://shop.a.test/"), UrlKind::kPage));
  EXPECT_FALSE(scope.allows(url("http://a.test:8080/"), UrlKind::kPage));
  EXPECT_FALSE(scope.allows(url("http://127.0.0.1:82/"), UrlKind::kImage));
  EXPECT_FALSE(scope.allows(url("ftp://a.test/"), UrlKind::kPage));
}

TEST(Scope, OptionsWidenIt) {
  const Scope scope({url("http://www.a.co.uk/")}, {.same_site = true, .images_off_host = true});
  EXPECT_TRUE(scope.allows(url("http://shop.a.co.uk/"), UrlKind::kPage));
  EXPECT_FALSE(scope.allows(url("http://b.co.uk/"), UrlKind::kPage));
  EXPECT_TRUE(scope.allows(url("http://cdn.test/i.jpg"), UrlKind::kImage));
}

TEST(Traps, RepeatsAndLengthsAreSeen) {
  EXPECT_FALSE(looks_endless("/a/b/c?x=1&y=2", {}));
  EXPECT_FALSE(looks_endless("/a/b/a/b/a/b", {}));
  EXPECT_TRUE(looks_endless("/a/b/a/b/a/b/a", {}));
  std::string deep, parameters = "/?";
  for (int i = 0; i < 33; ++i) deep += fmt::format("/{}", i), parameters += fmt::format("p{}=1&", i);
  EXPECT_TRUE(looks_endless(deep, {}));
  EXPECT_TRUE(looks_endless(parameters, {}));
}

TEST(CrawlRules, AdmitsCanonicalRecordsAndSaysWhyNot) {
  CrawlSettings settings;
  settings.depth_max.value = 3;
  settings.images_off_host.value = false;
  const CrawlRules rules(7, settings, {url("http://a.test/")});
  const Admission good = rules.admit(url("http://A.test:80/p?utm_source=x&q=1#top"), UrlKind::kPage, 2);
  ASSERT_TRUE(good.record);
  EXPECT_EQ(*good.record, (UrlRecord{.url = "http://a.test/p?q=1", .kind = UrlKind::kPage, .depth = 2, .job = 7}));
  EXPECT_EQ(rules.admit(url("http://b.test/"), UrlKind::kPage, 1).refusal, Refusal::kScope);
  EXPECT_EQ(rules.admit(url("http://b.test/i.jpg"), UrlKind::kImage, 1).refusal, Refusal::kScope);
  EXPECT_EQ(rules.admit(url("mailto:x@a.test"), UrlKind::kPage, 1).refusal, Refusal::kScheme);
  EXPECT_EQ(rules.admit(url("http://a.test/"), UrlKind::kPage, 4).refusal, Refusal::kDepth);
  EXPECT_EQ(rules.admit(url("http://a.test/" + std::string(3'000, 'x')), UrlKind::kPage, 1).refusal, Refusal::kTooLong);
  EXPECT_EQ(rules.admit(url("http://a.test/a/a/a/a"), UrlKind::kPage, 1).refusal, Refusal::kTrap);
}

TEST(Seeds, ALineEach) {
  const auto seeds = parse_seeds("http://a.test\r\n\n# words\n  https://b.test/x  \n");
  ASSERT_TRUE(seeds);
  ASSERT_EQ(seeds->size(), 2u);
  EXPECT_EQ((*seeds)[1].href(), "https://b.test/x");
  EXPECT_FALSE(parse_seeds("http://a.test\nnot a url\n"));
}

TEST(UserAgent, NamesTheCrawlAndItsContact) {
  CrawlSettings settings;
  EXPECT_FALSE(user_agent(settings));
  settings.agent.value = "shopbot";
  EXPECT_EQ(*user_agent(settings), "shopbot/0.1");
  settings.contact.value = "me@a.test";
  EXPECT_EQ(*user_agent(settings), "shopbot/0.1 (+me@a.test)");
  settings.contact.value = "x\r\nEvil: 1";
  EXPECT_FALSE(user_agent(settings));
  settings.agent.value = "two words";
  EXPECT_FALSE(user_agent(settings));
}

TEST(HostState, StartsAreADelayApart) {
  HostState host({.delay = 1s});
  EXPECT_TRUE(host.may_start(kStart));
  host.started(kStart);
  EXPECT_FALSE(host.may_start(kStart + 5s)) << "one at a time";
  host.ended(kStart, kStart + 200ms, HostSignal::kFine, 0ms, {}, 0);
  EXPECT_FALSE(host.may_start(kStart + 999ms));
  EXPECT_TRUE(host.may_start(kStart + 1'025ms));
  host.started(kStart + 1'025ms);
  EXPECT_EQ(host.ledger().gap_min, 1'025ms);
  EXPECT_EQ(host.ledger().requests, 2u);
  EXPECT_EQ(host.ledger().parallel_peak, 1u);
}

TEST(HostState, TheServersClockBeginsWhenItWasReached) {
  HostState host({.delay = 1s});
  host.started(kStart);
  host.ended(kStart, kStart + 500ms, HostSignal::kFine, /*reached_after=*/300ms, {}, 0);
  EXPECT_FALSE(host.may_start(kStart + 1'299ms));
  EXPECT_TRUE(host.may_start(kStart + 1'325ms));
}

TEST(HostState, ACrawlDelayCountsFromWhereTheServersClockBegan) {
  HostState host({.delay = 100ms});
  host.started(kStart);
  host.ended(kStart, kStart + 310ms, HostSignal::kFine, /*reached_after=*/300ms, {}, 0);
  host.set_crawl_delay(2);
  EXPECT_FALSE(host.may_start(kStart + 2'299ms));
  EXPECT_TRUE(host.may_start(kStart + 2'330ms));
}

TEST(HostState, CrawlDelayCountsWhenItIsLarger) {
  HostState host({.delay = 1s, .delay_max = 60s});
  host.set_crawl_delay(0.2);
  EXPECT_EQ(host.delay(), 1s);
  host.set_crawl_delay(2.5);
  EXPECT_EQ(host.delay(), 2'500ms);
  host.set_crawl_delay(1e300);
  EXPECT_EQ(host.delay(), 60s);
}

TEST(HostState, ParallelRequestsHaveALimit) {
  HostState host({.delay = 0ms, .parallel_max = 2});
  host.started(kStart);
  EXPECT_TRUE(host.may_start(kStart));
  host.started(kStart);
  EXPECT_FALSE(host.may_start(kStart));
  EXPECT_EQ(host.ledger().parallel_peak, 2u);
}

TEST(HostState, RetryAfterHoldsTheWholeHost) {
  HostState host({.delay = 0ms});
  host.started(kStart);
  host.ended(kStart, kStart, HostSignal::kThrottled, 0ms, 7s, 0);
  EXPECT_FALSE(host.may_start(kStart + 6'999ms));
  EXPECT_TRUE(host.may_start(kStart + 7s));
  EXPECT_EQ(host.ledger().backoffs, 1u);
}

TEST(HostState, BackOffDoublesWithinItsBoundsAndIsForgiven) {
  HostState host({.delay = 0ms, .backoff_first = 60s, .backoff_max = 200s});
  SteadyTime now = kStart;
  for (const auto rest : {60s, 120s, 200s, 200s}) {
    host.started(now);
    host.ended(now, now, HostSignal::kThrottled, 0ms, {}, 0);
    EXPECT_EQ(host.next_start_at() - now, rest);
    now = host.next_start_at();
  }
  now += 24h;
  host.started(now);
  host.ended(now, now, HostSignal::kThrottled, 0ms, {}, /*jitter=*/1);
  EXPECT_EQ(host.next_start_at() - now, 66s);
}

TEST(HostState, LateBackOffsStayInARowOverGoodAnswers) {
  HostState host({.delay = 0ms, .backoff_first = 60s, .backoffs_max = 2});
  SteadyTime now = kStart;
  const auto captcha = [&] {
    host.started(now);
    host.ended(now, now, HostSignal::kFine, 0ms, {}, 0);
    host.throttled_after_all(now, 0);
    host.throttled_after_all(now, 0);  // another one that was under way
    now = host.next_start_at();
  };
  captcha();
  EXPECT_EQ(now - kStart, 60s);
  EXPECT_FALSE(host.hopeless());
  now += 24h;
  captcha();
  EXPECT_FALSE(host.hopeless()) << "the first was forgiven";
  captcha();
  EXPECT_EQ(host.hopeless(), HostSignal::kThrottled);
}

TEST(SessionIds, AreTakenOffAndNothingElse) {
  for (const auto& [address, wanted] :
       {std::pair{"http://a.test/shop;jsessionid=0A1B2C3D4E5F6A7B.node1?x=1", "http://a.test/shop?x=1"},
        std::pair{"http://a.test/a;jsessionid=x/b?PHPSESSID=abc&y=2", "http://a.test/a/b?y=2"},
        std::pair{"http://a.test/?a=1&sid=0123456789abcdef01", "http://a.test/?a=1"},
        std::pair{"http://a.test/?session_id=0123456789abcdef01&ASPSESSIONIDQABC=GH", "http://a.test/"},
        std::pair{"http://a.test/?sid=12", "http://a.test/?sid=12"},
        std::pair{"http://a.test/a;v=1;b/c?side=0123456789abcdef", "http://a.test/a;v=1;b/c?side=0123456789abcdef"},
        std::pair{"http://a.test/?", "http://a.test/?"}}) {
    EXPECT_EQ(without_session_ids(*Url::parse(address)).href(), wanted) << address;
  }
}

TEST(HostState, OneTimeoutIsTheUrlsTwoInARowAreTheHosts) {
  HostState host({.delay = 0ms});
  host.started(kStart);
  host.ended(kStart, kStart, HostSignal::kTimeout, 0ms, {}, 0);
  EXPECT_TRUE(host.may_start(kStart));
  host.started(kStart);
  host.ended(kStart, kStart, HostSignal::kTimeout, 0ms, {}, 0);
  EXPECT_FALSE(host.may_start(kStart + 59s));
}

TEST(RetryAfter, SecondsAndDates) {
  const Timestamp now = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(now.time_since_epoch(), 784'111'777s);
  EXPECT_EQ(parse_lastmod("Sun, 06 Nov 1994 08:49:37 GMT"), now);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), now);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), now);
  EXPECT_EQ(parse_retry_after("120", now), 120s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:00 GMT", now), 23s);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), 0s);
  EXPECT_EQ(parse_retry_after("99999999999999999999999", now), Millis(std::chrono::hours(24 * 366)));
  for (const std::string_view bad : {"", "soon", "-5", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"}) {
    EXPECT_EQ(parse_retry_after(bad, now), std::nullopt) << bad;
  }
}

std::optional<std::uint32_t> pop_due(HostSchedule& schedule, SteadyTime now) {
  return schedule.pop_due(now, [](std::uint32_t) { return 0ms; });
}

TEST(HostSchedule, WhoHasMostToDoGoesAheadOfThoseThatAreDueToo) {
  HostSchedule schedule;
  const auto head_start = [](std::uint32_t host) { return host == 2 ? 500ms : 0ms; };
  schedule.schedule(0, kStart);
  schedule.schedule(1, kStart + 200ms);
  schedule.schedule(2, kStart + 400ms);
  schedule.schedule(3, kStart + 5s);
  EXPECT_EQ(schedule.pop_due(kStart + 1s, head_start), 2u);
  schedule.schedule(2, kStart + 1s);
  EXPECT_EQ(schedule.pop_due(kStart + 1s, head_start), 0u) << "but not for ever";
  schedule.remove(1);
  EXPECT_EQ(schedule.next_host(), 2u);
  EXPECT_LE(*schedule.next_at(), kStart + 1s);
  EXPECT_EQ(schedule.pop_due(kStart + 1s, head_start), 2u);
  EXPECT_EQ(schedule.pop_due(kStart + 1s, head_start), std::nullopt) << "nobody before its time";
  EXPECT_EQ(schedule.next_at(), kStart + 5s);
}

TEST(HostSchedule, EarliestFirstAndTurnsAmongEquals) {
  HostSchedule schedule;
  schedule.schedule(2, kStart + 2s);
  schedule.schedule(0, kStart);
  schedule.schedule(1, kStart);
  EXPECT_EQ(pop_due(schedule, kStart), 0u);
  schedule.schedule(0, kStart);
  EXPECT_EQ(pop_due(schedule, kStart), 1u);
  EXPECT_EQ(pop_due(schedule, kStart), 0u);
  EXPECT_EQ(pop_due(schedule, kStart), std::nullopt);
  EXPECT_EQ(schedule.next_at(), kStart + 2s);
  schedule.schedule(2, kStart + 1s);
  schedule.schedule(2, kStart + 9s);
  EXPECT_EQ(pop_due(schedule, kStart + 1s), 2u);
  EXPECT_EQ(schedule.next_at(), std::nullopt);
}

TEST(Answer, StatusBecomesCause) {
  struct Row {
    int status;
    Cause cause;
    bool passing;
    HostSignal signal;
  };
  for (const Row& row : {Row{200, Cause::kNone, false, HostSignal::kFine}, Row{404, Cause::kNotFound, false, HostSignal::kFine},
                         Row{410, Cause::kNotFound, false, HostSignal::kFine}, Row{403, Cause::kStatus, false, HostSignal::kFine},
                         Row{500, Cause::kStatus, true, HostSignal::kFine}, Row{503, Cause::kThrottled, true, HostSignal::kThrottled},
                         Row{429, Cause::kThrottled, true, HostSignal::kThrottled}, Row{304, Cause::kProtocol, false, HostSignal::kFine}}) {
    const AnswerVerdict verdict = judge_answer(answer(row.status), Timestamp{});
    EXPECT_EQ(verdict.cause, row.cause) << row.status;
    EXPECT_EQ(verdict.passing, row.passing) << row.status;
    EXPECT_EQ(verdict.signal, row.signal) << row.status;
  }
  EXPECT_EQ(judge_answer(answer(503, {{"retry-after", "9"}}), Timestamp{}).retry_after, 9s);
}

TEST(Answer, ATimeoutIsPassingUnlessTheServerTrickled) {
  HttpResponse silent = answer(0), trickled = answer(200);
  silent.cause = trickled.cause = HttpCause::kTimeout;
  EXPECT_TRUE(judge_answer(silent, Timestamp{}).passing);
  EXPECT_FALSE(judge_answer(trickled, Timestamp{}).passing);
  EXPECT_EQ(judge_answer(trickled, Timestamp{}).signal, HostSignal::kTimeout);
}

TEST(Answer, KindComesFromTheTypeAndElseTheBytes) {
  const auto kind = [](std::string type, std::string body, UrlKind wanted = UrlKind::kPage) {
    return kind_of_answer(answer(200, {{"Content-Type", std::move(type)}}, std::move(body)), wanted);
  };
  EXPECT_EQ(kind("text/HTML; charset=x", ""), UrlKind::kPage);
  EXPECT_EQ(kind("image/jpeg", ""), UrlKind::kImage);
  EXPECT_EQ(kind("text/html", "\xFF\xD8\xFF", UrlKind::kImage), UrlKind::kImage);
  EXPECT_EQ(kind("application/octet-stream", "\x89PNG\r\n\x1A\n"), UrlKind::kImage);
  EXPECT_EQ(kind("", " <!DOCTYPE html>"), UrlKind::kPage);
  EXPECT_EQ(kind("application/xml", "<?xml version='1.0'?><html xmlns='x'>"), UrlKind::kPage);
  EXPECT_EQ(kind("application/pdf", "%PDF"), std::nullopt);
  EXPECT_EQ(kind("text/plain", "hello"), std::nullopt);
  EXPECT_EQ(kind("text/css", "a{}"), std::nullopt);
}

class RobotsOverTime : public ::testing::Test {
 protected:
  void tell(const HttpResponse& response, SteadyTime now = kStart) {
    state.reading();
    state.answered(response, judge_answer(response, Timestamp{}), "magpie", limits, now,
                   [](const Url& to) { return to.host() == "a.test"; });
  }
  RobotsLimits limits;
  RobotsState state{url("http://a.test/robots.txt")};
};

TEST_F(RobotsOverTime, IsReadFirstAndKeptForADay) {
  EXPECT_EQ(state.need(kStart), RobotsState::Need::kRead);
  state.reading();
  EXPECT_EQ(state.need(kStart), RobotsState::Need::kWaitForAnswer);
  tell(answer(200, {}, "User-agent: *\nDisallow: /x\n"));
  EXPECT_EQ(state.need(kStart + 23h), RobotsState::Need::kNothing);
  EXPECT_FALSE(state.rules().allows(url("http://a.test/x")));
  EXPECT_EQ(state.need(kStart + 24h), RobotsState::Need::kRead);
}

TEST_F(RobotsOverTime, NotThereMeansNoRules) {
  tell(answer(404, {}, "User-agent: *\nDisallow: /\n"));
  EXPECT_EQ(state.phase(), RobotsState::Phase::kAbsent);
  EXPECT_TRUE(state.rules().allows(url("http://a.test/x")));
}

TEST_F(RobotsOverTime, UnreachableMeansNoAccessAfterRetries) {
  tell(answer(500));
  EXPECT_EQ(state.need(kStart), RobotsState::Need::kWaitUntil);
  EXPECT_EQ(state.wait_until(), kStart + 5s);
  tell(answer(500), kStart + 5s);
  EXPECT_EQ(state.wait_until(), kStart + 25s);
  tell(answer(500), kStart + 25s);
  EXPECT_EQ(state.phase(), RobotsState::Phase::kUnreachable);
  EXPECT_EQ(state.cause(), Cause::kRobots);
  EXPECT_EQ(state.need(kStart + 30s), RobotsState::Need::kNothing);
  EXPECT_EQ(state.need(kStart + 2h), RobotsState::Need::kRead);
}

TEST_F(RobotsOverTime, RedirectsAreFollowedFiveTimesWithinScope) {
  for (int i = 0; i < 5; ++i) {
    tell(answer(302, {{"Location", fmt::format("http://a.test/r{}", i)}}));
    EXPECT_EQ(state.need(kStart), RobotsState::Need::kRead);
    EXPECT_EQ(state.next_url().pathname(), fmt::format("/r{}", i));
  }
  tell(answer(302, {{"Location", "http://a.test/r9"}}));
  EXPECT_EQ(state.phase(), RobotsState::Phase::kAbsent);
  RobotsState other(url("http://a.test/robots.txt"));
  std::swap(state, other);
  tell(answer(302, {{"Location", "http://elsewhere.test/robots.txt"}}));
  EXPECT_EQ(state.phase(), RobotsState::Phase::kAbsent);
}

TEST(Lastmod, IsTheMomentWhenADateIsOver) {
  const Timestamp moment = *parse_http_date("Sun, 22 Nov 2026 05:19:12 GMT");
  const Timestamp midnight = *parse_http_date("Mon, 23 Nov 2026 00:00:00 GMT");
  EXPECT_EQ(parse_lastmod("2026-11-22T05:19:12Z"), moment);
  EXPECT_EQ(parse_lastmod("2026-11-22T05:19:12.345Z"), moment);
  EXPECT_EQ(parse_lastmod("2026-11-22T06:49:12+01:30"), moment);
  EXPECT_EQ(parse_lastmod("2026-11-22T00:19:12-05:00"), moment);
  EXPECT_EQ(parse_lastmod("2026-11-22T05:19Z"), moment - std::chrono::seconds(12));
  EXPECT_EQ(parse_lastmod("2026-11-22"), midnight - Millis(1));
  EXPECT_EQ(parse_lastmod("2026-11"), *parse_http_date("Tue, 01 Dec 2026 00:00:00 GMT") - Millis(1));
  EXPECT_EQ(parse_lastmod("2025"), *parse_http_date("Thu, 01 Jan 2026 00:00:00 GMT") - Millis(1));
  for (const char* wrong : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-22T25:00Z", "2026-11-22T05", "26-11-22", "2026-11-2",
                            "2026-", "2026-11-22T05:19:12+", "0001-01-01"}) {
    EXPECT_FALSE(parse_lastmod(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace magpie::crawl
