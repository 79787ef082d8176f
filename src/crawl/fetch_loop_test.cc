#include "crawl/fetch_loop.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "crawl/fakes_for_test.h"

namespace magpie::crawl {
namespace {

using fakes::FakeAnswer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;

// Links of a test page stand in its body, one a line: "page URL" or "image URL".
std::vector<UrlRecord> links_of(const FetchedDocument& document, const CrawlRules& rules) {
  std::vector<UrlRecord> records;
  std::istringstream lines(document.response ? document.response->body : "");
  for (std::string kind, address; lines >> kind >> address;) {
    if ((kind != "page" && kind != "image") || document.repeats) continue;
    const auto url = Url::parse(address, document.response->url);
    const bool picture = kind == "image";
    if (!url) continue;
    auto admission = rules.admit(*url, picture ? UrlKind::kImage : UrlKind::kPage, document.url.depth + (picture ? 0u : 1u));
    if (admission.record) records.push_back(std::move(*admission.record));
  }
  return records;
}

class FetchLoopTest : public ::testing::Test {
 protected:
  FetchLoopTest() {
    settings.agent.value = "magpie";
    settings.tdm_file.value = false;  // one more request an origin; its own tests switch it on
  }

  Result<CrawlEnd> crawl(const std::vector<std::string>& seed_texts, std::size_t queue_size = 100) {
    std::vector<Url> seeds;
    for (const std::string& text : seed_texts) seeds.push_back(*Url::parse(text));
    rules.emplace(1, settings, seeds);
    documents.emplace(queue_size);
    for (const Url& seed : seeds) EXPECT_TRUE(frontier.add(std::vector{*rules->admit(seed, UrlKind::kPage, 0).record}));
    auto made = FetchLoop::make({frontier, web, clock, *rules, *documents, {}, resting}, settings);
    EXPECT_TRUE(made);
    loop = std::move(*made);
    web.before_poll = [this] {
      pipeline();
      at_each_poll();
    };
    return loop->run({});
  }

  void pipeline() {
    while (auto document = documents->try_pop()) {
      EXPECT_TRUE(frontier.add(links_of(*document, *rules)));
      if (document->response && document->response->body == "captcha") {
        document->fetch.cause = Cause::kCaptcha;
        loop->note_throttled(host_of_url(document->fetch.url), Cause::kCaptcha);
      }
      const bool wall = document->response && document->response->body == "wall";
      if (loop->note_page(document->fetch.url, document->signature, document->login, wall ? Cause::kLoginWall : Cause::kNone)) {
        EXPECT_TRUE(frontier.put_back(document->signature, clock.now()));
        continue;
      }
      EXPECT_TRUE(frontier.acknowledge(document->signature, wall ? Cause::kLoginWall : document->fetch.cause));
      ended[document->url.url] = document->fetch;
      robots_tags[document->url.url] = document->robots_tag;
    }
  }
  Cause cause(const std::string& url) {
    pipeline();
    return ended.contains(url) ? ended[url].cause : Cause::kCancelled;
  }
  std::vector<std::chrono::milliseconds> gaps(const std::string& host) const {
    std::vector<std::chrono::milliseconds> out;
    std::optional<std::chrono::milliseconds> last;
    for (const auto& one : web.asked) {
      if (host_of_url(one.url) != host) continue;
      if (last) out.push_back(one.at - *last);
      last = one.at;
    }
    return out;
  }

