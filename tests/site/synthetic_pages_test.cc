#include "synthetic_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <set>

namespace magpie::synthetic {
namespace {

WebSettings small_web() {
  WebSettings settings;
  settings.hosts = 3;
  settings.pages = 200;
  settings.huge_pages = 700;
  settings.branch = 5;
  settings.links = 8;
  settings.off_host = 0.3;
  settings.products = 0.4;
  settings.missing = 0.2;
  settings.failing = 0.1;
  settings.pictures = 2;
  settings.port = 80;
  return settings;
}

const std::vector<std::string> kPool = {"\xff\xd8\xff\xd9", "\xff\xd8\xff\xe0\xff\xd9"};

struct Page {
  int status = 0;
  std::string head, body;
};

Page get(Web& web, std::string_view url, Request request = {}) {
  url.remove_prefix(std::string_view("http://").size());
  request.host = url.substr(0, url.find('/'));
  request.path = url.substr(url.find('/'));
  std::string out;
  const Outcome outcome = web.answer(request, out);
  const auto end = out.find("\r\n\r\n");
  return {outcome.status, out.substr(0, end), end == out.npos ? "" : out.substr(end + 4)};
}

std::vector<std::string> links_of(const std::string& url, const std::string& body) {
  const std::string base = url.substr(0, url.find('/', 7));
  std::vector<std::string> links;
  for (const std::string_view attribute : {"href=\"", "src=\""}) {
    for (auto at = body.find(attribute); at != body.npos; at = body.find(attribute, at + 1)) {
      const auto from = at + attribute.size();
      const std::string link = body.substr(from, body.find('"', from) - from);
      links.push_back(link.front() == '/' ? base + link : link);
    }
  }
  return links;
}

std::string header(const Page& page, std::string_view name) {
  const auto from = page.head.find(name) + name.size() + 2;
  return page.head.substr(from, page.head.find("\r\n", from) - from);
}

TEST(SyntheticWeb, FollowingLinksFromTheFrontPagesFindsExactlyWhatItLists) {
  Web web(small_web(), kPool);
  std::set<std::string> listed;
  web.each_address([&](Kind, std::string_view url) { EXPECT_TRUE(listed.emplace(url).second) << url; });

  std::deque<std::string> waiting;
  std::set<std::string> seen;
  for (std::uint32_t host = 0; host < 3; ++host) seen.insert(waiting.emplace_back(web.address(host, "/")));
  while (!waiting.empty()) {
    const std::string url = waiting.front();
    waiting.pop_front();
    const Page page = get(web, url);
    EXPECT_EQ(page.status, url.find("/missing/") != url.npos ? 404 : url.find("/failing/") != url.npos ? 500 : 200) << url;
    if (page.status != 200) continue;
    for (const std::string& link : links_of(url, page.body)) {
      if (link.find("/forbidden/") == link.npos && seen.insert(link).second) waiting.push_back(link);
    }
  }
  EXPECT_EQ(seen, listed);
}

TEST(SyntheticWeb, IsTheSameForTheSameSeedAndAnotherForAnother) {
  WebSettings settings = small_web();
  Web one(settings, kPool), same(settings, kPool);
  settings.seed = 2;
  Web other(settings, kPool);
  const std::string url = one.address(1, "/");
  EXPECT_EQ(get(one, url).body, get(same, url).body);
  EXPECT_NE(get(one, url).body, get(other, url).body);
}

TEST(SyntheticWeb, NoTwoPicturesHaveTheSameBytes) {
  Web web(small_web(), kPool);
  std::set<std::string> bodies;
  std::size_t pictures = 0;
  web.each_address([&](Kind kind, std::string_view url) {
    if (kind != Kind::kPicture) return;
    ++pictures;
    const Page page = get(web, url);
    EXPECT_EQ(page.body.substr(0, 4), "\xff\xd8\xff\xfe");
    bodies.insert(page.body);
  });
  EXPECT_EQ(bodies.size(), pictures);
}

TEST(SyntheticWeb, AnUnchangedPageAnswers304AndAShareChangesWithEachGeneration) {
  WebSettings settings = small_web();
  settings.changing = 0.25;
  Web before(settings, kPool);
  settings.generation = 1;
  Web after(settings, kPool);
  int same = 0, changed = 0;
  before.each_address([&](Kind kind, std::string_view url) {
    if (kind != Kind::kPage) return;
    const Page first = get(before, url);
    const std::string tag = header(first, "ETag"), date = header(first, "Last-Modified");
    EXPECT_EQ(get(before, url, {.if_none_match = tag}).status, 304);
    EXPECT_EQ(get(before, url, {.if_modified_since = date}).status, 304);
    const Page second = get(after, url, {.if_none_match = tag});
    ++(second.status == 304 ? same : changed);
    EXPECT_EQ(second.status == 304, get(after, url).body == first.body) << url;
  });
  EXPECT_NEAR(changed / static_cast<double>(same + changed), 0.25, 0.05);
}

TEST(SyntheticWeb, PassingFaultsMeetTheFirstRequestOnly) {
  WebSettings settings = small_web();
  settings.busy = 0.3, settings.reset = 0.3;
  Web web(settings, kPool);
  int busy = 0, reset = 0;
  web.each_address([&](Kind kind, std::string_view url) {
    if (kind != Kind::kPage) return;
    const Page first = get(web, url);
    if (first.status == 503) { EXPECT_EQ(header(first, "Retry-After"), "1"); }
    busy += first.status == 503, reset += first.status == 0;
    EXPECT_EQ(get(web, url).status, 200);
  });
  EXPECT_GT(busy, 200);
  EXPECT_GT(reset, 200);
}

TEST(SyntheticWeb, EachHostGoesByItsAddressAndByItsName) {
  WebSettings settings = small_web();
  settings.hosts = 70'000;
  settings.huge_pages = 0;
  Web addresses(settings, kPool);
  settings.names = true;
  Web names(settings, kPool);
  for (const std::uint32_t host : {0u, 249u, 250u, 62'499u, 62'500u, 69'999u}) {
    const std::string body =
        get(addresses, addresses.address(host, "/page/7")).body + get(addresses, addresses.address(host, "/product/7")).body;
    EXPECT_THAT(body, testing::HasSubstr("7</h1>"));
    const Page by_name = get(addresses, names.address(host, "/"));
    EXPECT_EQ(by_name.body, get(addresses, addresses.address(host, "/")).body);
  }
  EXPECT_EQ(addresses.address(250, "/"), "http://127.0.1.1:80/");
  EXPECT_EQ(names.address(250, "/"), "http://h250.localhost:80/");
  EXPECT_EQ(get(addresses, "http://127.9.9.9:80/").status, 421);
  EXPECT_EQ(get(addresses, "http://127.0.0.1:80/page/007").status, 404);
}

}  // namespace
}  // namespace magpie::synthetic
