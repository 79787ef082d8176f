// The API over real HTTP on loopback, on a small real collection. Every answer is checked against its schema in docs/openapi.yaml.
#include "serve/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "api_collection.h"
#include "base/files.h"
#include "openapi_schema.h"
#include "serve/event_hub.h"

namespace magpie {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const OpenApi& openapi() {
  static const OpenApi file(MAGPIE_SOURCE_DIR "/docs/openapi.yaml");
  return file;
}

struct Parsed {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  explicit Parsed(const std::string& json) { EXPECT_EQ(parser.parse(json).get(root), simdjson::SUCCESS) << json; }
  simdjson::dom::element at(std::string_view pointer) const {
    simdjson::dom::element found;
    EXPECT_EQ(root.at_pointer(pointer).get(found), simdjson::SUCCESS) << pointer << " in " << simdjson::minify(root);
    return found;
  }
  std::string text(std::string_view pointer) const { return std::string(std::string_view(at(pointer))); }
  std::uint64_t number(std::string_view pointer) const { return std::uint64_t(at(pointer)); }
};

/// The answer's body, which must be 200 and follow the schema.
Parsed expect_answer(const TestReply& reply, const std::string& schema, int status = 200) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_EQ(openapi().judge(schema, reply.body), "") << reply.body;
  return Parsed(reply.body);
}

void expect_problem(const TestReply& reply, int status, const std::string& code) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.header("content-type"), "application/problem+json");
  EXPECT_EQ(openapi().judge("Problem", reply.body), "") << reply.body;
  if (reply.status == status) { EXPECT_EQ(Parsed(reply.body).text("/code"), code) << reply.body; }
}

std::vector<std::uint64_t> ids(const Parsed& answer) {
  std::vector<std::uint64_t> all;
  for (const simdjson::dom::element hit : simdjson::dom::array(answer.at("/hits"))) all.push_back(std::uint64_t(hit["image_id"]));
  return all;
}

constexpr const char* kJson = "application/json";

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

/// The answer to the same query by its address and as JSON, which must agree; its echo, sent back, must get it once more.
Parsed ask_both_ways(const TestCollection& collection, const std::string& address, const std::string& json) {
  const auto post = [&](const std::string& body) {
    return expect_answer(collection.ask("POST", "/api/v1/search", {{"Content-Type", kJson}}, body), "SearchAnswer");
  };
  Parsed by_address = expect_answer(collection.get("/api/v1/search?" + address), "SearchAnswer");
  const Parsed by_json = post(json);
  const std::string echo = simdjson::minify(by_address.at("/query"));
  EXPECT_EQ(simdjson::minify(by_json.at("/query")), echo);
  EXPECT_EQ(ids(by_json), ids(by_address)) << echo;
  const Parsed again = post(echo);
  EXPECT_EQ(ids(again), ids(by_address)) << echo;
  EXPECT_EQ(again.number("/total"), by_address.number("/total")) << echo;
  return by_address;
}