  fakes::FakeClock clock;
  fakes::MemoryFrontier frontier;
  fakes::FakeWeb web{clock};
  CrawlSettings settings;
  std::map<std::string, Timestamp> resting;
  std::optional<CrawlRules> rules;
  std::optional<BoundedQueue<FetchedDocument>> documents;
  std::unique_ptr<FetchLoop> loop;
  std::map<std::string, Fetch> ended;
  std::map<std::string, std::string> robots_tags;
  std::function<void()> at_each_poll = [] {};
};

TEST_F(FetchLoopTest, NeedsAnAgentName) {
  settings.agent.value = "";
  rules.emplace(1, settings, std::vector<Url>{});
  documents.emplace(1);
  EXPECT_FALSE(FetchLoop::make({frontier, web, clock, *rules, *documents}, settings));
}

TEST_F(FetchLoopTest, ReadsRobotsFirstFollowsLinksAndEndsByItself) {
  web.page("http://a.test/robots.txt", {.body = "User-agent: magpie\nDisallow: /no\n"});
  web.page("http://a.test/", {.body = "page /1\npage /no/2\nimage /i.jpg\npage http://b.test/\npage /1\n"});
  web.page("http://a.test/1");
  web.page("http://a.test/i.jpg", {.headers = {{"Content-Type", "image/jpeg"}}});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(web.asked.front().url, "http://a.test/robots.txt");
  EXPECT_THAT(web.asked_urls(),
              UnorderedElementsAre("http://a.test/robots.txt", "http://a.test/", "http://a.test/1", "http://a.test/i.jpg"));
  EXPECT_EQ(cause("http://a.test/no/2"), Cause::kRobots);
  EXPECT_EQ(loop->totals().pages, 2u);
  EXPECT_EQ(loop->totals().images, 1u);
  EXPECT_EQ(loop->totals().failures_by_cause[static_cast<std::size_t>(Cause::kRobots)], 1u);
}

TEST_F(FetchLoopTest, ReservationsOfTdmrepJsonCountAsTheHeaderDoes) {
  settings.tdm_file.value = true;
  web.page("http://a.test/.well-known/tdmrep.json",
           {.body = R"([{"location": "/", "tdm-reservation": 1}, {"location": "/free", "tdm-reservation": 0}])"});
  web.page("http://a.test/", {.body = "page /free\npage /own\nimage /i.jpg\nimage http://pictures.test/j.jpg"});
  web.page("http://a.test/free");
  web.page("http://a.test/own", {.headers = {{"Content-Type", "text/html"}, {"tdm-reservation", "0"}}});
  web.page("http://a.test/i.jpg", {.headers = {{"Content-Type", "image/jpeg"}}});
  web.page("http://pictures.test/j.jpg", {.headers = {{"Content-Type", "image/jpeg"}}});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_THAT(web.asked_urls(), ElementsAre("http://a.test/robots.txt", "http://a.test/.well-known/tdmrep.json", "http://a.test/",
                                            ::testing::_, ::testing::_, ::testing::_, ::testing::_, ::testing::_));
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://pictures.test/.well-known/tdmrep.json"))) << "no page of it is fetched";
  EXPECT_EQ(robots_tags["http://a.test/"], "noai");
  EXPECT_EQ(robots_tags["http://a.test/i.jpg"], "noai");
  EXPECT_EQ(robots_tags["http://a.test/free"], "");
  EXPECT_EQ(robots_tags["http://a.test/own"], "");
  EXPECT_EQ(robots_tags["http://pictures.test/j.jpg"], "");
}

TEST_F(FetchLoopTest, ATdmrepJsonThatHasMovedIsFollowedWithinItsSite) {
  settings.tdm_file.value = true;
  const std::string reserves_all = R"([{"location": "/", "tdm-reservation": 1}])";
  const auto moved = [](std::string_view to) { return FakeAnswer{.status = 301, .headers = {{"Location", std::string(to)}}}; };
  web.page("http://a.test/.well-known/tdmrep.json", moved("/rep.json"));
  web.page("http://a.test/rep.json", {.body = reserves_all});
  web.page("http://b.test/.well-known/tdmrep.json", moved("http://www.b.test/rep.json"));
  web.page("http://www.b.test/rep.json", {.body = reserves_all});
  web.page("http://c.test/.well-known/tdmrep.json", moved("http://elsewhere.test/rep.json"));
  web.page("http://d.test/.well-known/tdmrep.json", moved("http://www.d.test/rep.json"));
  web.page("http://www.d.test/robots.txt", {.body = "User-agent: *\nCrawl-delay: 9\nDisallow: /\n"});
  web.page("http://e.test/.well-known/tdmrep.json", moved("/.well-known/tdmrep.json"));
  const std::vector<std::string> pages = {"http://a.test/", "http://b.test/", "http://c.test/", "http://d.test/", "http://e.test/"};
  for (const std::string& page : pages) web.page(page);
  ASSERT_EQ(*crawl(pages), CrawlEnd::kFinished);
  for (const std::string& page : pages) EXPECT_EQ(cause(page), Cause::kNone) << page;
  EXPECT_EQ(robots_tags["http://a.test/"], "noai");
  EXPECT_EQ(robots_tags["http://b.test/"], "noai");
  for (std::size_t i = 2; i < pages.size(); ++i) EXPECT_EQ(robots_tags[pages[i]], "") << pages[i];
  EXPECT_THAT(web.asked_urls(), Contains("http://www.b.test/robots.txt"));
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://elsewhere.test/rep.json")));
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://www.d.test/rep.json"))) << "its robots.txt lets nobody read it";
  EXPECT_THAT(web.asked_urls(), Contains("http://e.test/.well-known/tdmrep.json").Times(6));
  for (const HostReport& host : loop->hosts()) {
    if (host.host == "d.test") { EXPECT_FALSE(host.crawl_delay) << "that of another host"; }
  }
}

TEST_F(FetchLoopTest, ATdmrepJsonThatCannotBeReadHoldsNothingUp) {
  settings.tdm_file.value = true;
  web.page("http://a.test/.well-known/tdmrep.json", {.status = 503});
  web.page("http://a.test/");
  web.page("http://b.test/robots.txt", {.body = "User-agent: *\nDisallow: /.well-known/\n"});
  web.page("http://b.test/");
  web.page("http://c.test/.well-known/tdmrep.json", {.after = 60s, .cause = HttpCause::kTimeout});
  web.page("http://c.test/");
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/", "http://c.test/"}), CrawlEnd::kFinished);
  for (const char* page : {"http://a.test/", "http://b.test/", "http://c.test/"}) EXPECT_EQ(cause(page), Cause::kNone) << page;
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://b.test/.well-known/tdmrep.json")));
  EXPECT_EQ(web.asked.size(), 8u);
}

TEST_F(FetchLoopTest, ATdmrepJsonIsNoPageAndNothingIsAskedForWhereNoPageMayBe) {
  settings.tdm_file.value = true;
  settings.pages_per_host_max.value = 2;
  settings.failures_max.value = 1;
  web.page("http://a.test/.well-known/tdmrep.json", {.cause = HttpCause::kConnect});
  web.page("http://a.test/", {.body = "page /1\npage /2\npage /3"});
  for (int i = 1; i <= 3; ++i) web.page(fmt::format("http://a.test/{}", i));
  web.page("http://b.test/robots.txt", {.body = "User-agent: *\nDisallow: /\nAllow: /.well-known/\n"});
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(loop->totals().pages, 2u);
  EXPECT_THAT(web.asked_urls(), Contains("http://a.test/.well-known/tdmrep.json").Times(1));
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://b.test/.well-known/tdmrep.json")));
  for (std::size_t i = 1; i < web.asked.size(); ++i) {
    const bool same_host = web.asked[i].url.starts_with("http://a.test/") && web.asked[i - 1].url.starts_with("http://a.test/");
    if (same_host) { EXPECT_GE(web.asked[i].at - web.asked[i - 1].at, 1s) << web.asked[i].url; }
  }
}

TEST_F(FetchLoopTest, OutsideItsWindowsItRestsAndThenGoesOn) {
  // The fake clock begins on Tuesday 2023-11-14 at 22:13:20 UTC: 40 s are left of the first window.
  settings.windows.value = "tue 22:00-22:14; tue 23:00-23:30";
  settings.time_zone.value = "UTC";
  std::string links;
  for (int i = 0; i < 100; ++i) {
    web.page(fmt::format("http://a.test/{}", i), {.after = 5s});
    links += fmt::format("page /{}\n", i);
  }
  web.page("http://a.test/", {.body = links});
  std::optional<Timestamp> rested;
  at_each_poll = [&] { rested = std::max(rested, loop->totals().rests_until); };
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  const auto opens = 46min + 40s;  // at eleven
  std::size_t before = 0;
  for (const auto& one : web.asked) {
    const bool in_window = one.at < 40s || (one.at >= opens && one.at < opens + 30min);
    EXPECT_TRUE(in_window) << one.url << " at " << one.at.count() << " ms";
    before += one.at < 40s;
  }
  EXPECT_GT(before, 5u);
  EXPECT_EQ(web.asked.size(), 102u);
  EXPECT_EQ(rested, Timestamp(std::chrono::milliseconds(1'700'000'000'000)) + opens);
  EXPECT_FALSE(loop->totals().rests_until);
}

TEST_F(FetchLoopTest, RefusesWindowsAndFilesItCannotUse) {
  rules.emplace(1, settings, std::vector<Url>{});
  documents.emplace(1);
  const auto refused = [&](Setting<std::string>& setting, const char* value) {
    setting.value = value;
    const auto made = FetchLoop::make({frontier, web, clock, *rules, *documents}, settings);
    EXPECT_EQ(FetchLoop::check(settings).error().code, Code::kBadInput);
    setting.value = "";
    EXPECT_TRUE(FetchLoop::check(settings));
    return made ? std::string() : made.error().message;
  };
  EXPECT_THAT(refused(settings.windows, "some day"), ::testing::HasSubstr("crawl.windows"));
  EXPECT_THAT(refused(settings.time_zone, "Nowhere/At_all"), ::testing::HasSubstr("crawl.time_zone"));
  EXPECT_THAT(refused(settings.logins, "/nonexistent/logins"), ::testing::HasSubstr("crawl.logins"));
  EXPECT_THAT(refused(settings.cookie_file, "/nonexistent/cookies"), ::testing::HasSubstr("crawl.cookie_file"));
}

/// A site behind a form, whose sessions end after some pages; half of its walls send to the form, half show one.
class FormSite {
 public:
  FormSite(int pages, int session_pages) : pages_(pages), session_pages_(session_pages) {}
  std::string password = "pw";
  std::vector<std::string> posts;
  int forms = 0;

