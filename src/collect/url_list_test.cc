#include "collect/url_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace magpie::collect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class UrlListTest : public testing::Test {
 protected:
  UrlListTest() { fs::create_directories(folder_); }
  ~UrlListTest() override { fs::remove_all(folder_); }
  Description described(const char* name, std::string_view text, std::string label = "cat") {
    EXPECT_TRUE(write_file_atomic(folder_ / name, text));
    return *describe_list(folder_ / name, std::move(label));
  }
  /// Piece by piece, each from where the one before ended.
  static Items read(const Description& made, std::size_t items_max) {
    Items all;
    auto list = UrlList::open(made);
    EXPECT_TRUE(list) << list.error().message;
    std::uint64_t at = 0;
    for (bool end = !list; !end;) {
      auto piece = (*list)->read(at, items_max);
      EXPECT_TRUE(piece) << piece.error().message;
      if (!piece) break;
      EXPECT_LE(piece->items.items.size() + piece->items.malformed, items_max);
      std::ranges::move(piece->items.items, std::back_inserter(all.items));
      all.malformed += piece->items.malformed;
      at = piece->next;
      end = piece->end;
    }
    return all;
  }

  fs::path folder_ = fs::temp_directory_path() / fmt::format("magpie-url-list-{}", ::getpid());
};

TEST_F(UrlListTest, ATextHasAnAddressALine) {
  const Description made = described("cats.txt", "# mine\nhttps://i.test/1.png\r\n\n  \nno address\nhttps://i.test/2.png");
  for (const std::size_t at_once : {1u, 2u, 100u}) {
    const Items items = read(made, at_once);
    ASSERT_EQ(items.items.size(), 2u);
    EXPECT_EQ(items.items[0], (Item{.picture = "https://i.test/1.png", .labels = {"cat"}}));
    EXPECT_EQ(items.items[1].picture, "https://i.test/2.png");
    EXPECT_EQ(items.malformed, 1u);
  }
}

TEST_F(UrlListTest, ATableHasColumnsByName) {
  const Description made = described("cats.csv",
                                     "id,url,class,artist,source,license\n"
                                     "1,https://i.test/1.png,black,\"Ada \"\"A\"\" L,\nesq\",https://ada.test/,CC0\r\n"
                                     "2,,white,,,\n"
                                     "3,https://i.test/3.png\n");
  for (const std::size_t at_once : {1u, 100u}) {
    const Items items = read(made, at_once);
    ASSERT_EQ(items.items.size(), 2u);
    EXPECT_EQ(items.items[0], (Item{.picture = "https://i.test/1.png",
                                    .labels = {"black"},
                                    .artist = "Ada \"A\" L, esq",
                                    .page = "https://ada.test/",
                                    .licence = "CC0"}));
    EXPECT_EQ(items.items[1], (Item{.picture = "https://i.test/3.png", .labels = {"cat"}}));
    EXPECT_EQ(items.malformed, 1u);
  }
}

TEST_F(UrlListTest, ColumnsCanBeNamed) {
  Description made = described("cats.tsv", "where\turl\nhttps://i.test/1.png\thttps://wrong.test/\n");
  made.fields.picture = *JsonPath::parse("where");
  EXPECT_EQ(read(made, 10).items.front().picture, "https://i.test/1.png");
  made.fields.artist = *JsonPath::parse("who");
  EXPECT_THAT(UrlList::open(made).error().message, HasSubstr("has no column 'who'"));
  EXPECT_THAT(UrlList::open(described("x.csv", "a,b\n1,2\n")).error().message, HasSubstr("has no column url"));
}

TEST_F(UrlListTest, LinesOfJsonHaveMembersByName) {
  Description made = described("cats.jsonl", R"({"image":"https://i.test/1.png","label":"black","author":"Ada"})"
                                             "\n{]\n"
                                             R"({"url":"https://i.test/2.png","license":"CC0"})"
                                             "\n"
                                             R"({"url":"/relative.png"})");
  const Items items = read(made, 10);
  ASSERT_EQ(items.items.size(), 2u);
  EXPECT_EQ(items.items[0], (Item{.picture = "https://i.test/1.png", .labels = {"black"}, .artist = "Ada"}));
  EXPECT_EQ(items.items[1], (Item{.picture = "https://i.test/2.png", .labels = {"cat"}, .licence = "CC0"}));
  EXPECT_EQ(items.malformed, 2u);
  made.fields.picture = *JsonPath::parse("image");
  made.fields.label = *JsonPath::parse("author");
  EXPECT_THAT(read(made, 10).items.front().labels, ElementsAre("Ada"));
}

TEST_F(UrlListTest, AFileThatIsNotThereAndALineWithoutEndSaySo) {
  EXPECT_EQ(UrlList::open(*describe_list(folder_ / "none.txt", "")).error().code, Code::kNotFound);
  EXPECT_FALSE(describe_list("a.png", ""));
  const Description made = described("long.txt", "https://i.test/1.png\n" + std::string(kListLineBytesMax + 1, 'x'));
  const auto piece = (*UrlList::open(made))->read(0, 100);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().code, Code::kTooLarge);
  EXPECT_THAT(piece.error().message, HasSubstr("the line at byte 21 is over"));
}

TEST(ItemText, IsOneLineOfValidText) {
  EXPECT_EQ(one_line("  a\n\tb\r\n "), "a b");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a b");
  EXPECT_EQ(one_line("\xff"), "\xEF\xBF\xBD");
  EXPECT_LE(one_line(std::string(10'000, 'x')).size(), kItemTextBytesMax);
}

}  // namespace
}  // namespace magpie::collect