TEST(ApiSearch, FindsByWords) {
  const TestCollection collection;
  const TestReply reply = collection.get("/api/v1/search?q=red+chair&facets=true");
  const Parsed answer = expect_answer(reply, "SearchAnswer");
  EXPECT_EQ(reply.header("cache-control"), "no-store");
  EXPECT_EQ(ids(answer), std::vector<std::uint64_t>{TestCollection::kChair});
  EXPECT_EQ(answer.number("/total"), 1u);
  EXPECT_EQ(answer.number("/hits/0/copies"), 1u);
  EXPECT_EQ(answer.number("/hits/0/width"), 1'000u);  // upright
  EXPECT_EQ(answer.number("/hits/0/height"), 2'000u);
  EXPECT_EQ(answer.text("/hits/0/title"), "Red chair");
  EXPECT_EQ(answer.text("/hits/0/price/amount"), "129.95");
  EXPECT_EQ(answer.text("/hits/0/fetched_at"), "2026-11-21T23:14:05Z");
  EXPECT_EQ(answer.text("/query/q"), "red chair");
  EXPECT_EQ(answer.text("/facets/shop/0/value"), "shop.test");
  EXPECT_EQ(answer.text("/facets/price/0/currency"), "EUR");
}

TEST(ApiSearch, WithoutAQueryGivesTheWholeCollection) {
  const TestCollection collection;
  const Parsed answer = expect_answer(collection.get("/api/v1/search"), "SearchAnswer");
  EXPECT_EQ(answer.number("/total"), 2u);  // the copy is collapsed, the hidden one is not found
  EXPECT_EQ(answer.number("/limit"), 40u);
  const Parsed none = expect_answer(collection.get("/api/v1/search?limit=0&offset=5"), "SearchAnswer");
  EXPECT_EQ(none.number("/total"), 2u);
  EXPECT_TRUE(ids(none).empty());
}

TEST(ApiSearch, FiltersAndSays) {
  const TestCollection collection;
  const Parsed dear =
      expect_answer(collection.get("/api/v1/search?price_min=100&price_max=200.5&currency=EUR&shop=shop.test&sort=price"), "SearchAnswer");
  EXPECT_EQ(dear.number("/total"), 1u);
  EXPECT_EQ(dear.text("/query/price_max"), "200.5");
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?price_min=200&currency=EUR"), "SearchAnswer").number("/total"), 0u);
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?shop=shop.test&shop=toys.test&colour=red"), "SearchAnswer").number("/total"), 2u);
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?since=2026-11-22T00:00:00Z"), "SearchAnswer").number("/total"), 0u);
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?since=2026-11-22T00:14:05%2B01:00"), "SearchAnswer").number("/total"), 2u);
}

TEST(ApiSearch, FindsMoreLikeAPicture) {
  const TestCollection collection;
  const Parsed answer = expect_answer(collection.get("/api/v1/search?like=3"), "SearchAnswer");
  EXPECT_EQ(answer.number("/query/like/0"), 3u);
  for (const std::uint64_t id : ids(answer)) EXPECT_NE(id, TestCollection::kHorse);
  expect_problem(collection.get("/api/v1/search?like=77"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/search?like=9007199254740991"), 404, "image_not_found");
}

TEST(ApiSearch, IsTheSameQueryInAnAddressAndAsJson) {
  TestCollection collection;
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(ids(ask_both_ways(collection, "q=chair&colour=red&sort=price-desc", R"({"q":"chair","colour":["red"],"sort":"price-desc"})")),
            Ids{1});
  EXPECT_EQ(ids(ask_both_ways(collection, "like=1.1*0.5&like=3.2", R"({"like":["1.1*0.5","3.2"]})")), Ids{});
  EXPECT_EQ(ids(ask_both_ways(collection, "unlike=3", R"({"unlike":[3]})")), Ids{1}) << "without a like: what the horse finds is left out";
  EXPECT_EQ(ids(ask_both_ways(collection, "unlike=1&beyond=true", R"({"unlike":[1],"beyond":true})")), Ids{3});
  EXPECT_EQ(ids(ask_both_ways(collection, "pixels_min=300000", R"({"pixels_min":300000})")), Ids{1});
  EXPECT_EQ(ids(ask_both_ways(collection, "pixels_max=300000", R"({"pixels_max":300000})")), Ids{3});
  EXPECT_EQ(ids(ask_both_ways(collection, "until=2026-11-21T23:14:05Z", R"({"until":"2026-11-21T23:14:05Z"})")), Ids{});
  const auto post = [&](const std::string& target, const std::string& body) {
    return collection.ask("POST", target, {{"Content-Type", kJson}}, body);
  };
  expect_problem(post("/api/v1/search?q=x", "{}"), 400, "parameter_unknown");
  expect_problem(post("/api/v1/search", "[1]"), 400, "request_malformed");
  expect_problem(post("/api/v1/search", R"({"colur":"red"})"), 400, "parameter_unknown");
  expect_problem(post("/api/v1/search", R"({"price_min":9.5})"), 400, "request_malformed");
  expect_problem(post("/api/v1/search", R"({"limit":"5"})"), 400, "request_malformed");
}

TEST(ApiSearch, HasPhrasesAndLeavesOutWords) {
  TestCollection collection;
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(ids(ask_both_ways(collection, "q=%22red+chair%22", R"({"q":"\"red chair\""})")), Ids{1});
  EXPECT_EQ(ids(ask_both_ways(collection, "q=%22chair+red%22", R"({"q":"\"chair red\""})")), Ids{});
  EXPECT_EQ(ids(ask_both_ways(collection, "q=-chair", R"({"q":"-chair"})")), Ids{3}) << "all but what has the word";
  EXPECT_EQ(ids(ask_both_ways(collection, "q=-%22red+chair%22", R"({"q":"-\"red chair\""})")), Ids{3});
  EXPECT_EQ(ask_both_ways(collection, "q=-%22chair+red%22", R"({"q":"-\"chair red\""})").number("/total"), 2u);
  EXPECT_EQ(ids(ask_both_ways(collection, "q=chair+-oak", R"({"q":"chair -oak"})")), Ids{});
  EXPECT_EQ(ids(ask_both_ways(collection, "like=1.1&q=-chair", R"({"like":["1.1"],"q":"-chair"})")), Ids{3});
  EXPECT_EQ(ids(ask_both_ways(collection, "like=1.1&q=-horse", R"({"like":["1.1"],"q":"-horse"})")), Ids{});
}

TEST(ApiSearch, SaysWhyWhenItIsAsked) {
  const TestCollection collection;
  const Parsed words = expect_answer(
      collection.get("/api/v1/search?q=red+chairs&why=true&shop=shop.test&colour=red&price_min=100&currency=EUR&pixels_min=5"),
      "SearchAnswer");
  EXPECT_EQ(
      simdjson::minify(words.at("/hits/0/why/words")),
      R"([{"word":"red","phrase":false,"fields":["title","alt"]},{"word":"chairs","phrase":false,"fields":["title","alt","keywords"]}])");
  EXPECT_EQ(simdjson::minify(words.at("/hits/0/why/filters")),
            R"([{"name":"shop","value":"shop.test"},{"name":"colour","value":"red"},{"name":"currency","value":"EUR"},)"
            R"({"name":"price_min","value":"129.95"},{"name":"pixels_min","value":"2000000"}])");
  EXPECT_EQ(words.text("/hits/0/why/fields/0/from"), "json-ld");
  EXPECT_TRUE(words.at("/hits/0/why/similarity").is_null());
  const Parsed alike = expect_answer(collection.get("/api/v1/search?like=1.1&why=true"), "SearchAnswer");
  EXPECT_EQ(alike.text("/hits/0/why/region_class"), "Chair");
  EXPECT_GT(double(alike.at("/hits/0/why/similarity")), 0.9);
  EXPECT_TRUE(alike.at("/hits/0/why/percentile").is_number());
  simdjson::dom::element none;
  const Parsed plain = expect_answer(collection.get("/api/v1/search?q=red+chairs"), "SearchAnswer");
  EXPECT_NE(plain.root.at_pointer("/hits/0/why").get(none), simdjson::SUCCESS);
}

TEST(ApiSearch, HoldsBackWhatIsMoreOfAShop) {
  const TestCollection collection;
  const Parsed answer = ask_both_ways(collection, "per_shop=1&per_brand=2", R"({"per_shop":1,"per_brand":2})");
  EXPECT_EQ(answer.number("/total"), 2u);
  EXPECT_EQ(answer.number("/listed"), 2u) << "one hit of each of two shops";
  EXPECT_EQ(answer.number("/hits/0/more_of_shop"), 0u);
  expect_problem(collection.get("/api/v1/search?per_shop=0"), 400, "parameter_invalid");
}

TEST(ApiSearch, TakesSeveralPicturesWithTheirWeights) {
  TestCollection collection;
  const Parsed uploaded =
      expect_answer(collection.ask("POST", "/api/v1/search?limit=0", {{"Content-Type", "image/*"}}, "chair"), "SearchAnswer");
  const std::string chair = uploaded.text("/picture_token");
  const Parsed both = ask_both_ways(collection, "like=" + chair + "&like=" + chair + "*0.25&unlike=3*0.1",
                                    R"({"like":[")" + chair + R"(",")" + chair + R"(*0.25"],"unlike":["3*0.1"]})");
  EXPECT_EQ(ids(both), std::vector<std::uint64_t>{TestCollection::kChair});
  EXPECT_EQ(both.text("/picture_token"), chair);
  // More of the horse than of the chair: the horse comes first, and the other way round.
  const Parsed horse = expect_answer(
      collection.ask("POST", "/api/v1/search?beyond=true&like=" + chair + "*0.5", {{"Content-Type", "image/*"}}, "horse"), "SearchAnswer");
  EXPECT_EQ(horse.number("/hits/0/image_id"), TestCollection::kHorse);
  EXPECT_NE(horse.text("/picture_token"), chair);
  expect_problem(collection.get("/api/v1/search?like=" + chair + "&unlike=" + chair + "*1"), 400, "parameter_invalid");
  expect_problem(collection.get("/api/v1/search?like=0123456789abcdef0123456789abcdef"), 410, "picture_expired");
}

TEST(ApiSearch, FindsWhatIsLikeAPartOfAPicture) {
  const TestCollection collection;
  const Parsed chairs = expect_answer(collection.get("/api/v1/search?like=1&region=1"), "SearchAnswer");
  EXPECT_EQ(ids(chairs), std::vector<std::uint64_t>{TestCollection::kHorse});
  EXPECT_EQ(chairs.number("/hits/0/region"), 1u) << "the chair in the horse's picture";
  EXPECT_EQ(chairs.text("/query/like/0"), "1.1");
  EXPECT_EQ(ids(expect_answer(collection.get("/api/v1/search?like=1.1"), "SearchAnswer")), ids(chairs));
  const Parsed all = expect_answer(collection.get("/api/v1/search?like=1.1&same_class=false"), "SearchAnswer");
  EXPECT_EQ(all.number("/hits/0/region"), 2u) << "the dog is more like it";
  expect_problem(collection.get("/api/v1/search?like=1&region=2"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/search?like=1.2"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/search?region=1"), 400, "parameter_missing");
  expect_problem(collection.get("/api/v1/search?region=1&like=1&like=3"), 400, "parameter_invalid");
  expect_problem(collection.get("/api/v1/search?like=1&region=9"), 400, "parameter_invalid");
}

TEST(ApiSearch, FindsWhatIsLikeAPartThatWasDrawn) {
  TestCollection collection;
  using Ids = std::vector<std::uint64_t>;
  EXPECT_EQ(ids(ask_both_ways(collection, "like=1@0,0,0.5,1", R"({"like":["1@0,0,0.5,1"]})")), Ids{TestCollection::kHorse});
  EXPECT_EQ(collection.pictures.parts, 1) << "its second spelling finds what the first one computed";
  EXPECT_EQ(ids(expect_answer(collection.get("/api/v1/search?like=1&box=0,0,.5,1"), "SearchAnswer")), Ids{TestCollection::kHorse});
  EXPECT_EQ(ids(expect_answer(collection.get("/api/v1/search?like=3@0,0,0.5,1"), "SearchAnswer")), Ids{})
      << "the picture itself is left out";
  const Parsed right = expect_answer(collection.get("/api/v1/search?like=3@0.5,0,0.5,1*2"), "SearchAnswer");
  EXPECT_EQ(right.text("/query/like/0"), "3@0.5,0,0.5,1*2");
  expect_problem(collection.get("/api/v1/search?like=77@0,0,0.5,1"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/search?like=1@0,0,0.001,1"), 422, "picture_unreadable");
  expect_problem(collection.get("/api/v1/search?like=1@0,0,2,1"), 400, "parameter_invalid");
}

TEST(ApiSearch, FindsWhatIsLikeAPartOfAnUpload) {
  TestCollection collection;
  const auto upload = [&](const std::string& box) {
    return collection.ask("POST", "/api/v1/search?box=" + box, {{"Content-Type", "image/jpeg"}}, "chair");
  };
  const Parsed found = expect_answer(upload("0,0,0.5,1"), "SearchAnswer");
  EXPECT_EQ(ids(found), std::vector<std::uint64_t>{TestCollection::kHorse});
  const Parsed again = expect_answer(collection.get("/api/v1/search?like=" + found.text("/picture_token")), "SearchAnswer");
  EXPECT_EQ(ids(again), ids(found)) << "the token stands for the part";
  expect_problem(upload("0,0,0.5"), 400, "parameter_invalid");
}

TEST(ApiSearch, CountsAndFiltersByWhatWasDetected) {
  const TestCollection collection;
  const Parsed all = expect_answer(collection.get("/api/v1/search?facets=true"), "SearchAnswer");
  EXPECT_EQ(all.text("/facets/class/0/value"), "Chair");
  EXPECT_EQ(all.number("/facets/class/0/count"), 2u);
  EXPECT_EQ(all.text("/facets/class/1/value"), "Dog");
  EXPECT_EQ(ids(expect_answer(collection.get("/api/v1/search?class=Dog"), "SearchAnswer")),
            std::vector<std::uint64_t>{TestCollection::kHorse});
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?class=Dog&class=Chair"), "SearchAnswer").number("/total"), 2u);
  EXPECT_EQ(expect_answer(collection.get("/api/v1/search?class=Cat"), "SearchAnswer").number("/total"), 0u);
}

TEST(ApiSearch, CountsAndFiltersBySizeLanguageLabelAndLicence) {
  const TestCollection collection;
  const Parsed all = expect_answer(collection.get("/api/v1/search?facets=true"), "SearchAnswer");
  const std::vector<std::tuple<std::string, std::string, ImageId>> facets = {{"size", "Large", TestCollection::kChair},
                                                                             {"language", "en", TestCollection::kChair},
                                                                             {"label", "horse", TestCollection::kHorse},
                                                                             {"licence", "CC BY", TestCollection::kHorse}};
  for (const auto& [name, value, id] : facets) {
    EXPECT_EQ(all.text("/facets/" + name + "/0/value"), value);
    EXPECT_EQ(all.number("/facets/" + name + "/0/count"), 1u) << name << ": copies are one hit";
    const Parsed chosen = expect_answer(collection.ask("POST", "/api/v1/search", {{"Content-Type", "application/json"}},
                                                       fmt::format(R"({{"{}":["{}","zz"],"why":true}})", name, value)),
                                        "SearchAnswer");
    EXPECT_EQ(ids(chosen), std::vector<std::uint64_t>{id}) << name;
    EXPECT_EQ(chosen.text("/query/" + name + "/0"), value);
    EXPECT_EQ(chosen.text("/hits/0/why/filters/0/name"), name);
    EXPECT_EQ(chosen.text("/hits/0/why/filters/0/value"), value);
  }
  EXPECT_EQ(all.text("/facets/size/1/value"), "Small");
}

TEST(ApiSearch, CountsDatesAsTheirBoundsFilter) {
  const TestCollection collection;
  const Parsed all = expect_answer(collection.get("/api/v1/search?facets=true"), "SearchAnswer");
  for (int i = 0; i < 6; ++i) {
    const std::string at = fmt::format("/facets/date/{}/", i);
    const std::string bound = i < 5 ? "since" : "until";
    const Parsed chosen = expect_answer(collection.get("/api/v1/search?" + bound + "=" + all.text(at + bound)), "SearchAnswer");
    EXPECT_EQ(all.number(at + "count"), chosen.number("/total")) << all.text(at + "value");
  }
}

TEST(ApiSearch, SortsByDiscount) {
  const TestCollection collection;
  const Parsed sorted = expect_answer(collection.get("/api/v1/search?sort=discount"), "SearchAnswer");
  EXPECT_EQ(ids(sorted), (std::vector<std::uint64_t>{TestCollection::kChair, TestCollection::kHorse}));
  EXPECT_EQ(sorted.text("/query/sort"), "discount");
}

TEST(ApiImages, SayWhatWasDetected) {
  const TestCollection collection;
  const Parsed horse = expect_answer(collection.get("/api/v1/images/3"), "Image");
  EXPECT_EQ(horse.number("/regions/0/region"), 1u);
  EXPECT_EQ(horse.text("/regions/1/class"), "Dog");
  EXPECT_EQ(horse.text("/regions/1/colours/0/name"), "red");
}

TEST(ApiSearch, RefusesWhatItDoesNotUnderstand) {
  const TestCollection collection;
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"limit=201", "parameter_invalid"},
      {"limit=x", "parameter_invalid"},
      {"limit=1&limit=2", "parameter_invalid"},
      {"offset=100001", "parameter_invalid"},
      {"offset=-1", "parameter_invalid"},
      {"colour=mauve", "parameter_invalid"},
      {"price_min=5", "parameter_missing"},
      {"price_min=1e3&currency=EUR", "parameter_invalid"},
      {"currency=eur", "parameter_invalid"},
      {"sort=best", "parameter_invalid"},
      {"since=yesterday", "parameter_invalid"},
      {"like=0", "parameter_invalid"},
      {"like=a", "parameter_invalid"},
      {"like=1*0", "parameter_invalid"},
      {"like=1.9", "parameter_invalid"},
      {"unlike=1*", "parameter_invalid"},
      {"unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1&unlike=1", "parameter_invalid"},
      {"pixels_min=0", "parameter_invalid"},
      {"until=tomorrow", "parameter_invalid"},
      {"picture=short", "parameter_invalid"},
      {"shop=", "parameter_invalid"},
      {"facets=yes", "parameter_invalid"},
      {"q=%FF", "parameter_invalid"},
      {"q=%00a", "parameter_invalid"},
      {"q=a%7F", "parameter_invalid"},
      {"brand=a%1Bb", "parameter_invalid"},
      {"language=german", "parameter_invalid"},
      {"language=-de", "parameter_invalid"},
      {"colur=red", "parameter_unknown"},
      {"q=" + std::string(501, 'x'), "parameter_invalid"},
      {"q=" + repeated("-a+", 40), "parameter_invalid"}};
  for (const auto& [query, code] : wrong) {
    SCOPED_TRACE(query);
    expect_problem(collection.get("/api/v1/search?" + query), 400, code);
  }
  EXPECT_THAT(collection.get("/api/v1/search?colur=red").body, HasSubstr("did you mean 'colour'"));
  EXPECT_THAT(collection.get("/api/v1/search?colour=mauve").body, HasSubstr("one of black, white, grey, red, orange"));
  EXPECT_THAT(collection.get("/api/v1/search?q=%00a").body, HasSubstr("q has the control character U+0000"));
}

TEST(ApiSearch, RefusesARangeTheWrongWayRound) {
  const TestCollection collection;
  const std::vector<std::tuple<std::string, std::string, std::string>> wrong = {
      {"price_min=50&price_max=5.00&currency=EUR", R"({"price_min":"50","price_max":"5.00","currency":"EUR"})",
       "price_min is 50 and price_max is 5; price_min must not be above price_max"},
      {"pixels_min=200&pixels_max=100", R"({"pixels_min":200,"pixels_max":100})",
       "pixels_min is 200 and pixels_max is 100; pixels_min must not be above pixels_max"},
      {"since=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z", R"({"since":"2026-12-01T00:00:00Z","until":"2026-11-01T00:00:00Z"})",
       "since is 2026-12-01T00:00:00Z and until is 2026-11-01T00:00:00Z; since must be before until"}};
  for (const auto& [address, json, detail] : wrong) {
    const TestReply by_address = collection.get("/api/v1/search?" + address);
    expect_problem(by_address, 400, "parameter_invalid");
    EXPECT_THAT(by_address.body, HasSubstr(detail));
    EXPECT_EQ(collection.ask("POST", "/api/v1/search", {{"Content-Type", kJson}}, json).body, by_address.body);
  }
  for (const std::string at_its_end : {"price_min=5&price_max=5&currency=EUR", "pixels_min=7&pixels_max=7"})
    expect_answer(collection.get("/api/v1/search?" + at_its_end), "SearchAnswer");
}

TEST(ApiSearch, TakesAnUploadAndItsToken) {
  TestCollection collection;
  const Parsed raw = expect_answer(collection.ask("POST", "/api/v1/search?limit=5", {{"Content-Type", "image/jpeg"}}, "chair from a phone"),
                                   "SearchAnswer");
  ASSERT_EQ(ids(raw), std::vector<std::uint64_t>{TestCollection::kChair});
  const std::string token = raw.text("/picture_token");
  const Parsed again = expect_answer(collection.get("/api/v1/search?shop=shop.test&picture=" + token), "SearchAnswer");
  EXPECT_EQ(ids(again), std::vector<std::uint64_t>{TestCollection::kChair});
  EXPECT_EQ(again.text("/picture_token"), token);
  EXPECT_EQ(again.text("/query/like/0"), token);
  const std::string form =
      "--XX\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--XX\r\nContent-Disposition: form-data; name=\"picture\"; "
      "filename=\"h.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nhorse\r\n--XX--\r\n";
  const Parsed posted =
      expect_answer(collection.ask("POST", "/api/v1/search", {{"Content-Type", "multipart/form-data; boundary=XX"}}, form), "SearchAnswer");
  EXPECT_EQ(ids(posted), std::vector<std::uint64_t>{TestCollection::kHorse});

  collection.clock.advance(std::chrono::minutes(29));
  EXPECT_EQ(collection.get("/api/v1/search?picture=" + token).status, 200);
  collection.clock.advance(std::chrono::minutes(31));
  expect_problem(collection.get("/api/v1/search?picture=" + token), 410, "picture_expired");
}

TEST(ApiSearch, SaysWhatIsWrongWithAnUpload) {
  const TestCollection collection;
  const auto post = [&](std::string type, std::string_view body) {
    return collection.ask("POST", "/api/v1/search", {{"Content-Type", std::move(type)}}, body);
  };
  expect_problem(post("image/png", "not a picture"), 422, "picture_unreadable");
  expect_problem(post("image/png", ""), 422, "picture_unreadable");
  expect_problem(post("text/plain", "chair"), 415, "media_type_unsupported");
  expect_problem(post("multipart/form-data; boundary=XX", "no boundary here"), 400, "request_malformed");
  expect_problem(post("image/png", "waits for a worker"), 503, "overloaded");
  expect_problem(post("image/png", std::string(Api::kPictureBytesMax + 1, 'c')), 413, "picture_too_large");
  expect_problem(post("image/png", std::string(Api::kBodyBytesMax + 1, 'c')), 413, "picture_too_large");
  expect_problem(collection.ask("POST", "/api/v1/search?like=77", {{"Content-Type", "image/png"}}, "chair"), 404, "image_not_found");
}

TEST(ApiSearch, RefusesAnUploadBeforeItLooksAtIt) {
  TestCollection collection;
  const auto upload = [&](const std::string& query) {
    return collection.ask("POST", "/api/v1/search?" + query, {{"Content-Type", "image/png"}}, "chair");
  };
  expect_problem(upload(repeated("like=1&", 50) + "limit=1"), 400, "parameter_invalid");
  EXPECT_THAT(upload(repeated("like=1&", 50)).body, HasSubstr("it can be given 49 times"));
  expect_problem(upload("unlike=77"), 404, "image_not_found");
  expect_problem(upload("like=9007199254740991"), 404, "image_not_found");
  expect_problem(upload("like=0123456789abcdef0123456789abcdef"), 410, "picture_expired");
  expect_problem(upload("price_min=5&price_max=1&currency=EUR"), 400, "parameter_invalid");
  EXPECT_EQ(collection.pictures.embedded, 0);
  expect_answer(upload(repeated("like=1&", 49) + "limit=1"), "SearchAnswer");
  EXPECT_EQ(collection.pictures.embedded, 1);
}

TEST(ApiPictures, TellAllThatIsKnown) {
  const TestCollection collection;
  const Parsed chair = expect_answer(collection.get("/api/v1/images/1"), "Image");
  EXPECT_EQ(chair.text("/product/name"), "Red chair");
  EXPECT_EQ(chair.text("/product/offers/0/availability"), "in_stock");
  EXPECT_EQ(chair.text("/product/offers/0/evidence/0/from"), "json-ld");
  EXPECT_EQ(chair.text("/product/offers/0/evidence/0/otherwise"), "119.95");
  EXPECT_EQ(chair.text("/product/offers/0/evidence/1/from"), "learnt");
  EXPECT_EQ(chair.number("/copies/0/image_id"), TestCollection::kChairCopy);
  EXPECT_EQ(chair.number("/copies_total"), 1u);
  EXPECT_EQ(chair.text("/model"), "test-4");
  EXPECT_EQ(chair.text("/why/0/stage"), "found");
  EXPECT_TRUE(bool(chair.at("/indexed")));
  const Parsed horse = expect_answer(collection.get("/api/v1/images/3"), "Image");
  EXPECT_EQ(horse.text("/title"), "A \"horse\" & more");
  EXPECT_TRUE(horse.at("/product").is_null());
  const Parsed hidden = expect_answer(collection.get("/api/v1/images/4"), "Image");
  EXPECT_FALSE(bool(hidden.at("/indexed")));
  EXPECT_THAT(hidden.text("/not_indexed_because"), HasSubstr("not to be found"));
  expect_problem(collection.get("/api/v1/images/77"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/images/9007199254740991"), 404, "image_not_found");
  expect_problem(collection.get("/api/v1/images/0"), 400, "parameter_invalid");
  expect_problem(collection.get("/api/v1/images/1?x=1"), 400, "parameter_unknown");
}

TEST(ApiPictures, GiveTheirBytesToBeCachedForEver) {
  const TestCollection collection;
  const TestReply thumbnail = collection.get("/api/v1/images/1/thumbnail");
  EXPECT_EQ(thumbnail.status, 200);
  EXPECT_EQ(thumbnail.body, "\xFF\xD8 thumbnail of chair");
  EXPECT_EQ(thumbnail.header("content-type"), "image/jpeg");
  EXPECT_EQ(thumbnail.header("cache-control"), "public, max-age=31536000, immutable");
  const std::string etag = thumbnail.header("etag");
  const TestReply again = collection.get("/api/v1/images/1/thumbnail", {{"If-None-Match", "\"other\", " + etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.header("etag"), etag);
  EXPECT_EQ(collection.get("/api/v1/images/1/preview").header("content-type"), "image/webp");
  const TestReply original = collection.get("/api/v1/images/1/original");
  EXPECT_EQ(original.body, "chair");
  EXPECT_EQ(original.header("etag"), "\"" + to_hex(sha256("chair")) + "\"");
  EXPECT_EQ(original.header("content-security-policy"), "sandbox; default-src 'none'");
  EXPECT_EQ(original.header("x-content-type-options"), "nosniff");
  const TestReply head = collection.ask("HEAD", "/api/v1/images/1/original");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("content-length"), "5");
  expect_problem(collection.get("/api/v1/images/1/huge"), 404, "variant_not_found");
  expect_problem(collection.get("/api/v1/images/77/thumbnail"), 404, "image_not_found");
}

TEST(ApiPictures, MakeTheLargeVariantOnce) {
  const TestCollection collection;
  EXPECT_EQ(collection.get("/api/v1/images/1/large").body, "\xFF\xD8 chair at 1600");
  EXPECT_EQ(collection.get("/api/v1/images/1/large").header("content-type"), "image/jpeg");
  EXPECT_EQ(collection.pictures.scaled.load(), 1);
}

TEST(ApiPictures, MakeThePreviewOfASmallPictureWhenAskedFor) {
  const TestCollection collection;
  EXPECT_EQ(collection.get("/api/v1/images/3/preview").body, "\xFF\xD8 horse at 1600");  // which never enlarges
  EXPECT_EQ(collection.get("/api/v1/images/3/large").body, "\xFF\xD8 horse at 1600");
  EXPECT_EQ(collection.pictures.scaled.load(), 1);
}

TEST(ApiProducts, HaveOffersAndPictures) {
  const TestCollection collection;
  const Parsed chair = expect_answer(collection.get("/api/v1/products/1"), "Product");
  EXPECT_EQ(chair.text("/offers/0/price/currency"), "EUR");
  EXPECT_EQ(chair.number("/images/0/image_id"), TestCollection::kChair);
  expect_problem(collection.get("/api/v1/products/99"), 404, "product_not_found");
}

TEST(ApiJobs, AreStartedListedAndCancelled) {
  TestCollection collection;
  const TestReply made =
      collection.ask("POST", "/api/v1/jobs", {{"Content-Type", "application/json; charset=utf-8"}, {"Origin", "http://localhost:8080"}},
                     R"({"seeds":["Shop.test/a#x","https://b.test:443"],"options":{"delay_ms":100,"seconds_max":60}})");
  const Parsed job = expect_answer(made, "Job", 201);
  EXPECT_EQ(made.header("location"), "/api/v1/jobs/1");
  EXPECT_EQ(job.text("/seeds/0"), "https://shop.test/a");
  EXPECT_EQ(job.text("/seeds/1"), "https://b.test/");
  EXPECT_EQ(job.number("/options/delay_ms"), 100u);
  expect_answer(collection.get("/api/v1/jobs/1"), "Job");
  const Parsed list(collection.get("/api/v1/jobs?limit=1").body);
  EXPECT_EQ(list.number("/total"), 1u);
  EXPECT_EQ(list.number("/jobs/0/job_id"), 1u);
  const Parsed cancelled = expect_answer(collection.ask("POST", "/api/v1/jobs/1/cancel", {{"Content-Type", kJson}}, "{}"), "Job");
  EXPECT_EQ(cancelled.text("/state"), "cancelling");
  const auto retry = [&](std::string_view id, std::string_view body) {
    return collection.ask("POST", fmt::format("/api/v1/jobs/{}/retry", id), {{"Content-Type", kJson}}, body);
  };
  EXPECT_EQ(expect_answer(retry("1", R"({"causes":["dns","timeout"]})"), "Job").text("/state"), "queued");
  expect_answer(retry("1", "{}"), "Job");
  expect_problem(retry("1", R"({"causes":["tls"]})"), 409, "nothing_failed");
  expect_problem(retry("1", R"({"causes":["rain"]})"), 400, "request_malformed");
  expect_problem(retry("1", R"({"cause":"dns"})"), 400, "request_malformed");
  expect_problem(retry("9", "{}"), 404, "job_not_found");
  const auto revisit = [&](std::string_view id, std::string_view body) {
    return collection.ask("POST", fmt::format("/api/v1/jobs/{}/revisit", id), {{"Content-Type", kJson}}, body);
  };
  EXPECT_EQ(expect_answer(revisit("1", R"({"all":true})"), "Job").text("/state"), "queued");
  expect_problem(revisit("1", "{}"), 409, "nothing_due");
  expect_problem(revisit("1", R"({"all":1})"), 400, "request_malformed");
  expect_problem(revisit("9", "{}"), 404, "job_not_found");
  expect_problem(collection.get("/api/v1/jobs/9"), 404, "job_not_found");
  expect_problem(collection.ask("POST", "/api/v1/jobs/9/cancel", {{"Content-Type", kJson}}, "{}"), 404, "job_not_found");
  expect_problem(collection.ask("POST", "/api/v1/jobs/1/cancel", {{"Content-Type", kJson}}, "[]"), 400, "request_malformed");
}

TEST(ApiJobs, AreRefusedWithAReason) {
  TestCollection collection;
  const auto post = [&](std::string_view body, std::string type = kJson) {
    return collection.ask("POST", "/api/v1/jobs", {{"Content-Type", std::move(type)}}, body);
  };
  for (const char* body : {"", "[]", "{}", R"({"seeds":[]})", R"({"seeds":[1]})", R"({"seeds":"a"})", R"({"seeds":["a.test"],"more":1})",
                           R"({"seeds":["a.test"],"options":{"speed":1}})", R"({"seeds":["a.test"],"options":{"delay_ms":-1}})",
                           R"({"seeds":["a.test"],"options":[]})", R"({"seeds":["a.test"],"options":{"requests_per_host":257}})"}) {
    SCOPED_TRACE(body);
    expect_problem(post(body), 400, "request_malformed");
  }
  for (const char* seed : {"ftp://a.test/", "http://", "a b", "javascript://x"})
    expect_problem(post(fmt::format(R"({{"seeds":["{}"]}})", seed)), 400, "seed_invalid");
  expect_problem(post(R"({"seeds":["http://127.0.0.1/"]})"), 403, "address_refused");
  expect_problem(post(R"({"seeds":["a.test"]})", "text/plain"), 415, "media_type_unsupported");
  collection.jobs.enabled = false;
  expect_problem(post(R"({"seeds":["a.test"]})"), 403, "crawl_disabled");
}

TEST(ApiCollect, IsForWhoOwnsTheSocket) {
  TestCollection collection;
  const auto on_socket = [&](const std::string& body) {
    const HttpServerReply reply = collection.ask_on_socket("/api/v1/collect", body);
    return TestReply{reply.status, reply.headers, std::get<std::string>(reply.body)};
  };
  const std::string wish = R"({"source":"/home/me/cats/","label":"cat","pictures_max":7,"options":{"delay_ms":100}})";
  const Parsed job = expect_answer(on_socket(wish), "Job", 201);
  EXPECT_EQ(job.text("/seeds/0"), "collect:label=cat:/home/me/cats/");
  EXPECT_EQ(collection.jobs.jobs[1].options.pictures_max, 7u);
  EXPECT_EQ(job.number("/options/delay_ms"), 100u);
  expect_problem(on_socket(R"({"source":"nobody"})"), 400, "source_invalid");
  for (const char* body :
       {"", "{}", R"({"source":""})", R"({"source":1})", R"({"source":"a","pictures_max":0})", R"({"source":"a","path":"b"})",
        R"({"source":"a","options":{"pictures_max":3}})", R"({"source":"a","options":1})"}) {
    SCOPED_TRACE(body);
    expect_problem(on_socket(body), 400, "request_malformed");
  }
  expect_problem(collection.ask("POST", "/api/v1/collect", {{"Content-Type", kJson}}, wish), 403, "socket_only");
  collection.jobs.enabled = false;
  expect_problem(on_socket(wish), 403, "crawl_disabled");
}

TEST(ApiCopies, OfALargeGroupThereIsAsMuchAsAReviewMayName) {
  TestCollection collection;
  collection.add_copies(1'100);
  const Parsed list = expect_answer(collection.get("/api/v1/copies"), "CopyGroups");
  const auto listed = [&](const char* key) { return simdjson::dom::array(list.at(key)).size(); };
  EXPECT_EQ(list.number("/groups/0/images_total"), 1'102u);
  EXPECT_EQ(listed("/groups/0/image_ids"), 1'000u);
  EXPECT_EQ(listed("/groups/0/links"), 1'000u);
  std::string keep = R"({"action":"keep","image_ids":)" + simdjson::minify(list.at("/groups/0/image_ids")) + "}";
  expect_answer(collection.ask("POST", "/api/v1/copies/reviews", {{"Content-Type", kJson}}, keep), "CopyReview", 201);
}

TEST(ApiCopies, GroupsAreListedWithTheirReasonsAndReviewed) {
  TestCollection collection;
  const Parsed list = expect_answer(collection.get("/api/v1/copies"), "CopyGroups");
  EXPECT_EQ(list.number("/groups/0/images_total"), 2u);
  EXPECT_TRUE(list.at("/next_after").is_null());
  EXPECT_EQ(simdjson::dom::array(expect_answer(collection.get("/api/v1/copies?after=4000000000"), "CopyGroups").at("/groups")).size(), 0u);
  expect_problem(collection.get("/api/v1/copies?limit=0"), 400, "parameter_invalid");
  const auto review = [&](std::string_view body) {
    return collection.ask("POST", "/api/v1/copies/reviews", {{"Content-Type", kJson}}, body);
  };
  const Parsed split = expect_answer(review(R"({"action":"split","image_ids":[1]})"), "CopyReview", 201);
  EXPECT_EQ(split.text("/action"), "split");
  expect_answer(collection.get("/api/v1/copies/reviews"), "CopyReviews");
  const auto undo = [&](int id) {
    return collection.ask("POST", fmt::format("/api/v1/copies/reviews/{}/undo", id), {{"Content-Type", kJson}}, "{}");
  };
  expect_answer(undo(7), "CopyReview");
  expect_problem(undo(8), 404, "copies_not_found");
  for (const char* body : {"", "[]", "{}", R"({"action":"shout","image_ids":[1]})", R"({"action":"split","image_ids":[]})",
                           R"({"action":"split","image_ids":["1"]})", R"({"action":"split","image_ids":[0]})",
                           R"({"action":"split","image_ids":[1],"why":"so"})"}) {
    SCOPED_TRACE(body);
    expect_problem(review(body), 400, "request_malformed");
  }
  expect_problem(review(R"({"action":"split","image_ids":[1,2,1]})"), 400, "review_invalid");
  expect_problem(review(R"({"action":"keep","image_ids":[1,1,1,1]})"), 404, "copies_not_found");
  expect_problem(review(R"({"action":"keep","image_ids":[999999]})"), 404, "image_not_found");
}

TEST(ApiShops, AreMadeListedChangedAndRemoved) {
  TestCollection collection;
  const auto post = [&](std::string_view target, std::string_view body) {
    return collection.ask("POST", fmt::format("/api/v1/shops{}", target), {{"Content-Type", kJson}}, body);
  };
  const TestReply made = post("", R"({"name":"chairs","address":"shop.test","profile":"fashion","delay":"2s","max_pages":500,
                                      "schedule":{"at":["06:05","18:30"]}})");
  const Parsed shop = expect_answer(made, "Shop", 201);
  EXPECT_EQ(made.header("location"), "/api/v1/shops/chairs");
  EXPECT_EQ(shop.text("/state"), "queued");
  EXPECT_EQ(shop.text("/schedule/at/0"), "06:05");
  EXPECT_EQ(shop.text("/delay"), "2s");
  EXPECT_EQ(shop.number("/max_pages"), 500u);
  EXPECT_TRUE(shop.at("/yield").is_null());
  expect_problem(post("", R"({"name":"chairs","address":"shop.test"})"), 409, "shop_exists");

  const Parsed active = expect_answer(post("/chairs/change", R"({"state":"active","schedule":{"every":"12h"},"render":"never"})"), "Shop");
  EXPECT_EQ(active.text("/state"), "active");
  EXPECT_EQ(active.text("/schedule/every"), "12h");
  EXPECT_EQ(active.text("/next_at"), "2026-11-21T23:14:05Z");
  EXPECT_TRUE(expect_answer(post("/chairs/change", R"({"render":null})"), "Shop").at("/render").is_null());

  const TestReply run = post("/chairs/run", R"({"max_pages":3})");
  expect_answer(run, "Job", 201);
  EXPECT_EQ(run.header("location"), "/api/v1/jobs/1");
  EXPECT_EQ(collection.jobs.jobs[1].options.profile, "fashion") << "its profile goes with it";
  EXPECT_EQ(collection.jobs.jobs[1].options.pages_per_host_max, 3u);
  expect_problem(post("/chairs/run", "{}"), 409, "job_running");

  collection.shops.shops["chairs"].yield = {.pages = 9, .products = 4, .with_price = 3, .products_new = 2, .requests = 12, .bytes = 9'000};
  const Parsed list = expect_answer(collection.get("/api/v1/shops"), "ShopList");
  EXPECT_EQ(double(list.at("/shops/0/yield/share_with_price")), 0.75);
  EXPECT_EQ(double(list.at("/shops/0/yield/requests_per_new_product")), 6.0);
  EXPECT_EQ(list.number("/shops/0/job/job_id"), 1u);
  EXPECT_THAT(list.text("/problems/0"), HasSubstr("broken.yaml"));
  EXPECT_EQ(list.text("/profiles/1/name"), "fashion");
  expect_answer(collection.get("/api/v1/shops/chairs"), "Shop");

  expect_answer(post("/chairs/remove", "{}"), "Shop");
  expect_problem(collection.get("/api/v1/shops/chairs"), 404, "shop_not_found");
}

TEST(ApiShops, AreRefusedWithAReason) {
  TestCollection collection;
  const auto post = [&](std::string_view target, std::string_view body, std::string type = kJson) {
    return collection.ask("POST", fmt::format("/api/v1/shops{}", target), {{"Content-Type", std::move(type)}}, body);
  };
  expect_answer(post("", R"({"name":"a","address":"a.test"})"), "Shop", 201);
  for (const char* body : {"", "[]", "{}", R"({"address":1})", R"({"address":"b.test","colour":"red"})",
                           R"({"address":"b.test","max_pages":"many"})", R"({"address":"b.test","max_pages":-1})",
                           R"({"address":"b.test","schedule":"1d"})", R"({"address":"b.test","schedule":{"on":"1d"}})",
                           R"({"address":"b.test","schedule":{"at":[6]}})", R"({"address":"b.test","schedule":{"at":[]}})"}) {
    SCOPED_TRACE(body);
    expect_problem(post("", body), 400, "request_malformed");
  }
  expect_problem(post("", std::string(9'000, ' ').insert(0, R"({"address":")").append(R"("})")), 400, "request_malformed");
  expect_problem(post("/a/change", R"({"state":"asleep"})"), 400, "shop_invalid");
  expect_problem(post("/a/change", R"({"profile":"cars"})"), 400, "shop_invalid");
  expect_problem(post("/a/change", R"({"address":"other.test"})"), 400, "request_malformed");
  expect_problem(post("/a/remove", R"({"all":true})"), 400, "request_malformed");
  expect_problem(post("/a/run", R"({"agent":"two words"})"), 403, "crawl_disabled");
  for (const char* action : {"change", "run", "remove"}) {
    expect_problem(post(fmt::format("/b/{}", action), "{}"), 404, "shop_not_found");
    expect_problem(post(fmt::format("/a/{}", action), "{}", "text/plain"), 415, "media_type_unsupported");
  }
  expect_problem(post("/a/dance", "{}"), 404, "address_not_found");
  expect_problem(collection.get("/api/v1/shops/a/run"), 405, "method_not_allowed");
  expect_problem(collection.get("/api/v1/shops/a%2F..%2Fb"), 404, "address_not_found");
  expect_problem(
      collection.ask("POST", "/api/v1/shops", {{"Content-Type", kJson}, {"Origin", "https://evil.test"}}, R"({"address":"c.test"})"), 403,
      "origin_refused");
  collection.jobs.enabled = false;
  expect_problem(post("/a/run", "{}"), 403, "crawl_disabled");
}

TEST(ApiPreviews, ShowWhatACrawlWouldBring) {
  TestCollection collection;
  const auto post = [&](std::string_view target, std::string_view body) {
    return collection.ask("POST", fmt::format("/api/v1/previews{}", target), {{"Content-Type", kJson}}, body);
  };
  const TestReply begun = post("", R"({"address":"shop.test","profile":"fashion","count":2})");
  const Parsed preview = expect_answer(begun, "Preview", 201);
  EXPECT_EQ(begun.header("location"), "/api/v1/previews/1");
  EXPECT_TRUE(preview.at("/shop/name").is_null());
  EXPECT_EQ(preview.text("/state"), "running");
  EXPECT_EQ(preview.text("/products/0/price/amount"), "129.95");
  EXPECT_TRUE(preview.at("/products/1/thumbnail").is_null());
  EXPECT_TRUE(preview.at("/yield").is_null());
  const TestReply thumbnail = collection.get(preview.text("/products/0/thumbnail"));
  EXPECT_EQ(thumbnail.body, "\xFF\xD8 thumbnail");
  EXPECT_EQ(thumbnail.header("content-type"), "image/jpeg");
  EXPECT_EQ(thumbnail.header("cache-control"), "no-store");
  expect_problem(collection.get("/api/v1/previews/1/thumbnails/2"), 404, "variant_not_found");
  expect_problem(collection.get("/api/v1/previews/1/thumbnails/3"), 404, "variant_not_found");
  expect_problem(collection.get("/api/v1/previews/1/thumbnails/0"), 400, "parameter_invalid");
  expect_answer(collection.get("/api/v1/previews/1"), "Preview");
  const Parsed stopped = expect_answer(post("/1/cancel", "{}"), "Preview");
  EXPECT_EQ(stopped.text("/state"), "cancelled");
  EXPECT_EQ(stopped.number("/yield/classes/other"), 1u);
  for (const char* target : {"/api/v1/previews/9", "/api/v1/previews/9/thumbnails/1"})
    expect_problem(collection.get(target), 404, "preview_not_found");
  expect_problem(post("/9/cancel", "{}"), 404, "preview_not_found");
  for (const char* body :
       {"{}", R"({"shop":"a","address":"a.test"})", R"({"address":"a.test","count":0})", R"({"address":"a.test","count":51})",
        R"({"address":"a.test","count":99999999999999999999})", R"({"address":"a.test","state":"active"})"}) {
    SCOPED_TRACE(body);
    expect_problem(post("", body), 400, "request_malformed");
  }
  expect_problem(post("", R"({"shop":"nobody"})"), 404, "shop_not_found");
  expect_problem(post("", R"({"address":"a.test","delay":"9s"})"), 409, "shop_busy");
  collection.jobs.enabled = false;
  expect_problem(post("", R"({"address":"a.test"})"), 403, "crawl_disabled");
}

TEST(ApiForget, BeginsTellsAndTakesBack) {
  TestCollection collection;
  const HttpHeaders json = {{"Content-Type", kJson}};
  const std::string body = R"({"kind": "host", "name": "shop.test"})";
  TestReply begun = collection.ask("POST", "/api/v1/forgettings", json, body);
  EXPECT_EQ(begun.header("location"), "/api/v1/forgettings/7");
  EXPECT_EQ(begun.status, 202);
  begun.status = 200;
  EXPECT_EQ(expect_answer(begun, "Forgetting").text("/state"), "running");
  const Parsed ended = expect_answer(collection.get("/api/v1/forgettings/7"), "Forgetting");
  EXPECT_EQ(ended.text("/report/search/found/0"), "catalog.db: http://shop.test/");
  const Parsed dry = expect_answer(
      collection.ask("POST", "/api/v1/forgettings", json, R"({"kind": "host", "name": "shop.test", "dry_run": true})"), "Forgetting");
  EXPECT_EQ(dry.number("/report/catalog/pages"), 3);
  EXPECT_EQ(collection.ask("POST", "/api/v1/forgettings/allow", json, body).body, R"({"allowed":2})");
}

TEST(ApiForget, IsRefusedWithAReason) {
  TestCollection collection;
  const HttpHeaders json = {{"Content-Type", kJson}};
  const auto ask = [&](std::string_view body) { return collection.ask("POST", "/api/v1/forgettings", json, body); };
  expect_problem(ask(R"({"kind": "host", "name": "nobody.test"})"), 404, "nothing_known");
  for (const char* wrong : {"", "[]", "{}", R"({"kind": "host"})", R"({"name": "a.test"})", R"({"kind": "planet", "name": "a"})",
                            R"({"kind": "host", "name": ""})", R"({"kind": "host", "name": 1})", R"({"kind": "host", "name": "::"})",
                            R"({"kind": "host", "name": "a.test", "dry_run": 1})", R"({"kind": "host", "name": "a.test", "more": 1})"}) {
    SCOPED_TRACE(wrong);
    expect_problem(ask(wrong), 400, "body_invalid");
  }
  expect_problem(collection.ask("POST", "/api/v1/forgettings", {}, "{}"), 415, "media_type_unsupported");
  expect_problem(collection.get("/api/v1/forgettings/3"), 404, "forgetting_not_found");
  collection.forget.busy = true;
  expect_problem(ask(R"({"kind": "host", "name": "shop.test"})"), 409, "forgetting_running");
}

TEST(ApiForget, TakesPicturesAndProductsByDelete) {
  TestCollection collection;
  EXPECT_EQ(collection.ask("DELETE", "/api/v1/images/1").status, 202);
  EXPECT_EQ(collection.forget.view.target.kind, ForgetKind::kPicture);
  EXPECT_EQ(collection.forget.view.target.name, "1");
  EXPECT_EQ(collection.ask("DELETE", "/api/v1/products/1").status, 202);
  EXPECT_EQ(collection.forget.view.target.kind, ForgetKind::kPage);
  EXPECT_TRUE(collection.forget.view.target.name.starts_with("https://shop.test/")) << collection.forget.view.target.name;
  expect_problem(collection.ask("DELETE", "/api/v1/images/99"), 404, "image_not_found");
  expect_problem(collection.ask("DELETE", "/api/v1/products/99"), 404, "product_not_found");
  expect_problem(collection.ask("DELETE", "/api/v1/images/1", {{"Origin", "https://evil.test"}}), 403, "origin_refused");
}

TEST(ApiModelChange, BeginsTellsAndStops) {
  TestCollection collection;
  const HttpHeaders json = {{"Content-Type", kJson}};
  TestReply begun = collection.ask("POST", "/api/v1/model_changes", json, R"({"model": "other", "dry_run": true})");
  EXPECT_EQ(begun.status, 202);
  EXPECT_EQ(begun.header("location"), "/api/v1/model_changes/5");
  begun.status = 200;
  const Parsed view = expect_answer(begun, "ModelChange");
  EXPECT_EQ(view.text("/after"), "other@1");
  EXPECT_EQ(view.text("/state"), "running");
  collection.models.view.state = ModelChangeState::kFinished;
  collection.models.view.change.comparison = SpaceComparison{.asked = 4, .among = 9, .same = 0.5};
  EXPECT_EQ(expect_answer(collection.get("/api/v1/model_changes/5"), "ModelChange").number("/comparison/among"), 9);
  const TestReply cancelled = collection.ask("POST", "/api/v1/model_changes/5/cancel", json, "{}");
  EXPECT_EQ(expect_answer(cancelled, "ModelChange").text("/state"), "cancelled");
}

TEST(ApiModelChange, IsRefusedWithAReason) {
  TestCollection collection;
  const HttpHeaders json = {{"Content-Type", kJson}};
  const auto ask = [&](std::string_view body) { return collection.ask("POST", "/api/v1/model_changes", json, body); };
  for (const char* wrong : {"", "[]", "{}", R"({"model": ""})", R"({"model": 1})", R"({"dry_run": true})",
                            R"({"model": "other", "dry_run": 1})", R"({"model": "other", "more": 1})"}) {
    SCOPED_TRACE(wrong);
    expect_problem(ask(wrong), 400, "body_invalid");
  }
  expect_problem(ask(R"({"model": "nowhere"})"), 404, "model_not_found");
  expect_problem(ask(R"({"model": "words"})"), 400, "model_unusable");
  collection.models.busy = true;
  expect_problem(ask(R"({"model": "other"})"), 409, "model_change_running");
  expect_problem(collection.ask("POST", "/api/v1/model_changes", {}, "{}"), 415, "media_type_unsupported");
  expect_problem(collection.get("/api/v1/model_changes/3"), 404, "model_change_not_found");
  expect_problem(collection.ask("POST", "/api/v1/model_changes/3/cancel", json, "{}"), 404, "model_change_not_found");
  expect_problem(collection.ask("POST", "/api/v1/model_changes/3/cancel", {}, "{}"), 415, "media_type_unsupported");
}

TEST(ApiStats, CountWhatTheCollectionHolds) {
  const TestCollection collection;
  const Parsed stats = expect_answer(collection.get("/api/v1/stats"), "Stats");
  EXPECT_EQ(stats.number("/pages"), 3u);
  EXPECT_EQ(stats.number("/images"), 4u);
  EXPECT_EQ(stats.number("/images_indexed"), 3u);
  EXPECT_EQ(stats.number("/products"), 1u);
  EXPECT_EQ(stats.number("/queued"), 17u);
  EXPECT_EQ(stats.number("/shops_total"), 2u);
  EXPECT_EQ(stats.text("/last_fetch_at"), "2026-11-21T23:14:05Z");
  std::set<std::string> shops;
  for (const simdjson::dom::element shop : simdjson::dom::array(stats.at("/shops"))) {
    shops.insert(fmt::format("{} {} {} {}", std::string_view(shop["shop"]), std::uint64_t(shop["pages"]), std::uint64_t(shop["images"]),
                             std::uint64_t(shop["products"])));
  }
  EXPECT_EQ(shops, (std::set<std::string>{"shop.test 1 1 1", "toys.test 2 1 0"}));
}

TEST(ApiServer, TellsHowItIs) {
  ApiOptions options;
  bool ready = true;
  options.openapi_yaml = "openapi: 3.1.0\n";
  options.ready = [&]() -> Result<void> {
    if (!ready) return fail(Code::kUnavailable, "the index is being read");
    return {};
  };
  const TestCollection collection(options);
  EXPECT_EQ(collection.get("/healthz").body, "ok\n");
  EXPECT_EQ(collection.get("/readyz").body, "ok\n");
  ready = false;
  expect_problem(collection.get("/readyz"), 503, "not_ready");
  EXPECT_EQ(collection.get("/api/v1/openapi.yaml").body, "openapi: 3.1.0\n");
  collection.get("/api/v1/stats");
  EXPECT_THAT(collection.get("/metrics").body, HasSubstr(R"(magpie_http_requests_total{route="stats",status="200"} 1)"));
  expect_problem(collection.get("/api/v1/nothing"), 404, "address_not_found");
  expect_problem(collection.get("/api/v2/search"), 404, "address_not_found");
}

TEST(ApiServer, HasEveryOperationOfItsDescription) {
  const TestCollection collection;
  for (std::string path : openapi().paths()) {
    SCOPED_TRACE(path);
    for (const auto& [method, name] : {std::pair{"GET", "get"}, {"POST", "post"}, {"DELETE", "delete"}}) {
      std::string target = path;
      for (const auto& [placeholder, value] : {std::pair{"{id}", "1"}, {"{variant}", "thumbnail"}, {"{name}", "chairs"}, {"{rank}", "1"}}) {
        if (const auto at = target.find(placeholder); at != std::string::npos)
          target.replace(at, std::string_view(placeholder).size(), value);
      }
      if (target == "/api/v1/events" && std::string_view(method) == "GET") continue;  // never ends; see ApiEvents
      const TestReply reply = collection.ask(method, target, {{"Content-Type", kJson}}, "{}");
      if (openapi().has_operation(path, name)) {
        EXPECT_NE(reply.status, 405) << method;
      } else {
        expect_problem(reply, 405, "method_not_allowed");
      }
    }
  }
}

/// A path of the description with examples in place of its parameters.
std::string target_of(std::string path) {
  for (const auto& [placeholder, value] : {std::pair{"{id}", "1"}, {"{variant}", "thumbnail"}, {"{name}", "chairs"}, {"{rank}", "1"}}) {
    if (const auto at = path.find(placeholder); at != std::string::npos) path.replace(at, std::string_view(placeholder).size(), value);
  }
  return path;
}

/// A server that asks for keys, and two of them.
struct LockedCollection {
  explicit LockedCollection(AccessOptions access = {}) : collection(options_of(access)) {
    search_key = *keys.add("reader", KeyScope::kSearch, test_time(), std::nullopt);
    manage_key = *keys.add("owner", KeyScope::kManage, test_time(), std::nullopt);
  }
  ApiOptions options_of(AccessOptions access) const {
    ApiOptions options;
    options.access = std::move(access);
    options.access.keys_needed = true;
    options.access.key_file = folder.path() / "keys";
    return options;
  }
  TestReply ask(std::string_view method, const std::string& target, const std::string& key) const {
    HttpHeaders headers = {{"Content-Type", kJson}};
    if (!key.empty()) headers.push_back({"Authorization", "Bearer " + key});
    return collection.ask(method, target, headers, "{}");
  }
  TestFolder folder;
  AccessKeys keys{folder.path() / "keys"};
  std::string search_key, manage_key;
  TestCollection collection;
};

bool is_turned_away(const TestReply& reply) {
  return reply.status == 401 || (reply.status == 403 && Parsed(reply.body).text("/code") == "scope_missing");
}

TEST(ApiKeys, EveryOperationAsksForTheRoleOfItsDescription) {
  const LockedCollection locked;
  for (const std::string& path : openapi().paths()) {
    for (const auto& [method, name] : {std::pair{"GET", "get"}, {"POST", "post"}, {"DELETE", "delete"}}) {
      if (!openapi().has_operation(path, name)) continue;
      SCOPED_TRACE(fmt::format("{} {}", method, path));
      const std::string role = openapi().role_of(path, name), target = target_of(path);
      const bool streams = path == "/api/v1/events";  // would never end
      const TestReply without = locked.ask(method, target, "");
      if (role.empty()) {
        EXPECT_FALSE(is_turned_away(without));
        continue;
      }
      expect_problem(without, 401, "key_missing");
      EXPECT_EQ(without.header("www-authenticate"), "Bearer realm=\"magpie\"");
      expect_problem(locked.ask(method, target, "mgp_" + std::string(64, '0')), 401, "key_unknown");
      const auto passes_with = [&](const std::string& key) { return streams || !is_turned_away(locked.ask(method, target, key)); };
      if (role == "manage") expect_problem(locked.ask(method, target, locked.search_key), 403, "scope_missing");
      EXPECT_EQ(passes_with(locked.search_key), streams || role == "search");
      EXPECT_TRUE(passes_with(locked.manage_key));
    }
  }
}

TEST(ApiKeys, AreTakenAsACookieTooAndNotOnceRevokedOrExpired) {
  LockedCollection locked;
  const auto with_cookie = [&](const std::string& cookie) { return locked.collection.get("/api/v1/stats", {{"Cookie", cookie}}).status; };
  EXPECT_EQ(with_cookie("theme=dark; magpie_key=" + locked.search_key), 200);
  EXPECT_EQ(with_cookie("magpie_key=" + locked.search_key + "; theme=dark"), 200);
  EXPECT_EQ(with_cookie("other_magpie_key=" + locked.search_key), 401);
  EXPECT_EQ(locked.collection.get("/api/v1/stats", {{"Authorization", "bearer " + locked.search_key}}).status, 200);
  ASSERT_TRUE(locked.keys.revoke("reader"));
  expect_problem(locked.ask("GET", "/api/v1/stats", locked.search_key), 401, "key_unknown");
  const std::string late = *locked.keys.add("late", KeyScope::kSearch, test_time(), test_time());
  expect_problem(locked.ask("GET", "/api/v1/stats", late), 401, "key_expired");
  EXPECT_EQ(locked.collection.ask_on_socket("/api/v1/forgettings", R"({"kind": "host", "name": "shop.test"})").status, 202)
      << "its owner's";
}

/// A page's browser hands a key in.
TestReply hand_in(const LockedCollection& locked, const std::string& key, bool remember = false, HttpHeaders headers = {}) {
  headers.push_back({"Content-Type", kJson});
  return locked.collection.ask("POST", "/api/v1/session", headers, fmt::format(R"({{"key":"{}","remember":{}}})", key, remember));
}

TEST(ApiSession, KeepsAKeyWhereNoScriptCanReadIt) {
  LockedCollection locked;
  const TestReply handed_in = hand_in(locked, locked.search_key);
  const Parsed session = expect_answer(handed_in, "Session");
  EXPECT_EQ(session.text("/key"), "reader");
  EXPECT_EQ(session.text("/scope"), "search");
  EXPECT_THAT(handed_in.body, Not(HasSubstr(locked.search_key)));
  EXPECT_EQ(handed_in.header("set-cookie"), "magpie_key=" + locked.search_key + "; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(handed_in.header("cache-control"), "no-store");
  const HttpHeaders with_cookie = {{"Cookie", "magpie_key=" + locked.search_key}};
  EXPECT_EQ(expect_answer(locked.collection.get("/api/v1/session", with_cookie), "Session").text("/key"), "reader");
  EXPECT_TRUE(expect_answer(locked.collection.get("/api/v1/session"), "Session").at("/key").is_null());

  const TestReply left = locked.collection.ask("DELETE", "/api/v1/session", with_cookie);
  EXPECT_TRUE(expect_answer(left, "Session").at("/key").is_null());
  EXPECT_EQ(left.header("set-cookie"), "magpie_key=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
  ASSERT_TRUE(locked.keys.revoke("reader"));
  expect_problem(locked.collection.get("/api/v1/session", with_cookie), 401, "key_unknown");
  EXPECT_EQ(locked.collection.ask("DELETE", "/api/v1/session", with_cookie).status, 200) << "a key that is no good can be left, too";
}

TEST(ApiSession, LastsAsLongAsWasAskedAndNoLongerThanItsKey) {
  LockedCollection locked;
  EXPECT_THAT(hand_in(locked, locked.manage_key, true).header("set-cookie"), HasSubstr("; Max-Age=7776000"));
  const std::string late = *locked.keys.add("late", KeyScope::kSearch, test_time(), test_time() + std::chrono::hours(1));
  EXPECT_THAT(hand_in(locked, late, true).header("set-cookie"), HasSubstr("; Max-Age=3600"));
  EXPECT_THAT(hand_in(locked, late).header("set-cookie"), Not(HasSubstr("Max-Age")));
  EXPECT_THAT(hand_in(locked, late, false, {{"Origin", "https://localhost:8080"}}).header("set-cookie"), HasSubstr("; Secure"));
}

TEST(ApiSession, RefusesWhatIsNoKeyWithoutRepeatingIt) {
  LockedCollection locked({.limit = {.per_second = 1, .burst = 6}});
  const std::string wrong = locked.search_key.substr(1);
  const TestReply unknown = hand_in(locked, wrong);
  expect_problem(unknown, 401, "key_unknown");
  EXPECT_EQ(unknown.header("set-cookie"), "");
  EXPECT_THAT(unknown.body, Not(HasSubstr(wrong)));
  const std::string old = *locked.keys.add("old", KeyScope::kSearch, test_time(), test_time());
  expect_problem(hand_in(locked, old), 401, "key_expired");
  const auto post = [&](const std::string& body, const std::string& type = kJson) {
    return locked.collection.ask("POST", "/api/v1/session", {{"Content-Type", type}}, body);
  };
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"key":""})"), std::string(R"({"key":7})"),
        R"({"key":")" + locked.search_key + R"(","other":1})", R"({"key":")" + locked.search_key + R"(","remember":1})"}) {
    const TestReply malformed = post(body);
    expect_problem(malformed, 400, "request_malformed");
    EXPECT_THAT(malformed.body, Not(HasSubstr(locked.search_key)));
  }
  expect_problem(post(R"({"key":")" + std::string(5'000, 'x') + R"("})"), 413, "request_too_large");
  expect_problem(post("key=x", "text/plain"), 415, "media_type_unsupported");
  expect_problem(hand_in(locked, locked.search_key, false, {{"Origin", "http://other.test"}}), 403, "origin_refused");
  expect_problem(locked.collection.ask("POST", "/api/v1/session?key=x", {{"Content-Type", kJson}}, "{}"), 400, "parameter_unknown");
  // Guessing has the guesser's rate here, too, by either way.
  for (int i = 0; i < 5; ++i) EXPECT_EQ(hand_in(locked, "mgp_guess").status, 401);
  EXPECT_EQ(hand_in(locked, "mgp_guess").status, 429);
  EXPECT_EQ(locked.collection.get("/api/v1/session", {{"Cookie", "magpie_key=mgp_guess"}}).status, 429);
}

TEST(ApiKeys, AnOpenServerLetsAnybodyReadAndNobodyChange) {
  const LockedCollection locked({.open_to_read = true});
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", "").status, 200);
  expect_problem(locked.ask("DELETE", "/api/v1/images/1", ""), 401, "key_missing");
  expect_problem(locked.ask("DELETE", "/api/v1/images/1", locked.search_key), 403, "scope_missing");
  EXPECT_EQ(locked.ask("DELETE", "/api/v1/images/1", locked.manage_key).status, 202);
}

TEST(ApiKeys, ACallerHasARateAndOthersAreNotHeldUp) {
  LockedCollection locked({.open_to_read = true, .limit = {.per_second = 2, .burst = 3}});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(locked.ask("GET", "/api/v1/stats", locked.search_key).status, 200);
  const TestReply over = locked.ask("GET", "/api/v1/stats", locked.search_key);
  expect_problem(over, 429, "too_many_requests");
  EXPECT_EQ(over.header("retry-after"), "1");
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", locked.manage_key).status, 200);
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", "").status, 200);
  EXPECT_EQ(locked.ask("GET", "/healthz", locked.search_key).status, 200);
  locked.collection.clock.advance(std::chrono::milliseconds(500));
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", locked.search_key).status, 200);
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", locked.search_key).status, 429);
  // An upload counts ten, or all there is.
  locked.collection.clock.advance(std::chrono::seconds(5));
  const HttpHeaders upload = {{"Content-Type", "image/jpeg"}, {"Authorization", "Bearer " + locked.manage_key}};
  EXPECT_EQ(locked.collection.ask("POST", "/api/v1/search", upload, "chair").status, 200);
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", locked.manage_key).status, 429);
  // Guessing keys has the guesser's rate.
  for (int i = 0; i < 3; ++i) EXPECT_EQ(locked.ask("GET", "/api/v1/stats", fmt::format("mgp_{}", i)).status, 401);
  EXPECT_EQ(locked.ask("GET", "/api/v1/stats", "mgp_9").status, 429);
}

TEST(ApiGuard, KnowsItsOwnNames) {
  ApiOptions options;
  options.host_names = {"magpie.example"};
  const TestCollection collection(options);
  for (const char* host :
       {"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.5", "my.localhost", "magpie.example"}) {
    EXPECT_EQ(collection.get("/api/v1/stats", {{"Host", host}}).status, 200) << host;
  }
  for (const char* host : {"evil.test", "evil.test:8080", "localhost.evil.test", "notlocalhost", "", "localhost@evil.test"}) {
    expect_problem(collection.get("/api/v1/stats", {{"Host", host}}), 421, "host_refused");
  }
  EXPECT_EQ(collection.get("/healthz", {{"Host", "10.0.0.1.nip.test"}}).status, 200);
}

TEST(ApiGuard, RefusesOtherSitesRequestsThatAreNoReads) {
  const TestCollection collection;
  const auto post = [&](HttpHeaders headers) {
    headers.push_back({"Content-Type", kJson});
    return collection.ask("POST", "/api/v1/jobs", std::move(headers), R"({"seeds":["a.test"]})");
  };
  for (const char* origin : {"https://evil.test", "null", "http://localhost:9999", "file://"})
    expect_problem(post({{"Origin", origin}}), 403, "origin_refused");
  expect_problem(post({{"Sec-Fetch-Site", "cross-site"}}), 403, "origin_refused");
  for (const char* origin : {"http://localhost:8080", "https://localhost:8080"})
    EXPECT_EQ(post({{"Origin", origin}}).status, 201) << origin;
  EXPECT_EQ(post({}).status, 201);                                                            // no browser
  EXPECT_EQ(collection.get("/api/v1/stats", {{"Origin", "https://evil.test"}}).status, 200);  // unreadable there without CORS headers
  EXPECT_EQ(collection.get("/api/v1/stats").header("access-control-allow-origin"), "");
}

/// Reads a stream until the text has come.
std::string read_until(const UniqueFd& fd, std::string_view end) {
  std::string all;
  char buffer[4'096];
  while (all.find(end) == std::string::npos) {
    const auto got = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (got <= 0) break;
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

UniqueFd follow(const TestCollection& collection, std::string_view target) {
  UniqueFd fd = collection.connect_now();
  EXPECT_TRUE(write_all(fd.get(), fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target)));
  return fd;
}

std::string data_of(const std::string& stream, std::string_view event) {
  const std::size_t at = stream.rfind(fmt::format("event: {}\ndata: ", event));
  if (at == std::string::npos) return "";
  const std::size_t begin = stream.find("data: ", at) + 6;
  return stream.substr(begin, stream.find('\n', begin) - begin);
}

TEST(ApiEvents, TellWhatCrawlsDo) {
  TestCollection collection;
  const CrawlJobView job = *collection.jobs.start({"https://a.test/"}, {});
  const UniqueFd reader = follow(collection, "/api/v1/events");
  const std::string hello = read_until(reader, "}\n\n");
  EXPECT_EQ(openapi().judge("Progress", data_of(hello, "progress")), "") << hello;
  EXPECT_THAT(hello, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(hello, HasSubstr("Content-Type: text/event-stream\r\n"));

  collection.jobs.listener->on_image(job.id, TestCollection::kHorse);
  const std::string image = read_until(reader, "\n\n");
  EXPECT_EQ(openapi().judge("Hit", data_of(image, "image")), "") << image;
  EXPECT_THAT(image, HasSubstr("\"image_id\":3"));

  collection.jobs.listener->on_job(job);
  const std::string changed = read_until(reader, "\n\n");
  EXPECT_EQ(openapi().judge("Job", data_of(changed, "job")), "") << changed;

  CrawlProgress progress = job.progress;
  progress.seconds_left = 12.5;
  collection.jobs.listener->on_progress(progress);
  const std::string moved = read_until(reader, "\n\n");
  EXPECT_EQ(openapi().judge("Progress", data_of(moved, "progress")), "") << moved;
}

TEST(ApiEvents, ComeNoMoreOftenThanPromised) {
  TestCollection collection;
  const UniqueFd reader = follow(collection, "/api/v1/events");
  read_until(reader, ":\n\n");
  CrawlProgress progress{.job = 1, .state = CrawlState::kRunning};
  for (int i = 0; i < 20; ++i) collection.jobs.listener->on_progress(progress);  // one is due
  collection.clock.advance(EventHub::kProgressPeriod);
  collection.jobs.listener->on_progress(progress);                                             // a second one
  for (int i = 0; i < 50; ++i) collection.jobs.listener->on_image(1, TestCollection::kChair);  // ten
  progress.state = CrawlState::kFinished;
  collection.jobs.listener->on_progress(progress);  // the end is always told
  const std::string all = read_until(reader, "\"finished\"");
  const auto count = [&](std::string_view what) {
    int found = 0;
    for (std::size_t at = 0; (at = all.find(what, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  EXPECT_EQ(count("event: progress"), 3);
  EXPECT_EQ(count("event: image"), 10);
}

TEST(ApiEvents, CanBeOfOneJobOnly) {
  TestCollection collection;
  const UniqueFd reader = follow(collection, "/api/v1/events?job=2");
  read_until(reader, ":\n\n");
  collection.jobs.listener->on_progress({.job = 1, .state = CrawlState::kFinished});
  collection.jobs.listener->on_progress({.job = 2, .state = CrawlState::kFinished});
  const std::string all = read_until(reader, "\n\n");
  EXPECT_THAT(all, HasSubstr("\"job_id\":2"));
  EXPECT_THAT(all, Not(HasSubstr("\"job_id\":1")));
  expect_problem(collection.get("/api/v1/events?job=x"), 400, "parameter_invalid");
}

TEST(ApiEvents, AreForSoManyReadersOnly) {
  ApiOptions options;
  options.event_streams_max = 1;
  const TestCollection collection(options);
  const UniqueFd reader = follow(collection, "/api/v1/events");
  read_until(reader, ":\n\n");
  expect_problem(collection.get("/api/v1/events"), 503, "streams_exhausted");
}

TEST(ApiWebFiles, AreServedWithTheirCaching) {
  const TestFolder folder;
  fs::create_directories(folder.path() / "assets");
  const std::string script(5'000, 's');
  ASSERT_TRUE(write_file_atomic(folder.path() / "index.html", "<!doctype html>app"));
  ASSERT_TRUE(write_file_atomic(folder.path() / "assets/index-3f2a.js", script));
  ApiOptions options;
  options.web_folder = folder.path();
  const TestCollection collection(options);
  for (const char* path : {"/", "/index.html", "/images/7", "/search?q=x", "/crawl/"}) {
    const TestReply page = collection.get(path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_EQ(page.body, "<!doctype html>app");
    EXPECT_EQ(page.header("cache-control"), "no-cache");
    EXPECT_THAT(page.header("content-security-policy"), HasSubstr("script-src 'self'"));
    EXPECT_EQ(page.header("x-frame-options"), "DENY");
  }
  EXPECT_EQ(collection.get("/", {{"If-None-Match", collection.get("/").header("etag")}}).status, 304);
  const TestReply asset = collection.get("/assets/index-3f2a.js");
  EXPECT_EQ(asset.body, script);
  EXPECT_EQ(asset.header("cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(asset.header("content-type"), "text/javascript; charset=utf-8");
  const TestReply packed = collection.get("/assets/index-3f2a.js", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(packed.header("content-encoding"), "gzip");
  EXPECT_LT(packed.body.size(), script.size());
  for (const char* path : {"/assets/gone.js", "/../../etc/host.conf", "/%2e%2e/%2e%2e/etc/host.conf", "/favicon.ico"}) {
    expect_problem(collection.get(path), 404, "address_not_found");
  }
  EXPECT_EQ(collection.get("/../../etc/passwd").body, "<!doctype html>app");  // a page of the application like any other
  expect_problem(collection.ask("POST", "/"), 405, "method_not_allowed");
}

TEST(ApiWebFiles, AreMissedWithWords) {
  const TestCollection collection;
  expect_problem(collection.get("/"), 404, "web_not_installed");
}

}  // namespace
}  // namespace magpie
