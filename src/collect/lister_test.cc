#include "collect/lister.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/json_writer.h"
#include "crawl/fakes_for_test.h"

namespace magpie::collect {
namespace {

using crawl::fakes::FakeAnswer;
using crawl::fakes::FakeClock;
using crawl::fakes::FakeWeb;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Remembers, as the catalog does.
class MemorySink final : public ListingSink {
 public:
  Result<Taken> take(const Batch& batch, const std::function<std::string(const Taken&)>& state) override {
    if (calls_left == 0) return fail(Code::kUnavailable, "the disk is full");
    --calls_left;
    Taken taken;
    for (const Item& item : batch.items) {
      taken.cut = taken.news >= batch.news_max;
      if (taken.cut) break;
      const std::string label = item.labels.empty() ? "" : item.labels.front();
      const bool is_new = pictures.emplace(item.picture, label).second;
      if (is_new) order.push_back(item.picture);
      ++(is_new ? taken.news : taken.known);
      apis.insert(std::string(batch.api));
    }
    kept[std::string(batch.list)] = state(taken);
    return taken;
  }
  Result<std::map<std::string, std::string>> states() override { return kept; }
  Result<std::vector<std::string>> seen(std::string_view label, std::size_t limit) override {
    std::vector<std::string> urls;
    for (auto url = order.rbegin(); url != order.rend() && urls.size() < limit; ++url) {
      if (pictures.at(*url) == label) urls.push_back(*url);
    }
    return urls;
  }

  std::map<std::string, std::string> pictures;  // label by address
  std::vector<std::string> order;
  std::map<std::string, std::string> kept;
  std::set<std::string> apis;
  int calls_left = -1;  // then the disk is full; negative: never
};

std::string json_of(const std::vector<std::string>& urls) {
  JsonWriter json;
  json.begin_object().key("results").begin_array();
  for (const std::string& url : urls) json.begin_object().field("url", url).end_object();
  return json.end_array().end_object().take();
}

class ListerTest : public testing::Test {
 protected:
  ListerTest() {
    description.source = "cats";
    description.url = "https://api.test/{category}";
    description.categories = {{"black", "black"}, {"white", "white"}};
    description.items = *JsonPath::parse("results[]");
    description.fields.picture = *JsonPath::parse("url");
  }
  ListingCounts run(std::uint64_t most = 0) {
    Lister lister(description, {web, clock, sink}, {.pictures_max = most});
    auto done = lister.run({});
    EXPECT_TRUE(done) << done.error().message;
    return lister.counts();
  }
  void answer(const std::string& url, std::string body) { web.page(url, {.body = std::move(body)}); }

