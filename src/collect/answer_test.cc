#include "collect/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace magpie::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Url& asked() {
  static const Url url = *Url::parse("https://api.test/v2/neko?amount=2");
  return url;
}

Description described(const char* items, const char* picture) {
  Description made;
  made.source = "cats";
  made.licence = "CC BY";
  made.items = *JsonPath::parse(items);
  made.fields.picture = *JsonPath::parse(picture);
  return made;
}

Items read(std::string_view json, const Description& made) {
  auto items = read_answer(json, asked(), made, {"neko", "cat"});
  EXPECT_TRUE(items) << items.error().message;
  return items ? *items : Items();
}

std::vector<std::string> pictures(const Items& items) {
  std::vector<std::string> urls;
  for (const Item& item : items.items) urls.push_back(item.picture);
  return urls;
}

TEST(Answer, FieldsAreTakenFromEachItem) {
  Description made = described("results[]", "url");
  made.fields.artist = *JsonPath::parse("artist.name");
  made.fields.artist_url = *JsonPath::parse("artist.href");
  made.fields.page = *JsonPath::parse("source");
  made.next = *JsonPath::parse("next");
  const Items items = read(R"({"results":[{"url":"https://cdn.test/1.png","artist":{"name":" Ada\n L ","href":"https://ada.test"},
      "source":"/work/1"},{"url":"2.png","artist":null,"source":"javascript:x"}],"next":7})",
                           made);
  ASSERT_EQ(items.items.size(), 2u);
  EXPECT_EQ(items.items[0], (Item{.picture = "https://cdn.test/1.png",
                                  .labels = {"cat"},
                                  .artist = "Ada L",
                                  .artist_url = "https://ada.test/",
                                  .page = "https://api.test/work/1",
                                  .licence = "CC BY"}));
  EXPECT_EQ(items.items[1], (Item{.picture = "https://api.test/v2/2.png", .labels = {"cat"}, .licence = "CC BY"}));
  EXPECT_EQ(items.next, "7");
}

TEST(Answer, ShapesOfAllKinds) {
  EXPECT_THAT(pictures(read(R"({"files":["https://i.test/a.png","https://i.test/b.png"]})", described("files[]", "."))),
              ElementsAre("https://i.test/a.png", "https://i.test/b.png"));
  EXPECT_THAT(pictures(read(R"({"url":"https://i.test/a.png","error":"none"})", described(".", "url"))),
              ElementsAre("https://i.test/a.png"));
  EXPECT_THAT(pictures(read(R"([{"url":"https://i.test/a.png"}])", described("[]", "url"))), ElementsAre("https://i.test/a.png"));
  EXPECT_THAT(pictures(read(R"({"d":{"x":{"u":"https://i.test/a.png"},"y":{"u":"https://i.test/b.png"}}})", described("d.*", "u"))),
              ElementsAre("https://i.test/a.png", "https://i.test/b.png"));
  EXPECT_THAT(pictures(read(R"({"posts":[{"files":[{"u":"https://i.test/a.png"},{"u":"https://i.test/b.png"}]}]})",
                            described("posts[]", "files[].u"))),
              ElementsAre("https://i.test/a.png", "https://i.test/b.png"));
}

TEST(Answer, APictureHasAllItsLabelsEachOnce) {
  Description made = described("images[]", "url");
  made.fields.label = *JsonPath::parse("tags[].name");
  const Items items = read(R"({"images":[{"url":"https://i.test/1.png","tags":[{"name":"maid"},{"name":"waifu"},{"name":"maid"},{}]},
      {"url":"https://i.test/2.png","tags":[]}]})",
                           made);
  EXPECT_THAT(items.items[0].labels, ElementsAre("maid", "waifu"));
  EXPECT_THAT(items.items[1].labels, ElementsAre("cat")) << "the category's where it has none";
}

TEST(Answer, WhatHasNoAddressIsCountedAndThatIsAll) {
  const Items items = read(R"({"results":[{"url":"https://i.test/1.png"},{},{"url":null},{"url":5},{"url":"data:image/png;base64,AA"},7,
      {"url":"http://[::"},{"url":"none"},{"url":"N/A"},{"url":"not an address."}]})",
                           described("results[]", "url"));
  EXPECT_THAT(pictures(items), ElementsAre("https://i.test/1.png"));
  EXPECT_EQ(items.malformed, 9u);
}

TEST(Answer, AnEmptyListIsAnAnswerAndAMissingOneIsNot) {
  EXPECT_THAT(read(R"({"results":[]})", described("results[]", "url")).items, IsEmpty());
  for (const char* json : {R"({"message":"try later"})", R"({"results":null})", R"({"results":{}})", "[]", "7"}) {
    const auto items = read_answer(json, asked(), described("results[]", "url"), {});
    ASSERT_FALSE(items) << json;
    EXPECT_EQ(items.error().code, Code::kBadInput);
    EXPECT_THAT(items.error().message, HasSubstr("without anything at 'results[]'"));
  }
}

TEST(Answer, LimitsHold) {
  Description made = described("results[]", "url");
  EXPECT_EQ(read_answer("{", asked(), made, {}).error().code, Code::kBadInput);
  EXPECT_EQ(read_answer("", asked(), made, {}).error().code, Code::kBadInput);
  const std::string deep = R"({"results":[)" + std::string(100, '[') + std::string(100, ']') + "]}";
  EXPECT_EQ(read_answer(deep, asked(), made, {}).error().code, Code::kTooLarge);
  made.limits.items_max = 2;
  EXPECT_EQ(read_answer(R"({"results":[{},{},{}]})", asked(), made, {}).error().code, Code::kTooLarge);
  EXPECT_TRUE(read_answer(R"({"results":[{},{}]})", asked(), made, {}));
  made.limits.answer_bytes_max = 5;
  EXPECT_EQ(read_answer(R"({"results":[]})", asked(), made, {}).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace magpie::collect
