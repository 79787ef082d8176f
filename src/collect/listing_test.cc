#include "collect/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/pace.h"

namespace magpie::collect {
namespace {

using testing::HasSubstr;

Items items_of(std::initializer_list<const char*> pictures, std::string next = {}) {
  Items items;
  for (const char* picture : pictures) items.items.push_back({.picture = picture});
  items.next = std::move(next);
  return items;
}

std::string url_of(const Description& made, const Category& category, const ListState& state) {
  const auto request = next_request(made, category, state, {});
  return request ? request->url.href() : request.error().message;
}

TEST(Listing, PagesEndWithOneThatIsEmptyOrTheSameAgain) {
  Description made;
  made.url = "https://api.test/{category}?page={page}";
  made.paging = Paging::kPage;
  made.first = 1;
  ListState state;
  EXPECT_EQ(url_of(made, {"a cat/b"}, state), "https://api.test/a%20cat/b?page=1");
  state = advance(made, state, items_of({"1", "2"}), 2);
  EXPECT_FALSE(state.done);
  EXPECT_EQ(url_of(made, {"cat"}, state), "https://api.test/cat?page=2");
  const ListState second = advance(made, state, items_of({"3"}), 1);
  EXPECT_TRUE(advance(made, second, items_of({}), 0).done);
  EXPECT_TRUE(advance(made, second, items_of({"3"}), 0).done) << "the last page again";
  EXPECT_FALSE(advance(made, second, items_of({"4"}), 0).done) << "known pictures end nothing: news may stand behind them";
}

TEST(Listing, OffsetsGrowByWhatCame) {
  Description made;
  made.url = "https://api.test/?skip={offset}";
  made.paging = Paging::kOffset;
  made.step = 0;
  ListState state = advance(made, {}, items_of({"1", "2", "3"}), 3);
  EXPECT_EQ(url_of(made, {}, state), "https://api.test/?skip=3");
  made.step = 10;
  EXPECT_EQ(url_of(made, {}, advance(made, state, items_of({"4"}), 1)), "https://api.test/?skip=13");
}

TEST(Listing, CursorsAreWordsOrAddresses) {
  Description made;
  made.url = "https://api.test/list?after={cursor}";
  made.paging = Paging::kCursor;
  EXPECT_EQ(url_of(made, {}, {}), "https://api.test/list?after=");
  EXPECT_EQ(url_of(made, {}, advance(made, {}, items_of({"1"}, "a&b"), 1)), "https://api.test/list?after=a%26b");
  EXPECT_EQ(url_of(made, {}, advance(made, {}, items_of({"1"}, "/list?p=2"), 1)), "https://api.test/list?p=2");
  EXPECT_EQ(url_of(made, {}, advance(made, {}, items_of({"1"}, "https://api.test/x"), 1)), "https://api.test/x");
  EXPECT_THAT(url_of(made, {}, advance(made, {}, items_of({"1"}, "https://other.test/x"), 1)), HasSubstr("leads on to another host"));
  EXPECT_TRUE(advance(made, {}, items_of({"1"}), 1).done);
  const ListState second = advance(made, {}, items_of({"1"}, "x"), 1);
  EXPECT_TRUE(advance(made, second, items_of({"2"}, "x"), 1).done) << "the same cursor again";
}

TEST(Listing, RandomCallsEndAfterSomeWithoutNews) {
  Description made;
  made.paging = Paging::kRandom;
  made.quiet_calls = 2;
  ListState state = advance(made, {}, items_of({"1"}), 1);
  state = advance(made, state, items_of({"1"}), 0);
  EXPECT_FALSE(state.done);
  state = advance(made, state, items_of({"2"}), 1);
  state = advance(made, state, items_of({"2"}), 0);
  EXPECT_FALSE(state.done);
  EXPECT_TRUE(advance(made, state, items_of({"1"}), 0).done);
  EXPECT_TRUE(advance(made, {}, items_of({}), 0).done) << "nothing is left";
}

TEST(Listing, NoListIsCalledMoreThanItsMost) {
  Description made;
  made.paging = Paging::kPage;
  made.calls_max = 2;
  const ListState state = advance(made, {}, items_of({"1"}), 1);
  EXPECT_FALSE(state.done);
  EXPECT_TRUE(advance(made, state, items_of({"2"}), 1).done);
}

TEST(Listing, BodiesAreFilledIn) {
  Description made;
  made.url = "https://api.test/many";
  made.body = R"({"exclude":"{seen}","of":"{category}","page":"{page}","text":"page {page} of {category}"})";
  made.paging = Paging::kPage;
  made.first = 3;
  made.seen_max = 2;
  const std::vector<std::string> seen = {"https://i.test/1", "https://i.test/\"{page}\"", "https://i.test/3"};
  const auto request = next_request(made, {.name = "a \"cat\""}, {}, seen);
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->post, R"({"exclude":["https://i.test/\"{page}\"","https://i.test/3"],"of":"a \"cat\"","page":3,)"
                           R"("text":"page 3 of a \"cat\""})");
  EXPECT_EQ(find_header(request->headers, "content-type"), "application/json");
  EXPECT_EQ(find_header(request->headers, "accept"), "application/json");
}

