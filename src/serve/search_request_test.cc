#include "serve/search_request.h"

#include <gtest/gtest.h>

#include <random>

#include "net/http_target.h"
#include "serve/search_json.h"

namespace magpie {
namespace {

SearchRequest parsed(const SearchParameters& parameters) {
  const auto request = parse_search_request(parameters);
  EXPECT_TRUE(request) << request.error().detail;
  return request ? *request : SearchRequest();
}

std::string json_of(const SearchRequest& request) {
  JsonWriter json;
  write_query_echo(json, request);
  return json.take();
}

SearchParameters from_address(const std::string& query) {
  const auto target = parse_target("/?" + query);
  EXPECT_TRUE(target) << query;
  return target ? target->query : SearchParameters();
}

SearchParameters from_json(const std::string& json) {
  const auto parameters = search_parameters_of_json(json);
  EXPECT_TRUE(parameters) << json << ": " << parameters.error().detail;
  return parameters ? *parameters : SearchParameters();
}

/// Every spelling of a request is read as that request.
void expect_round_trip(const SearchParameters& parameters) {
  const SearchRequest request = parsed(parameters);
  const SearchParameters canonical = parameters_of(request);
  const std::string address = query_text(canonical), json = json_of(request);
  SCOPED_TRACE(address + "  " + json);
  for (const SearchParameters& read : {canonical, from_address(address), from_json(json)}) {
    const SearchRequest again = parsed(read);
    EXPECT_EQ(parameters_of(again), canonical);
    EXPECT_EQ(json_of(again), json);
    EXPECT_EQ(again.like, request.like);
    EXPECT_EQ(again.unlike, request.unlike);
    EXPECT_EQ(again.query.filter.price_min_micros, request.query.filter.price_min_micros);
    EXPECT_EQ(again.query.filter.since_seconds, request.query.filter.since_seconds);
    EXPECT_EQ(again.query.limits.until_seconds, request.query.limits.until_seconds);
    EXPECT_EQ(again.query.limits.pixels_min, request.query.limits.pixels_min);
    EXPECT_EQ(again.query.per_shop, request.query.per_shop);
    EXPECT_EQ(again.query.per_brand, request.query.per_brand);
    EXPECT_EQ(again.query.beyond, request.query.beyond);
    EXPECT_EQ(again.query.sort, request.query.sort);
  }
}

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

TEST(SearchRequest, HasThreeSpellingsThatMeanTheSame) {
  const SearchRequest request =
      parsed(from_address("q=%22red+chair%22+-plastic&like=12&like=13.2*0.5&unlike=9&unlike=10*0.25&colour=red&colour=blue&price_min=10&"
                          "currency=EUR&sort=price-desc"));
  EXPECT_EQ(json_of(request),
            R"({"q":"\"red chair\" -plastic","like":[12,"13.2*0.5"],"unlike":[9,"10*0.25"],"colour":["blue","red"],"price_min":"10",)"
            R"("currency":"EUR","sort":"price-desc"})");
  EXPECT_EQ(query_text(parameters_of(request)),
            "q=%22red%20chair%22%20-plastic&like=12&like=13.2*0.5&unlike=9&unlike=10*0.25&colour=blue&colour=red&price_min=10&currency=EUR&"
            "sort=price-desc");
  ASSERT_EQ(request.like.size(), 2U);
  EXPECT_EQ(request.like[1], (AskedPicture{.id = 13, .region = 2, .weight_thousandths = 500}));
  EXPECT_EQ(request.unlike[0].weight_thousandths, kUnlikeWeight);
  expect_round_trip(parameters_of(request));
}

TEST(SearchRequest, OlderSpellingsBecomeTheCanonicalOnes) {
  EXPECT_EQ(query_text(parameters_of(parsed({{"like", "12"}, {"region", "3"}}))), "like=12.3");
  EXPECT_EQ(query_text(parameters_of(parsed({{"picture", kToken}, {"like", "12"}}))), std::string("like=12&like=") + kToken);
  EXPECT_EQ(query_text(parameters_of(parsed({{"sort", "price-asc"}}))), "sort=price");
  EXPECT_EQ(query_text(parameters_of(parsed({{"like", "012*01.500"}, {"sort", "relevance"}, {"same_class", "true"}, {"limit", "5"}}))),
            "like=12*1.5");
  EXPECT_EQ(query_text(parameters_of(parsed({{"like", "12*2"}, {"box", ".1,0,.5,1"}}))), "like=12@0.1,0,0.5,1*2");
  EXPECT_EQ(query_text(parameters_of(parsed({{"since", "2026-11-22T00:14:05.5+01:00"}}))), "since=2026-11-21T23%3A14%3A05Z");
}

TEST(SearchRequest, EqualFiltersBecomeOneForm) {
  const auto canonical = [](const std::string& query) { return query_text(parameters_of(parsed(from_address(query)))); };
  EXPECT_EQ(canonical("colour=Red&colour=blue&colour=red"), "colour=blue&colour=red");
  EXPECT_EQ(canonical("language=EN&language=en-GB&language=pt_BR"), "language=en&language=pt");
  EXPECT_EQ(canonical("shop=B.test&shop=a.test&shop=b.test"), "shop=a.test&shop=b.test");
  EXPECT_EQ(canonical("brand=b&brand=a&brand=b&brand=B"), "brand=B&brand=a&brand=b") << "spelt as in the facet, where case counts";
  EXPECT_EQ(canonical("price_min=5.00&price_max=012.50&currency=EUR"), "price_min=5&price_max=12.5&currency=EUR");
  EXPECT_EQ(canonical("pixels_min=007"), "pixels_min=7");
}

TEST(SearchRequest, AnyRequestComesBack) {
  std::mt19937 random(7);
  const auto pick = [&](const std::vector<std::string>& values) { return values[random() % values.size()]; };
  const std::vector<std::pair<std::string, std::vector<std::string>>> lists = {
      {"like",
       {"1", "4294967295", "12.8*0.001", "7*100", "8@0.1,0.2,0.3,0.4", "9@0,0,0.0001,1*0.5", kToken, std::string(kToken) + "*0.75",
        "9007199254740991"}},
      {"unlike", {"1", "2.3", "5*0.5", "6*1", std::string("-_ABCdef-1234567")}},
      {"shop", {"a.test", "b.test:8080", "\xC3\xBC.test"}},
      {"category", {"Chairs & more", "a=b", "100%", "\"q\"", "\\", "tab\there", "\xE6\xA4\x85"}},
      {"brand", {"1", "true", "null", "x+y", " lead"}},
      {"colour", {"red", "grey"}},
      {"class", {"Footwear"}}};
  const std::vector<std::pair<std::string, std::vector<std::string>>> singles = {
      {"q", {"red chair", "\"a phrase\" -b", "100% & more = ?#", "\xE6\xA4\x85 -\xE8\xB5\xA4", " ", "12", "true"}},
      {"same_class", {"true", "false"}},
      {"price_max", {"0", "99.9", "012.50"}},
      {"since", {"2026-11-22T00:14:05+01:00"}},
      {"until", {"2026-12-01T00:00:00Z"}},
      {"pixels_min", {"1", "250000"}},
      {"pixels_max", {"9007199254740991"}},
      {"per_shop", {"3"}},
      {"per_brand", {"1", "100"}},
      {"beyond", {"true", "false"}},
      {"sort", {"relevance", "newest", "price", "price-asc", "price-desc"}}};
  for (int round = 0; round < 500; ++round) {
    SearchParameters parameters;
    for (const auto& [name, values] : lists) {
      for (unsigned times = random() % 4; times > 0; --times) parameters.emplace_back(name, pick(values));
    }
    for (const auto& [name, values] : singles) {
      if (random() % 2 == 0) parameters.emplace_back(name, pick(values));
    }
    if (random() % 2 == 0 || std::ranges::count(parameters, "price_max", &SearchParameters::value_type::first) > 0)
      parameters.emplace_back("currency", "EUR");
    std::shuffle(parameters.begin(), parameters.end(), random);
    expect_round_trip(parameters);
  }
}

TEST(SearchRequest, ABoxGoesWithOnePictureOfTheCollection) {
  for (const auto& [code, wrong] : std::vector<std::pair<std::string, SearchParameters>>{
           {"parameter_missing", {{"box", "0,0,1,1"}}},
           {"parameter_invalid", {{"box", "0,0,1,1"}, {"like", kToken}}},
           {"parameter_invalid", {{"box", "0,0,1,1"}, {"like", "12.3"}}},
           {"parameter_invalid", {{"box", "0,0,1,1"}, {"like", "12@0,0,1,1"}}},
           {"parameter_invalid", {{"box", "0,0,1,1"}, {"like", "12"}, {"like", "13"}}},
           {"parameter_invalid", {{"box", "0,0,1,2"}, {"like", "12"}}},
           {"parameter_invalid",
            {{"like", "1@0,0,1,1"}, {"like", "2@0,0,1,1"}, {"like", "3@0,0,1,1"}, {"unlike", "4@0,0,1,1"}, {"unlike", "5@0,0,1,1"}}}}) {
    const auto request = parse_search_request(wrong);
    ASSERT_FALSE(request) << query_text(wrong);
    EXPECT_EQ(request.error().code, code) << query_text(wrong);
  }
}

TEST(SearchRequest, APartOfAnUploadedPictureSaysHowItIsSearched) {
  const std::string token = "0123456789abcdef0123456789abcdef";
  for (const char* name : {"like", "unlike"}) {
    const auto wrong = parse_search_request({{name, token + "@0.1,0.1,0.5,0.5"}});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, "parameter_invalid");
    EXPECT_NE(wrong.error().detail.find("uploading it with box=LEFT,TOP,WIDTH,HEIGHT"), std::string::npos) << wrong.error().detail;
  }
  for (const std::string other : {"12@0.9,0,0.5,1", "nonsense"}) {
    const auto wrong = parse_search_request({{"like", other}});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().detail.find("must be a picture's id"), std::string::npos) << wrong.error().detail;
  }
}

