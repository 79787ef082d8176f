#include "app/shops.h"

#include <gtest/gtest.h>

#include "app/profile.h"

namespace magpie {
namespace {

using namespace std::chrono_literals;

const Timestamp kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 12h};

std::optional<Job> job(JobState state, std::chrono::minutes begun_before, const std::string& detail = "") {
  Job one;
  one.id = 1;
  one.state = state;
  one.detail = detail;
  one.created_at = kNow - begun_before;
  one.started_at = one.created_at;
  one.finished_at = one.created_at + 10min;
  return one;
}

TEST(Shops, AreDueByTheirSchedule) {
  Shop shop{.name = "a", .address = "https://a.test/"};
  EXPECT_EQ(next_crawl(shop, std::nullopt, kNow), kNow) << "never crawled";
  EXPECT_EQ(next_crawl(shop, job(JobState::kFinished, 60min), kNow), std::nullopt) << "once";
  shop.every = std::chrono::hours(24);
  EXPECT_EQ(next_crawl(shop, job(JobState::kFinished, 60min), kNow), kNow + 23h);
  EXPECT_LT(*next_crawl(shop, job(JobState::kFinished, 25h), kNow), kNow);
  EXPECT_EQ(next_crawl(shop, job(JobState::kCancelled, 60min, kPaused), kNow), kNow) << "goes on";
  EXPECT_EQ(next_crawl(shop, job(JobState::kCancelled, 30min), kNow), kNow + 40min) << "somebody stopped it";
  EXPECT_EQ(next_crawl(shop, job(JobState::kFailed, 30min), kNow), kNow + 40min);
}

TEST(Shops, AreDueAtTimesOfDay) {
  Shop shop{.name = "a", .address = "https://a.test/"};
  shop.at = *parse_times_of_day({"06:00", "18:00"});
  for (int begun = 0; begun < 48; ++begun) {
    const auto newest = job(JobState::kFinished, std::chrono::hours(begun));
    const Timestamp next = *next_crawl(shop, newest, kNow);
    EXPECT_GT(next, *newest->started_at) << begun;
    EXPECT_LE(next - kNow, 12h) << begun;
    if (begun > 13) { EXPECT_LE(next, kNow) << begun; }
  }
}

TEST(Shops, TimesOfDayAreRead) {
  EXPECT_EQ(*parse_times_of_day(split_times("18:30, 6:05")), (std::vector<int>{365, 1110}));
  for (const char* wrong : {"24:00", "6", "6:5", "-1:00", "06:60", "a:bc", ",", "06:000"})
    EXPECT_FALSE(parse_times_of_day(split_times(wrong))) << wrong;
}

TEST(Shops, AreWhatTheirFileSays) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("magpie-shops-{}", ::getpid());
  const ShopFolder shops(folder);
  Shop shop{.name = "a.test", .address = "https://a.test/de?x=1#:y"};
  shop.profile = "fashion";
  shop.state = ShopState::kPaused;
  shop.at = {365, 1110};
  shop.render = "never";
  shop.delay = Millis(1'500);
  shop.pages_max = 7;
  ASSERT_TRUE(shops.save(shop));
  const auto read = shops.load("a.test");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->profile, "fashion");
  EXPECT_EQ(read->state, ShopState::kPaused);
  EXPECT_EQ(read->at, shop.at);
  EXPECT_EQ(*read->render, "never");
  EXPECT_EQ(*read->delay, Millis(1'500));
  EXPECT_EQ(*read->pages_max, 7U);
  EXPECT_FALSE(shops.load("../a.test"));
  for (const char* wrong :
       {"", "- a", "address: ftp://a.test/", "address: https://a.test/\nstate: on", "address: https://a.test/\ndelay: soon",
        "address: https://a.test/\nschedule: {every: 1d, at: ['06:00']}", "address: https://a.test/\nmax_pages: 0"}) {
    ASSERT_TRUE(write_file_atomic(folder / "wrong.yaml", wrong));
    std::vector<std::string> problems;
    EXPECT_EQ(shops.all(&problems).size(), 1U) << wrong;
    EXPECT_EQ(problems.size(), 1U) << wrong;
  }
  fs::remove_all(folder);
}

TEST(Shops, AnAddressHasOneShopAndNoPassword) {
  EXPECT_EQ(changed(Shop(), {.address = "https://me:secret@shop.test/"}).error().code, Code::kBadInput);
  EXPECT_EQ(changed(Shop(), {.address = "https://me@shop.test/"}).error().message.find("secret"), std::string::npos);
  const fs::path folder = fs::path(testing::TempDir()) / "one-shop-an-address";
  fs::remove_all(folder);
  const ShopFolder files(folder);
  ASSERT_TRUE(files.add({.name = "one", .address = "https://shop.test/"}));
  const auto again = files.add({.name = "two", .address = "https://shop.test/"});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kBusy);
  EXPECT_NE(again.error().message.find("'one'"), std::string::npos) << again.error().message;
  EXPECT_TRUE(files.add({.name = "two", .address = "https://shop.test/de/"}));
}

TEST(Profiles, ShippedOnesReadAndTellClasses) {
  for (const char* name : {"any", "art", "fashion", "furniture", "jewellery"}) {
    const auto profile = load_profile(std::string(MAGPIE_SOURCE_DIR) + "/profiles/" + name + ".yaml");
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_FALSE(profile->words.empty()) << name;
    EXPECT_FALSE(profile->fields.empty()) << name;
  }
  const auto fashion = load_profile(std::string(MAGPIE_SOURCE_DIR) + "/profiles/fashion.yaml");
  EXPECT_EQ(class_of(*fashion, {.name = "Summer Dresses in red"}), "dress");
  EXPECT_EQ(class_of(*fashion, {.name = "Address book"}), "");
  EXPECT_EQ(class_of(*fashion, {.name = "Amy", .category = "Women > Boots"}), "shoes");
}

}  // namespace
}  // namespace magpie