  std::optional<FakeAnswer> operator()(const HttpRequest& request) {
    if (!request.url.href().starts_with("http://127.0.0.1/")) return std::nullopt;
    const std::string path(request.url.pathname());
    if (path == "/robots.txt") return FakeAnswer{.status = 404};
    if (path == "/login") return request.post ? sent(request) : form(request);
    const auto cookie = find_header(request.headers, "Cookie");
    const bool in = cookie == fmt::format("sid=s{}", session_) && ++served_ <= session_pages_;
    if (!in && request.url.href().size() % 2 == 0) return FakeAnswer{.status = 302, .headers = {{"Location", "/login?next=" + path}}};
    if (!in) return FakeAnswer{.body = "wall"};
    std::string links;
    for (int i = 0; path == "/" && i < pages_; ++i) links += fmt::format("page /{}\n", i);
    return FakeAnswer{.body = links};
  }

 private:
  FakeAnswer form(const HttpRequest& request) {
    EXPECT_FALSE(find_header(request.headers, "Cookie")) << "a login begins anew";
    ++forms;
    return {.headers = {{"Content-Type", "text/html"}, {"Set-Cookie", fmt::format("before=b{}", forms)}},
            .body = fmt::format(
                "<form method=post><input type=hidden name=csrf value=t{}><input name=u><input type=password name=p></form>", forms)};
  }
  FakeAnswer sent(const HttpRequest& request) {
    posts.push_back(*request.post);
    const bool good = *request.post == fmt::format("csrf=t{}&u=me&p={}", forms, password) &&
                      find_header(request.headers, "Cookie") == fmt::format("before=b{}", forms);
    if (!good) return {.status = 302, .headers = {{"Location", "/login?wrong"}}};
    served_ = 0;
    return {.status = 302,
            .headers = {{"Location", "/"}, {"Set-Cookie", fmt::format("sid=s{}", ++session_)}, {"Set-Cookie", "before=; Max-Age=0"}}};
  }