TEST(AskedPicture, IsReadStrictly) {
  EXPECT_EQ(parse_asked_picture("12", kLikeWeight), (AskedPicture{.id = 12, .weight_thousandths = 1'000}));
  EXPECT_EQ(parse_asked_picture("12.3*0.25", kLikeWeight), (AskedPicture{.id = 12, .region = 3, .weight_thousandths = 250}));
  EXPECT_EQ(parse_asked_picture("12*2", kUnlikeWeight)->weight(), 2);
  EXPECT_EQ(parse_asked_picture(kToken, kLikeWeight)->token, kToken);
  EXPECT_EQ(parse_asked_picture("12@0.25,0,.5,1.0*2", kLikeWeight),
            (AskedPicture{.id = 12, .part = PicturePart{2'500, 0, 5'000, 10'000}, .weight_thousandths = 2'000}));
  EXPECT_EQ(to_text(*parse_asked_picture("012@.2500,0,.5,1.0*2.0", kLikeWeight), kLikeWeight), "12@0.25,0,0.5,1*2");
  for (const std::string wrong : {"",
                                  "0",
                                  "-1",
                                  "12.",
                                  "12.0",
                                  "12.9",
                                  "12.33",
                                  "12*",
                                  "12*0",
                                  "12*0.000",
                                  "12*1000",
                                  "12*101",
                                  "12*.5",
                                  "12*1.",
                                  "12*-1",
                                  "12*1e1",
                                  "12*0.0001",
                                  "12**1",
                                  "12*1*1",
                                  "*1",
                                  ".3",
                                  "12 ",
                                  "12@",
                                  "12@0,0,1",
                                  "12@0,0,1,1,1",
                                  "12@0,0,0,1",
                                  "12@0.5,0,0.5001,1",
                                  "12@0,0.1,1,1",
                                  "12@0,0,1,2",
                                  "12@0,0,1,1.0001",
                                  "12@0,0,1,.",
                                  "12@0,0,1,0.",
                                  "12@0,0,1,",
                                  "12@-0.1,0,1,1",
                                  "12@0,0,1,0.00001",
                                  "12@00,0,1,1",
                                  "12@1e0,0,1,1",
                                  "12.3@0,0,1,1",
                                  "12*2@0,0,1,1",
                                  "0123456789abcdef0123456789abcdef@0,0,1,1",
                                  "@0,0,1,1",
                                  " 12",
                                  "short-token",
                                  "9007199254740992",
                                  "0123456789abcdef0123456789abcdef.3",
                                  "with space and more",
                                  "00000000000000000000"}) {
    EXPECT_FALSE(parse_asked_picture(wrong, kLikeWeight)) << wrong;
  }
}

TEST(SearchJson, SaysWhatItDoesNotUnderstand) {
  for (const std::string wrong :
       {"", "[]", "\"q\"", "{", "{\"q\": null}", "{\"q\": {}}", "{\"like\": [[1]]}", "{\"price_min\": 9.5}", "{\"q\": 5}",
        "{\"q\": [\"a\"]}", "{\"shop\": \"a.test\"}", "{\"shop\": [1]}", "{\"like\": 3}", "{\"like\": [true]}", "{\"limit\": \"5\"}",
        "{\"limit\": 5.0}", "{\"facets\": \"true\"}", "{\"why\": 1}", "{\"q\": \"\xFF\"}"}) {
    const auto parameters = search_parameters_of_json(wrong);
    ASSERT_FALSE(parameters) << wrong;
    EXPECT_EQ(parameters.error().code, "request_malformed") << wrong;
  }
  std::string many = "{\"shop\": [\"a\"";
  for (std::size_t i = 0; i < kSearchJsonValuesMax; ++i) many += ",\"a\"";
  EXPECT_FALSE(search_parameters_of_json(many + "]}"));
  EXPECT_EQ(search_parameters_of_json(std::string(kSearchJsonBytesMax + 1, ' ')).error().status, 413);
}

TEST(SearchJson, PicturesAreNumbersOrTexts) {
  EXPECT_EQ(from_json(R"({"like": [12, "12"], "pixels_min": 5, "beyond": true, "limit": -1})"),
            (SearchParameters{{"like", "12"}, {"like", "12"}, {"pixels_min", "5"}, {"beyond", "true"}, {"limit", "-1"}}));
}

}  // namespace
}  // namespace magpie
