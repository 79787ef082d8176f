#include "crawl/fetch_loop.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sstream>
#include <thread>

#include "crawl/fakes_for_test.h"

namespace magpie::crawl {
namespace {

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
    if (kind != "page" && kind != "image") continue;
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
  FetchLoopTest() { settings.agent.value = "magpie"; }

  Result<CrawlEnd> crawl(const std::vector<std::string>& seed_texts, std::size_t queue_size = 100) {
    std::vector<Url> seeds;
    for (const std::string& text : seed_texts) seeds.push_back(*Url::parse(text));
    rules.emplace(1, settings, seeds);
    documents.emplace(queue_size);
    for (const Url& seed : seeds) EXPECT_TRUE(frontier.add(std::vector{*rules->admit(seed, UrlKind::kPage, 0).record}));
    auto made = FetchLoop::make({frontier, web, clock, *rules, *documents}, settings);
    EXPECT_TRUE(made);
    loop = std::move(*made);
    web.before_poll = [this] { pipeline(); };
    return loop->run({});
  }

  void pipeline() {
    while (auto document = documents->try_pop()) {
      EXPECT_TRUE(frontier.add(links_of(*document, *rules)));
      EXPECT_TRUE(frontier.acknowledge(document->signature, document->fetch.cause));
      ended[document->url.url] = document->fetch;
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
  std::optional<CrawlRules> rules;
  std::optional<BoundedQueue<FetchedDocument>> documents;
  std::unique_ptr<FetchLoop> loop;
  std::map<std::string, Fetch> ended;
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
    EXPECT_GE(gap, server.hits[i - 1].path == "/busy" && std::count(paths.begin(), paths.end(), "/busy") == 1 ? 1'000ms : 100ms) << i;
  }
  EXPECT_EQ(paths.front(), "/robots.txt");
  EXPECT_THAT(paths, UnorderedElementsAre("/robots.txt", "/", "/1", "/2", "/busy", "/busy", "/i.png", "/moved"));
  EXPECT_EQ((*loop)->totals().pages, 4u);
  EXPECT_EQ((*loop)->totals().redirects, 1u);
}

}  // namespace
}  // namespace magpie::crawl