  int pages_, session_pages_;
  int session_ = 0, served_ = 0;
};

class FormLoginLoop : public FetchLoopTest {
 protected:
  FormLoginLoop() {
    const std::string path = fmt::format("{}/{}-form_login_loop.json", testing::TempDir(), ::getpid());
    std::ofstream(path) << R"([{"origin": "http://127.0.0.1", "form": "/login", "user": "me", "password": "pw"}])";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    settings.logins.value = path;
    web.site = [this](const HttpRequest& request) { return site(request); };
  }
  FormSite site{40, 15};
};

TEST_F(FormLoginLoop, AllPagesComeThoughSessionsEnd) {
  settings.login_every.value = 60s;
  ASSERT_EQ(*crawl({"http://127.0.0.1/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://127.0.0.1/"), Cause::kNone);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(cause(fmt::format("http://127.0.0.1/{}", i)), Cause::kNone) << i;
  EXPECT_GE(site.posts.size(), 3u);
  EXPECT_LE(site.posts.size(), 5u);
  EXPECT_EQ(web.asked.at(1).url, "http://127.0.0.1/login") << "before the first page";
  for (std::size_t i = 1; i < web.asked.size(); ++i) EXPECT_GE(web.asked[i].at - web.asked[i - 1].at, 1s) << web.asked[i].url;
}

TEST_F(FormLoginLoop, AWrongPasswordIsSentOnceAndNoPageIsAsked) {
  site.password = "other";
  ASSERT_EQ(*crawl({"http://127.0.0.1/"}), CrawlEnd::kFinished);
  EXPECT_EQ(site.posts.size(), 1u);
  EXPECT_EQ(cause("http://127.0.0.1/"), Cause::kLoginWall);
  EXPECT_THAT(ended["http://127.0.0.1/"].detail, ::testing::HasSubstr("user and password are not accepted"));
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://127.0.0.1/")));
}

TEST_F(FetchLoopTest, KeepsTheDelayBetweenStartsToEachHost) {
  std::string body;
  for (int i = 0; i < 10; ++i) body += fmt::format("page /{}\n", i);
  for (const std::string host : {"http://a.test/", "http://b.test/"}) {
    web.page(host, {.body = body});
    for (int i = 0; i < 10; ++i) web.page(host + std::to_string(i), {.after = std::chrono::milliseconds(i * 100)});
  }
  ASSERT_TRUE(crawl({"http://a.test/", "http://b.test/"}));
  for (const std::string host : {"a.test", "b.test"}) {
    EXPECT_EQ(gaps(host).size(), 11u);
    for (const auto gap : gaps(host)) EXPECT_GE(gap, 1s);
  }
  EXPECT_LT(clock.passed(), 13s) << "the hosts do not wait for each other";
  for (const HostReport& report : loop->hosts()) {
    EXPECT_GE(report.gap_min, 1s);
    EXPECT_EQ(report.parallel_peak, 1u);
    EXPECT_EQ(report.requests, 12u);
    EXPECT_EQ(report.robots, "none");
  }
}

TEST_F(FetchLoopTest, CrawlDelayOfRobotsCountsWhenLarger) {
  web.page("http://a.test/robots.txt", {.body = "User-agent: *\nCrawl-delay: 3\n"});
  web.page("http://a.test/", {.body = "page /1\npage /2\n"});
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_EQ(web.asked.size(), 4u);
  for (const auto gap : gaps("a.test")) EXPECT_GE(gap, 3s);
}

TEST_F(FetchLoopTest, ParallelRequestsToOneHostStayWithinTheirLimit) {
  settings.host_delay.value = 0ms;
  settings.per_host.value = 3;
  std::string body;
  for (int i = 0; i < 30; ++i) body += fmt::format("page /{}\n", i);
  web.page("http://a.test/", {.body = body});
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_EQ(web.asked.size(), 32u);
  EXPECT_EQ(loop->hosts().at(0).parallel_peak, 3u);
}

TEST_F(FetchLoopTest, RetryAfterHoldsTheHostAndThePageComesAfterAll) {
  web.page("http://a.test/", {.body = "page /1\npage /2\n"});
  web.pages["http://a.test/1"] = [](int nth) {
    return nth == 0 ? fakes::FakeWeb::Answer{.status = 429, .headers = {{"Retry-After", "30"}}} : fakes::FakeWeb::Answer{};
  };
  web.page("http://a.test/2");
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_EQ(cause("http://a.test/1"), Cause::kNone);
  std::chrono::milliseconds throttled_at{};
  for (const auto& one : web.asked) {
    if (throttled_at.count() > 0) {
      EXPECT_GE(one.at - throttled_at, 30s);
      break;
    }
    if (one.url == "http://a.test/1") throttled_at = one.at;
  }
  EXPECT_EQ(loop->totals().retries, 1u);
  EXPECT_EQ(loop->hosts().at(0).backoffs, 1u);
}

TEST_F(FetchLoopTest, AHostThatOnlyAnswers503IsGivenUpAndTheCrawlEnds) {
  std::string body;
  for (int i = 0; i < 50; ++i) {
    body += fmt::format("page /{}\n", i);
    web.page(fmt::format("http://a.test/{}", i), {.status = 503});
  }
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_LT(clock.passed(), 150s) << "a minute's rest, one more try, and no second rest of two minutes";
  EXPECT_EQ(web.asked.size(), 4u) << "robots.txt, the first page, a 503, and one more after the rest";
  for (int i = 0; i < 50; ++i) EXPECT_EQ(cause(fmt::format("http://a.test/{}", i)), Cause::kThrottled);
  const HostReport report = loop->hosts().at(0);
  EXPECT_THAT(report.given_up, ::testing::HasSubstr("crawl.backoff_wait_max"));
  EXPECT_EQ(report.by_cause.at("throttled"), 50u);
  ASSERT_EQ(report.backoffs_latest.size(), 2u);
  EXPECT_GE(report.backoffs_latest[0].rest, 60s);
  EXPECT_EQ(report.backoffs_latest[0].reason, "throttled");
}

TEST_F(FetchLoopTest, RestsInARowGiveAHostUpWhileOthersGoOn) {
  settings.backoffs_max.value = 3;
  settings.backoff_first.value = 2s;
  std::string body;
  for (int i = 0; i < 100; ++i) body += fmt::format("page http://b.test/{}\npage http://a.test/{}\n", i, i);
  for (int i = 0; i < 100; ++i) web.page(fmt::format("http://a.test/{}", i), {.status = 429});
  for (int i = 0; i < 100; ++i) web.page(fmt::format("http://b.test/{}", i));
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(loop->hosts().at(0).requests, 5u);
  EXPECT_EQ(loop->hosts().at(0).by_cause.at("throttled"), 100u);
  EXPECT_EQ(cause("http://b.test/99"), Cause::kNone);
}

TEST_F(FetchLoopTest, CaptchasRestTheirHostAndGiveItUpThoughTheyCameAsGoodAnswers) {
  settings.backoffs_max.value = 3;
  settings.backoff_first.value = 20s;
  std::string body;
  for (int i = 0; i < 100; ++i) body += fmt::format("page http://b.test/{}\npage http://a.test/{}\n", i, i);
  for (int i = 0; i < 100; ++i) web.page(fmt::format("http://a.test/{}", i), {.body = "captcha"});
  for (int i = 0; i < 100; ++i) web.page(fmt::format("http://b.test/{}", i));
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/"}), CrawlEnd::kFinished);
  const HostReport report = loop->hosts().at(0);
  EXPECT_EQ(report.requests, 5u) << "robots.txt, the first page, and three captchas";
  EXPECT_EQ(report.backoffs, 3u);
  EXPECT_GE(gaps("a.test").back(), 40s) << "the second rest";
  EXPECT_THAT(report.given_up, ::testing::HasSubstr("captcha"));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(cause(fmt::format("http://a.test/{}", i)), Cause::kCaptcha);
  EXPECT_EQ(cause("http://b.test/99"), Cause::kNone);
}

TEST_F(FetchLoopTest, ANamedTimeIsWaitedForButNotAYear) {
  for (const auto& [wait, cause_wanted] : {std::pair{"300", Cause::kNone}, std::pair{"31536000", Cause::kThrottled}}) {
    const std::string host = fmt::format("w{}.test", wait);
    web.page("http://" + host + "/", {.body = "page /busy\n"});
    web.pages["http://" + host + "/busy"] = [wait = wait](int nth) {
      return nth == 0 ? fakes::FakeWeb::Answer{.status = 503, .headers = {{"Retry-After", wait}}} : fakes::FakeWeb::Answer{};
    };
  }
  ASSERT_EQ(*crawl({"http://w300.test/", "http://w31536000.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://w300.test/busy"), Cause::kNone);
  EXPECT_EQ(cause("http://w31536000.test/busy"), Cause::kThrottled);
  EXPECT_GE(clock.passed(), 300s);
  EXPECT_LT(clock.passed(), 400s);
}

TEST_F(FetchLoopTest, ARestThatAnEarlierRunBeganIsKept) {
  resting = {{"a.test", clock.now() + 90s}, {"b.test", clock.now() + 24h}};
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/", "http://c.test/"}), CrawlEnd::kFinished);
  for (const auto& one : web.asked) {
    EXPECT_NE(host_of_url(one.url), "b.test") << "a day is not waited for";
    EXPECT_EQ(one.at >= 90s, host_of_url(one.url) == "a.test") << one.url << " at " << one.at.count() << " ms";
  }
  EXPECT_EQ(cause("http://a.test/"), Cause::kNotFound);
  EXPECT_THAT(loop->hosts().at(1).given_up, ::testing::HasSubstr("crawl.retry_after_wait_max"));
}

TEST_F(FetchLoopTest, TheLedgerSaysWhenAndHowAHostWasAsked) {
  web.page("http://a.test/", {.body = "page /1\n"});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  const HostReport report = loop->hosts().at(0);
  EXPECT_EQ(report.requests, 3u);
  EXPECT_EQ(report.last_request_at - report.first_request_at, web.asked.back().at - web.asked.front().at);
  EXPECT_GT(report.next_allowed_at, report.last_request_at);
  EXPECT_EQ(report.user_agent, *user_agent(settings));
}

TEST_F(FetchLoopTest, ABrokenPageDoesNotTakeItsHostAlong) {
  std::string body = "page /broken\n";
  for (int i = 0; i < 30; ++i) {
    body += fmt::format("page /{}\n", i);
    web.page(fmt::format("http://a.test/{}", i));
  }
  web.page("http://a.test/", {.body = body});
  web.page("http://a.test/broken", {.status = 503});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://a.test/broken"), Cause::kThrottled);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(cause(fmt::format("http://a.test/{}", i)), Cause::kNone);
  EXPECT_EQ(loop->hosts().at(0).backoffs, 1u) << "the others came after the first rest, so the next 503 is the page's own";
}

TEST_F(FetchLoopTest, AHostThatNeverAnswersIsGivenUp) {
  web.page("http://a.test/robots.txt", {.body = ""});
  std::string body;
  for (int i = 0; i < 40; ++i) {
    body += fmt::format("page /{}\n", i);
    web.page(fmt::format("http://a.test/{}", i), {.status = 0, .after = 20s, .cause = HttpCause::kTimeout});
  }
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_LT(clock.passed(), 180s);
  EXPECT_EQ(cause("http://a.test/39"), Cause::kTimeout);
}

TEST_F(FetchLoopTest, AHostThatIsGoneIsGivenUpAfterAFewRequests) {
  settings.failures_max.value = 10;
  web.page("http://a.test/robots.txt", {.body = ""});
  std::string body;
  for (int i = 0; i < 100; ++i) {
    body += fmt::format("page /{}\n", i);
    web.page(fmt::format("http://a.test/{}", i), {.status = 0, .cause = HttpCause::kConnect});
  }
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(web.asked.size(), 12u);
  EXPECT_EQ(cause("http://a.test/99"), Cause::kConnect);
  EXPECT_EQ(cause("http://a.test/0"), Cause::kConnect);
}

TEST_F(FetchLoopTest, RobotsThatIsThrottledCostsItsHostNoDay) {
  web.page("http://a.test/robots.txt", {.status = 503, .headers = {{"Retry-After", "86400"}}});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://a.test/"), Cause::kRobots);
  EXPECT_LT(clock.passed(), 60s);
}

TEST_F(FetchLoopTest, TheLedgerNamesTheLinesOfRobotsThatRefused) {
  web.page("http://a.test/robots.txt", {.body = "User-agent: *\nDisallow: /no\nDisallow: /cart*\nCrawl-delay: 2\n"});
  web.page("http://a.test/", {.body = "page /no/1\npage /no/2\npage /cart/1\npage /yes\n"});
  web.page("http://a.test/yes");
  ASSERT_TRUE(crawl({"http://a.test/"}));
  const HostReport report = loop->hosts().at(0);
  ASSERT_EQ(report.robots_lines.size(), 2u);
  EXPECT_EQ(report.robots_lines[0].line, 2u);
  EXPECT_EQ(report.robots_lines[0].refused, 2u);
  EXPECT_EQ(report.robots_lines[1].rule, "/cart*");
  EXPECT_EQ(report.by_cause.at("robots"), 3u);
  EXPECT_EQ(report.crawl_delay, 2.0);
}

TEST_F(FetchLoopTest, ACircleIsLeftOnceItsCookieIsSet) {
  web.page("http://a.test/", {.body = "page /gate\npage /wall\npage /circle\n"});
  web.cookie_pages["http://a.test/gate"] = {"in=1", {.status = 302, .headers = {{"Location", "/gate"}, {"Set-Cookie", "in=1; Path=/"}}}};
  web.cookie_pages["http://a.test/wall"] = {"seen=1", {.status = 302, .headers = {{"Location", "/set"}}}};
  web.page("http://a.test/set", {.status = 302, .headers = {{"Location", "/wall"}, {"Set-Cookie", "seen=1; Path=/"}}});
  web.page("http://a.test/circle", {.status = 302, .headers = {{"Location", "/circle"}}});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://a.test/gate"), Cause::kNone);
  EXPECT_EQ(ended["http://a.test/gate"].redirect, "");
  EXPECT_EQ(ended["http://a.test/set"].url, "http://a.test/wall") << "what /set pointed to is kept under its own address";
  EXPECT_EQ(ended["http://a.test/set"].redirect, "");
  EXPECT_EQ(cause("http://a.test/circle"), Cause::kRedirects);
  const std::vector<std::string> asked = web.asked_urls();
  EXPECT_LE(std::count(asked.begin(), asked.end(), "http://a.test/circle"), 2);
}

TEST_F(FetchLoopTest, PagesThatAreAllTheSameLeadNowhere) {
  settings.repeats_max.value = 5;
  std::string body;
  for (int i = 0; i < 30; ++i) {
    body += fmt::format("page /{}/\n", i);
    web.page(fmt::format("http://a.test/{}/", i), {.body = "page deeper/\n"});
  }
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(loop->totals().pages, 31u) << "they are kept";
  EXPECT_EQ(loop->hosts().at(0).pages_repeated, 25u);
  const std::vector<std::string> asked = web.asked_urls();
  EXPECT_EQ(std::count_if(asked.begin(), asked.end(), [](const std::string& url) { return url.ends_with("deeper/"); }), 5);
}

TEST_F(FetchLoopTest, HostsOfOneDomainShareTheirDelayWhenAsked) {
  settings.politeness_by.value = "domain";
  for (const std::string host : {"http://a.shop.test/", "http://b.shop.test/", "http://other.test/"}) {
    web.page(host, {.body = "page /1\npage /2\n"});
    for (int i = 1; i < 3; ++i) web.page(host + std::to_string(i));
  }
  ASSERT_EQ(*crawl({"http://a.shop.test/", "http://b.shop.test/", "http://other.test/"}), CrawlEnd::kFinished);
  std::optional<std::chrono::milliseconds> last;
  int asked = 0;
  for (const auto& one : web.asked) {
    if (one.url.find("shop.test") == std::string::npos) continue;
    if (last) { EXPECT_GE(one.at - *last, 1s) << one.url; }
    last = one.at;
    ++asked;
  }
  EXPECT_EQ(asked, 8);
  settings.politeness_by.value = "planet";
  EXPECT_FALSE(FetchLoop::make({frontier, web, clock, *rules, *documents}, settings));
}

TEST_F(FetchLoopTest, HostsOfOneAddressShareTheirDelayOnceItIsKnown) {
  settings.politeness_by.value = "address";
  web.peer_address = "93.184.215.14";
  for (const std::string host : {"http://a.test/", "http://b.test/"}) {
    web.page(host, {.body = "page /1\npage /2\n"});
    for (int i = 1; i < 3; ++i) web.page(host + std::to_string(i));
  }
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/"}), CrawlEnd::kFinished);
  EXPECT_GE(clock.passed(), 6s) << "six requests after the two robots.txt that told the address";
  EXPECT_EQ(loop->totals().pages, 6u);
}

TEST_F(FetchLoopTest, TheBandwidthLimitHoldsOnAverage) {
  settings.bytes_per_second.value = 100'000;
  settings.host_delay.value = 0ms;
  settings.per_host.value = 4;
  std::string body;
  for (int i = 0; i < 10; ++i) {
    body += fmt::format("page /{}\n", i);
    web.page(fmt::format("http://a.test/{}", i), {.body = std::string(static_cast<std::size_t>(100'000 + i), '.')});
  }
  web.page("http://a.test/", {.body = body});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_GE(clock.passed(), 6s) << "a megabyte, of which the last four pages may come at once";
  EXPECT_LT(clock.passed(), 13s);
}

TEST_F(FetchLoopTest, ASlowHostIsLeftAloneInProportion) {
  settings.host_delay.value = 100ms;
  settings.delay_factor.value = 2;
  web.page("http://a.test/", {.body = "page /1\npage /2\n"});
  web.page("http://a.test/1", {.after = 3s});
  web.page("http://a.test/2");
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_GE(gaps("a.test").back(), 9s);
}

TEST_F(FetchLoopTest, PassingFailuresAreRetriedAFewTimes) {
  web.page("http://a.test/", {.body = "page /500\npage /404\n"});
  web.page("http://a.test/500", {.status = 500});
  ASSERT_TRUE(crawl({"http://a.test/"}));
  const std::vector<std::string> asked = web.asked_urls();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "http://a.test/500"), 3);
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "http://a.test/404"), 1);
  EXPECT_EQ(cause("http://a.test/500"), Cause::kStatus);
  EXPECT_EQ(cause("http://a.test/404"), Cause::kNotFound);
}

TEST_F(FetchLoopTest, EachRedirectIsJudged) {
  const auto to = [](std::string where) { return fakes::FakeWeb::Answer{.status = 302, .headers = {{"Location", std::move(where)}}}; };
  settings.redirects_max.value = 4;
  web.page("http://a.test/robots.txt", {.body = "User-agent: *\nDisallow: /no\n"});
  web.page("http://a.test/", {.body = "page /good\npage /out\npage /forbidden\npage /loop\npage /self\npage /chain0\npage /missing\n"});
  web.page("http://a.test/good", to("/target"));
  web.page("http://a.test/target");
  web.page("http://a.test/out", to("http://elsewhere.test/"));
  web.page("http://a.test/forbidden", to("/no/x"));
  web.page("http://a.test/loop", to("/loop2"));
  web.page("http://a.test/loop2", to("/loop"));
  web.page("http://a.test/self", to("/self#x"));
  for (int i = 0; i < 10; ++i) web.page(fmt::format("http://a.test/chain{}", i), to(fmt::format("/chain{}", i + 1)));
  web.page("http://a.test/missing", {.status = 301, .headers = {}});
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_EQ(cause("http://a.test/good"), Cause::kNone);
  EXPECT_EQ(ended["http://a.test/good"].redirect, "http://a.test/target");
  EXPECT_EQ(cause("http://a.test/target"), Cause::kNone);
  EXPECT_EQ(cause("http://a.test/out"), Cause::kScope);
  EXPECT_EQ(cause("http://a.test/no/x"), Cause::kRobots);
  EXPECT_EQ(cause("http://a.test/loop2"), Cause::kRedirects);
  EXPECT_EQ(cause("http://a.test/self"), Cause::kRedirects);
  EXPECT_EQ(cause("http://a.test/chain4"), Cause::kRedirects);
  EXPECT_FALSE(ended.contains("http://a.test/chain5"));
  EXPECT_EQ(cause("http://a.test/missing"), Cause::kProtocol);
  EXPECT_THAT(web.asked_urls(), Not(Contains(::testing::HasSubstr("elsewhere"))));
}

TEST_F(FetchLoopTest, SitemapsOfRobotsAreReadWithTheirImages) {
  web.page("http://a.test/robots.txt", {.body = "Sitemap: http://a.test/index.xml\nSitemap: http://other.test/s.xml\n"});
  web.page("http://a.test/");
  web.page("http://a.test/index.xml", {.body = "<sitemapindex><sitemap><loc>/s1.xml</loc></sitemap></sitemapindex>"});
  web.page("http://a.test/s1.xml", {.body = "<urlset><url><loc>/found</loc><image:image><image:loc>/f.jpg</image:loc></image:image></url>"
                                            "<url><loc>http://other.test/</loc></url></urlset>"});
  web.page("http://a.test/found");
  web.page("http://a.test/f.jpg", {.headers = {{"Content-Type", "image/png"}}});
  ASSERT_TRUE(crawl({"http://a.test/"}));
  EXPECT_EQ(cause("http://a.test/found"), Cause::kNone);
  EXPECT_EQ(cause("http://a.test/f.jpg"), Cause::kNone);
  EXPECT_EQ(loop->totals().sitemaps, 2u);
  EXPECT_THAT(web.asked_urls(), Not(Contains(::testing::HasSubstr("other.test"))));
}

TEST_F(FetchLoopTest, AHostThatCannotBeReachedIsGivenUpWithItsCause) {
  web.page("http://a.test/robots.txt", {.cause = HttpCause::kDns});
  web.page("http://b.test/robots.txt", {.status = 500});
  ASSERT_EQ(*crawl({"http://a.test/", "http://b.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(cause("http://a.test/"), Cause::kDns);
  EXPECT_EQ(cause("http://b.test/"), Cause::kRobots);
  EXPECT_THAT(web.asked_urls(), Not(Contains("http://b.test/")));
}

TEST_F(FetchLoopTest, PagesOfAHostHaveALimitAndItsPicturesNone) {
  settings.pages_per_host_max.value = 3;
  web.page("http://a.test/", {.body = "page /1\npage /2\npage /3\npage /4\nimage /1.jpg\nimage /2.jpg\nimage /3.jpg\n"});
  for (int i = 1; i < 5; ++i) {
    web.page(fmt::format("http://a.test/{}", i));
    web.page(fmt::format("http://a.test/{}.jpg", i), {.headers = {{"Content-Type", "image/jpeg"}}});
  }
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kFinished);
  EXPECT_EQ(loop->totals().pages, 3u);
  EXPECT_EQ(loop->totals().images, 3u);
  EXPECT_EQ(frontier.counts(1).queued, 2u);
}

TEST_F(FetchLoopTest, TimeOverStopsStartingAndReturnsWhatIsInFlight) {
  settings.run_max.value = 5s;
  web.pages["http://a.test/robots.txt"] = [](int) { return fakes::FakeWeb::Answer{.status = 404}; };
  std::string body;
  for (int i = 0; i < 100; ++i) body += fmt::format("page /{}\n", i);
  web.page("http://a.test/", {.body = body});
  for (int i = 0; i < 100; ++i) web.page(fmt::format("http://a.test/{}", i), {.after = i == 2 ? std::chrono::milliseconds(60s) : 10ms});
  ASSERT_EQ(*crawl({"http://a.test/"}), CrawlEnd::kTimeOver);
  pipeline();
  EXPECT_LE(clock.passed(), 16s);
  EXPECT_EQ(frontier.counts(1).in_flight, 0u) << "what did not end waits again";
  EXPECT_GT(frontier.counts(1).queued, 90u);
}

TEST_F(FetchLoopTest, AFullQueueHoldsNewFetchesBack) {
  settings.host_delay.value = 0ms;
  settings.per_host.value = 50;
  std::string body;
  for (int i = 0; i < 40; ++i) body += fmt::format("page /{}\n", i);
  web.page("http://a.test/", {.body = body});
  std::size_t most = 0;
  for (int i = 0; i < 40; ++i) {
    web.pages[fmt::format("http://a.test/{}", i)] = [&](int) {
      most = std::max(most, web.in_flight() + 1 + documents->size());
      return fakes::FakeWeb::Answer{};
    };
  }
  ASSERT_EQ(*crawl({"http://a.test/"}, /*queue_size=*/4), CrawlEnd::kFinished);
  EXPECT_LE(most, 4u);
  EXPECT_EQ(loop->totals().pages, 41u);
}

// A small real server: what arrives, when, is the server's own word.
class LocalServer {
 public:
  struct Hit {
    std::string path;
    std::chrono::steady_clock::time_point at;
  };
  LocalServer() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    origin = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    thread_ = std::jthread([this] { serve(); });
  }
  ~LocalServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string origin;
  std::map<std::string, std::function<std::string(int nth)>> answers;  // whole answers; set before the crawl
  std::vector<Hit> hits;                                               // read after the crawl

 private:
  void serve() {
    std::map<std::string, int> counts;
    while (true) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      std::string request(8'192, '\0');
      const ssize_t got = recv(client, request.data(), request.size(), 0);
      std::istringstream words(request.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
      std::string method, path;
      words >> method >> path;
      hits.push_back({path, std::chrono::steady_clock::now()});
      const std::string answer = answers.contains(path) ? answers[path](counts[path]++)
                                                        : "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
      send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
      close(client);
    }
  }
  int listener_ = -1;
  std::jthread thread_;
};

std::string http(std::string_view body, std::string_view type = "text/html") {
  return fmt::format("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", type, body.size(), body);
}

TEST(FetchLoopOnSockets, CrawlsARealServerPolitely) {
  LocalServer server;
  server.answers["/robots.txt"] = [](int) { return http("User-agent: *\nDisallow: /no\n", "text/plain"); };
  server.answers["/"] = [](int) {
    return http("page /1\npage /2\npage /no\npage /busy\nimage /i.png\npage /moved\npage http://127.0.0.1:1/\n");
  };
  server.answers["/1"] = server.answers["/2"] = [](int) { return http("page /\n"); };
  server.answers["/i.png"] = [](int) { return http("\x89PNG", "image/png"); };
  server.answers["/moved"] = [](int) {
    return std::string("HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n");
  };
  server.answers["/busy"] = [](int nth) {
    return nth > 0 ? http("") : std::string("HTTP/1.1 503 Busy\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
  };

  CrawlSettings settings;
  settings.tdm_file.value = false;
  settings.agent.value = "magpie";
  settings.host_delay.value = 100ms;
  settings.run_max.value = 30s;
  const SystemClock clock;
  fakes::MemoryFrontier frontier;
  const CrawlRules rules(1, settings, {*Url::parse(server.origin)});
  ASSERT_TRUE(frontier.add(std::vector{*rules.admit(*Url::parse(server.origin), UrlKind::kPage, 0).record}));
  auto client = HttpClient::make({.user_agent = *user_agent(settings), .addresses = {.allow_loopback = true}});
  ASSERT_TRUE(client);
  BoundedQueue<FetchedDocument> documents(8);
  auto loop = FetchLoop::make({frontier, **client, clock, rules, documents}, settings);
  ASSERT_TRUE(loop);
  std::jthread pipeline([&](std::stop_token stop) {
    while (auto document = documents.pop(stop)) {
      EXPECT_TRUE(frontier.add(links_of(*document, rules)));
      EXPECT_TRUE(frontier.acknowledge(document->signature, document->fetch.cause));
      (*loop)->wake();
    }
  });
  const auto end = (*loop)->run({});
  documents.close();
  pipeline.join();
  ASSERT_TRUE(end);
  EXPECT_EQ(*end, CrawlEnd::kFinished);

  std::vector<std::string> paths;
  for (std::size_t i = 0; i < server.hits.size(); ++i) {
    paths.push_back(server.hits[i].path);
    if (i == 0) continue;
    const auto gap = server.hits[i].at - server.hits[i - 1].at;
    // A server sees a request a little later than it starts.
    EXPECT_GE(gap + 10ms, server.hits[i - 1].path == "/busy" && std::count(paths.begin(), paths.end(), "/busy") == 1 ? 1'000ms : 100ms)
        << i;
  }
  EXPECT_EQ(paths.front(), "/robots.txt");
  EXPECT_THAT(paths, UnorderedElementsAre("/robots.txt", "/", "/1", "/2", "/busy", "/busy", "/i.png", "/moved"));
  EXPECT_EQ((*loop)->totals().pages, 4u);
  EXPECT_EQ((*loop)->totals().redirects, 1u);
}

}  // namespace
}  // namespace magpie::crawl