TEST(Listing, AStateComesBackAsItWas) {
  const ListState state{
      .calls = 3, .position = 60, .quiet = 1, .listed = 60, .malformed = 2, .taken = 41, .cursor = "a\"b", .last = 77, .done = true};
  EXPECT_EQ(state_from_json(to_json(state)), state);
  EXPECT_EQ(state_from_json("nonsense"), ListState());
  EXPECT_EQ(state_from_json(R"({"calls":"x","cursor":5})"), ListState());
}

class PaceTest : public testing::Test {
 protected:
  HttpResponse answer(int status, HttpHeaders headers = {}) const {
    return {.url = *Url::parse("https://api.test/"), .status = status, .headers = std::move(headers)};
  }
  std::chrono::milliseconds wait() const { return std::chrono::ceil<std::chrono::milliseconds>(pace.next_at() - now); }

  Pace pace{Limits{.requests_per_second = 4, .retries = 2}};
  SteadyTime now{std::chrono::hours(5)};
  Timestamp wall{std::chrono::milliseconds(1'795'000'000'000)};
};

TEST_F(PaceTest, KeepsItsOwnLimit) {
  EXPECT_LE(wait().count(), 0);
  pace.started(now);
  EXPECT_EQ(wait(), std::chrono::milliseconds(250));
}

TEST_F(PaceTest, WaitsUntilAQuotaIsFullAgain) {
  EXPECT_EQ(pace.answered(answer(200, {{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", "30"}}), now, wall), Verdict::kGood);
  EXPECT_LE(wait().count(), 0);
  EXPECT_EQ(pace.answered(answer(200, {{"x-rate-limit-remaining", "0"}, {"x-rate-limit-reset", "30"}}), now, wall), Verdict::kGood);
  EXPECT_EQ(wait(), 30s);
}

TEST_F(PaceTest, ObeysRetryAfterAndElseRestsLongerEachTime) {
  EXPECT_EQ(pace.answered(answer(429, {{"Retry-After", "7"}}), now, wall), Verdict::kAgain);
  EXPECT_EQ(wait(), 7s);
  now = pace.next_at();
  EXPECT_EQ(pace.answered(answer(503), now, wall), Verdict::kAgain);
  EXPECT_EQ(wait(), 2s);
  EXPECT_EQ(pace.answered(answer(500), now, wall), Verdict::kGiveUp);
  EXPECT_THAT(pace.why(), HasSubstr("answered 500, 3 times in a row"));
}

TEST_F(PaceTest, ReadAnswersForgiveAndUnreadableOnesDoNot) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(pace.answered(answer(500), now, wall), Verdict::kAgain);
    EXPECT_EQ(pace.answered(answer(200), now, wall), Verdict::kGood);
    pace.read_well();
  }
  EXPECT_EQ(pace.misread("no JSON", now), Verdict::kAgain);
  EXPECT_EQ(pace.answered(answer(200), now, wall), Verdict::kGood);
  EXPECT_EQ(pace.misread("no JSON", now), Verdict::kAgain);
  EXPECT_EQ(pace.misread("no JSON", now), Verdict::kGiveUp);
}

TEST_F(PaceTest, WhatNeverWillBeEndsOneList) {
  for (const int status : {301, 400, 401, 403, 404, 410, 501})
    EXPECT_EQ(pace.answered(answer(status), now, wall), Verdict::kListEnds) << status;
  HttpResponse refused = answer(0);
  refused.cause = HttpCause::kGuard;
  EXPECT_EQ(pace.answered(refused, now, wall), Verdict::kListEnds);
}

TEST(Pace, ReadsResetsOfAllKinds) {
  using std::chrono::milliseconds;
  const Timestamp now(milliseconds(1'795'000'000'000));  // 2026-11-18T11:06:40Z
  EXPECT_EQ(parse_reset("12", now), milliseconds(12'000));
  EXPECT_EQ(parse_reset("0.5", now), milliseconds(500));
  EXPECT_EQ(parse_reset("1795000060", now), milliseconds(60'000));
  EXPECT_EQ(parse_reset("1795000060000", now), milliseconds(60'000));
  EXPECT_EQ(parse_reset("1700000000", now), milliseconds(0)) << "past";
  EXPECT_EQ(parse_reset("Wed, 18 Nov 2026 11:07:40 GMT", now), parse_reset("2026-11-18T11:07:40Z", now));
  EXPECT_EQ(parse_reset("2026-11-18T11:06:45Z", now), milliseconds(5'000));
  EXPECT_EQ(parse_reset("2026-11-18T11:06:45.120Z", now), milliseconds(6'000)) << "never too early";
  for (const char* wrong : {"", "soon", "-5", "nan", "inf", "1e999"}) EXPECT_FALSE(parse_reset(wrong, now)) << wrong;
}

}  // namespace
}  // namespace magpie::collect