  Description description;
  FakeClock clock;
  FakeWeb web{clock};
  MemorySink sink;
};

TEST_F(ListerTest, AsksEachListOnceAndKeepsItsPace) {
  answer("https://api.test/black", json_of({"https://i.test/1", "https://i.test/2"}));
  answer("https://api.test/white", json_of({"https://i.test/3"}));
  const ListingCounts counts = run();
  EXPECT_THAT(sink.pictures, ElementsAre(std::pair("https://i.test/1", "black"), std::pair("https://i.test/2", "black"),
                                         std::pair("https://i.test/3", "white")));
  EXPECT_THAT(sink.apis, ElementsAre("https://api.test/black", "https://api.test/white"));
  EXPECT_EQ(counts.lists_done, 2u);
  EXPECT_EQ(counts.news, 3u);
  ASSERT_EQ(web.asked.size(), 2u);
  EXPECT_EQ(web.asked[1].at - web.asked[0].at, std::chrono::seconds(1));
  run();
  EXPECT_EQ(web.asked.size(), 2u) << "what is done is not asked for again";
}

TEST_F(ListerTest, RandomAnswersAreCollectedToTheLastListByList) {
  description.paging = Paging::kRandom;
  description.quiet_calls = 30;
  std::mt19937 random(7);
  web.site = [&](const HttpRequest& request) -> std::optional<FakeAnswer> {
    std::vector<std::string> urls;
    for (int i = 0; i < 5; ++i) urls.push_back(fmt::format("https://i.test{}/{}", request.url.pathname(), random() % 40));
    return FakeAnswer{.body = json_of(urls)};
  };
  const ListingCounts counts = run();
  EXPECT_EQ(sink.pictures.size(), 80u);
  EXPECT_EQ(counts.news, 80u);
  EXPECT_EQ(counts.listed, counts.news + counts.known);
  EXPECT_NE(web.asked[0].url, web.asked[1].url) << "lists take turns";
}

TEST_F(ListerTest, WhatIsTakenIsNamedInTheNextBody) {
  description.categories = {{"black", "black"}};
  description.paging = Paging::kRandom;
  description.body = R"({"exclude":"{seen}"})";
  std::vector<std::string> bodies;
  web.site = [&](const HttpRequest& request) -> std::optional<FakeAnswer> {
    bodies.push_back(*request.post);
    const std::size_t n = bodies.size();
    return FakeAnswer{.body = n > 3 ? json_of({}) : json_of({fmt::format("https://i.test/{}", n)})};
  };
  sink.calls_left = 2;
  Lister cut(description, {web, clock, sink}, {});
  EXPECT_EQ(cut.run({}).error().message, "the disk is full");
  sink.calls_left = -1;
  bodies.pop_back();  // as if that call had not been
  run();
  EXPECT_THAT(bodies, ElementsAre(R"({"exclude":[]})", R"({"exclude":["https://i.test/1"]})",
                                  R"({"exclude":["https://i.test/1","https://i.test/2"]})",
                                  R"({"exclude":["https://i.test/1","https://i.test/2","https://i.test/3"]})"));
}

TEST_F(ListerTest, AKilledRunGoesOnAtItsPage) {
  description.categories = {{"black", "black"}};
  description.url = "https://api.test/{category}?page={page}";
  description.paging = Paging::kPage;
  description.first = 1;
  for (int page = 1; page <= 4; ++page)
    answer(fmt::format("https://api.test/black?page={}", page), json_of({fmt::format("https://i.test/{}", page)}));
  answer("https://api.test/black?page=5", json_of({}));
  sink.calls_left = 2;
  Lister cut(description, {web, clock, sink}, {});
  EXPECT_FALSE(cut.run({}));
  sink.calls_left = -1;
  web.asked.clear();
  run();
  EXPECT_THAT(web.asked_urls(),
              ElementsAre("https://api.test/black?page=3", "https://api.test/black?page=4", "https://api.test/black?page=5"));
  EXPECT_EQ(sink.pictures.size(), 4u);
}

TEST_F(ListerTest, TroubleIsWaitedOutAndWhatNeverWillBeEndsItsList) {
  web.pages["https://api.test/black"] = [](int nth) {
    if (nth == 0) return FakeAnswer{.status = 429, .headers = {{"Retry-After", "40"}}};
    if (nth == 1) return FakeAnswer{.status = 500};
    if (nth == 2) return FakeAnswer{.body = "<html>busy</html>"};
    return FakeAnswer{.body = json_of({"https://i.test/1"})};
  };
  web.page("https://api.test/white", {.status = 404});
  const ListingCounts counts = run();
  EXPECT_EQ(sink.pictures.size(), 1u);
  EXPECT_GE(web.asked[1].at - web.asked[0].at, std::chrono::seconds(40));
  EXPECT_EQ(counts.lists_done, 1u);
  EXPECT_EQ(counts.lists_failed, 1u);
  EXPECT_THAT(counts.problems, ElementsAre("white: https://api.test/white answered 404"));
}

TEST_F(ListerTest, ASourceThatAnswersNothingIsGivenUpAsAWhole) {
  description.limits.retries = 2;
  web.page("https://api.test/black", {.cause = HttpCause::kConnect});
  const ListingCounts counts = run();
  EXPECT_EQ(web.asked.size(), 3u);
  EXPECT_EQ(counts.lists_failed, 2u);
  EXPECT_THAT(counts.problems, ElementsAre(HasSubstr("3 times in a row")));
}

TEST_F(ListerTest, WhoWantsTooLongARestIsLeftAlone) {
  web.page("https://api.test/black", {.status = 429, .headers = {{"Retry-After", "86400"}}});
  const ListingCounts counts = run();
  EXPECT_EQ(web.asked.size(), 1u);
  EXPECT_THAT(counts.problems, ElementsAre("cats wants to be left alone for 86400 s; limits.wait_max allows 600 s"));
}

TEST_F(ListerTest, EnoughIsEnoughAndTheRestIsNotLost) {
  answer("https://api.test/black", json_of({"https://i.test/1", "https://i.test/2", "https://i.test/3"}));
  answer("https://api.test/white", json_of({"https://i.test/4"}));
  ListingCounts counts = run(/*most=*/2);
  EXPECT_EQ(sink.pictures.size(), 2u);
  EXPECT_EQ(counts.taken, 2u);
  EXPECT_EQ(run(2).news, 0u) << "the same run again";
  run(10);
  EXPECT_EQ(sink.pictures.size(), 4u);
}

TEST_F(ListerTest, RedirectsAreFollowedAndTakeNoHeadersElsewhere) {
  description.categories = {{"black", "black"}};
  description.headers = {{"X-Key", "secret"}};
  std::vector<std::string> keys;
  web.site = [&](const HttpRequest& request) -> std::optional<FakeAnswer> {
    keys.emplace_back(find_header(request.headers, "X-Key").value_or("none"));
    if (request.url.href() == "https://api.test/black") return FakeAnswer{.status = 302, .headers = {{"Location", "/b"}}};
    if (request.url.href() == "https://api.test/b") return FakeAnswer{.status = 302, .headers = {{"Location", "https://new.test/"}}};
    return FakeAnswer{.body = json_of({"1.png"})};
  };
  run();
  EXPECT_THAT(keys, ElementsAre("secret", "secret", "none"));
  EXPECT_THAT(sink.order, ElementsAre("https://api.test/1.png"));
}

TEST_F(ListerTest, StopsAtOnce) {
  std::stop_source stop;
  stop.request_stop();
  Lister lister(description, {web, clock, sink}, {});
  EXPECT_TRUE(lister.run(stop.get_token()));
  EXPECT_THAT(web.asked, IsEmpty());
}

}  // namespace
}  // namespace magpie::collect
