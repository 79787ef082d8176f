#include "collect/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace magpie::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kSmall = R"(source: cats
request:
  url: https://api.test/{category}?n=20
categories: [black, white]
paging: {kind: random, quiet_calls: 3}
items: results[]
fields: {picture: url}
)";

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out(text);
  const std::size_t at = out.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return out.replace(at, what.size(), by);
}

std::string error_of(std::string_view text) {
  const auto made = parse_description(text, "job.yaml");
  return made ? "" : made.error().message;
}

TEST(Description, IsReadWithDefaults) {
  const auto made = parse_description(kSmall, "job.yaml");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->source, "cats");
  EXPECT_EQ(made->url, "https://api.test/{category}?n=20");
  EXPECT_EQ(made->body, "");
  EXPECT_THAT(made->categories, ElementsAre(Category{"black", "black"}, Category{"white", "white"}));
  EXPECT_EQ(made->paging, Paging::kRandom);
  EXPECT_EQ(made->quiet_calls, 3);
  EXPECT_EQ(made->items.text(), "results[]");
  EXPECT_EQ(made->fields.picture->text(), "url");
  EXPECT_FALSE(made->fields.artist);
  EXPECT_EQ(made->limits.requests_per_second, 1);
}

TEST(Description, CategoriesMayHaveLabelsOfTheirOwn) {
  const auto made = parse_description(replaced(kSmall, "[black, white]", "{sfw/black: Black cat, img: ''}"), "job.yaml");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(made->categories, ElementsAre(Category{"sfw/black", "Black cat"}, Category{"img", ""}));
}

TEST(Description, ABodyIsJsonAndPosts) {
  const auto made = parse_description(
      replaced(kSmall, "request:\n", "request:\n  body: {exclude: '{seen}', n: 20, deep: [true, 1.5, 'yes', null], of: '{category}'}\n"),
      "job.yaml");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->body, R"({"exclude":"{seen}","n":20,"deep":[true,1.5,"yes",null],"of":"{category}"})");
}

TEST(Description, ErrorsNameFileLineAndKey) {
  EXPECT_THAT(error_of(replaced(kSmall, "kind: random", "kind: randm")),
              testing::StrEq("job.yaml:5: paging.kind: 'randm' is none of once, page, offset, cursor, random"));
  EXPECT_THAT(error_of(replaced(kSmall, "items: ", "itens: ")),
              testing::StrEq("job.yaml:6: itens: is no key of a description; is 'items' meant?"));
  EXPECT_THAT(error_of(replaced(kSmall, "fields: {picture: url}", "fields: {artist: a}")),
              HasSubstr("job.yaml:7: fields.picture: is missing"));
  EXPECT_THAT(error_of(replaced(kSmall, "results[]", "results[x]")), HasSubstr("job.yaml:6: items: 'results[x]': between brackets"));
  EXPECT_THAT(error_of(replaced(kSmall, "https://api.test/{category}", "ftp://api.test/{category}")),
              HasSubstr("job.yaml:3: request.url: "));
  EXPECT_THAT(error_of(replaced(kSmall, "{category}", "{categorie}")), HasSubstr("'{categorie}' stands for nothing"));
  EXPECT_THAT(error_of(replaced(kSmall, "api.test/{category}", "{category}.test/")), HasSubstr("request.url"));
  EXPECT_THAT(error_of(replaced(kSmall, "categories: [black, white]\n", "")), HasSubstr("categories: is missing"));
  EXPECT_THAT(error_of(replaced(kSmall, "[black, white]", "[black, black]")),
              HasSubstr("job.yaml:4: categories: 'black' stands there twice"));
  EXPECT_THAT(error_of(replaced(kSmall, "kind: random", "kind: page")), HasSubstr("page needs {page} in the request"));
  EXPECT_THAT(error_of(replaced(kSmall, "kind: random", "kind: cursor")), HasSubstr("paging.next: is missing"));
  EXPECT_THAT(error_of(replaced(kSmall, "quiet_calls: 3", "quiet_calls: -3")), HasSubstr("paging.quiet_calls: must be a number from 1"));
  EXPECT_THAT(error_of(replaced(kSmall, "source: cats", "sources: cats")), HasSubstr("source: is missing"));
  EXPECT_THAT(error_of(std::string(kSmall) + "limits: {requests_per_second: 0}"), HasSubstr("limits.requests_per_second"));
  EXPECT_THAT(error_of(std::string(kSmall) + "limits: {wait_max: soon}"), HasSubstr("job.yaml:8: limits.wait_max"));
  EXPECT_THAT(error_of("source: [cats\n"), HasSubstr("this is no YAML"));
  EXPECT_THAT(error_of("- cats\n"), HasSubstr("holds no description"));
  EXPECT_THAT(error_of(""), HasSubstr("holds no description"));
}

TEST(Description, AFewAliasesDoNotBecomeABodyWithoutEnd) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 8; ++j) bomb += fmt::format("*a{}{}", i - 1, j < 7 ? ", " : "]\n");
  }
  EXPECT_THAT(error_of(bomb + replaced(kSmall, "request:\n", "request:\n  body: *a11\n")), HasSubstr("more than 10000 values"));
}

TEST(Description, AListStandsBesideItsDescription) {
  const auto made =
      parse_description("source: mine\nlist: cats.csv\nlabel: cat\nlicence: CC0\nfields: {picture: address}\n", "/data/job.yaml");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->list, "/data/cats.csv");
  EXPECT_EQ(made->categories.front().label, "cat");
  EXPECT_EQ(made->licence, "CC0");
  EXPECT_EQ(made->fields.picture->text(), "address");
  EXPECT_THAT(error_of("source: mine\nlist: cats.doc\n"), HasSubstr("job.yaml:2: list: "));
}

TEST(Description, ThoseThatComeWithMagpieRead) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(MAGPIE_SOURCE_DIR) / "sources")) {
    const auto text = read_file(entry.path());
    ASSERT_TRUE(text);
    const auto made = parse_description(*text, entry.path());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->source, entry.path().stem().string());
    EXPECT_NE(made->about, "");
    names.insert(made->source);
  }
  EXPECT_THAT(names, ElementsAre("catboys", "nekos.best", "waifu.im", "waifu.pics"));
}

TEST(JsonPath, IsReadStepByStep) {
  using Kind = JsonPath::Step::Kind;
  const auto path = JsonPath::parse("a.b[].*.c[2][*]");
  ASSERT_TRUE(path) << path.error().message;
  std::vector<Kind> kinds;
  for (const auto& step : path->steps()) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, ElementsAre(Kind::kMember, Kind::kMember, Kind::kEveryElement, Kind::kEveryMember, Kind::kMember, Kind::kElement,
                                 Kind::kEveryElement));
  EXPECT_TRUE(JsonPath::parse(".")->steps().empty());
  EXPECT_EQ(JsonPath::parse("[]")->steps().size(), 1u);
  for (const char* wrong : {"", "a.", ".a", "a..b", "a[", "a]", "a[1", "a[-1]", "a[]b", "a[1x]", "[99999999999999999999999]"})
    EXPECT_FALSE(JsonPath::parse(wrong)) << wrong;
}

}  // namespace
}  // namespace magpie::collect
