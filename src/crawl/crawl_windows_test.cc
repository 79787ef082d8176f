#include "crawl/crawl_windows.h"

#include <gtest/gtest.h>

namespace magpie::crawl {
namespace {

using namespace std::chrono;

CrawlWindows windows(std::string_view text, std::string_view zone = "UTC") {
  auto parsed = CrawlWindows::parse(text, zone);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  return parsed ? *parsed : CrawlWindows();
}

/// In UTC. 2026-03-02 is a Monday.
Timestamp at(year_month_day date, int hour, int minute = 0) {
  return time_point_cast<Timestamp::duration>(sys_days(date)) + hours(hour) + minutes(minute);
}
constexpr year_month_day kMonday = 2026y / March / 2, kTuesday = 2026y / March / 3, kFriday = 2026y / March / 6,
                         kSaturday = 2026y / March / 7, kSunday = 2026y / March / 8;

TEST(CrawlWindows, NoneIsAlwaysOpen) {
  EXPECT_TRUE(windows("").always_open());
  EXPECT_TRUE(windows(" ; ").open_at(at(kMonday, 12)));
  EXPECT_EQ(windows("").next_change(at(kMonday, 12)), std::nullopt);
}

TEST(CrawlWindows, NightsCountToTheDayTheyBeganOn) {
  const CrawlWindows nights = windows("mon-fri 22:00-06:00; sat,sun");
  EXPECT_FALSE(nights.open_at(at(kMonday, 21, 59)));
  EXPECT_TRUE(nights.open_at(at(kMonday, 22)));
  EXPECT_TRUE(nights.open_at(at(kTuesday, 5, 59)));
  EXPECT_FALSE(nights.open_at(at(kTuesday, 6)));
  EXPECT_FALSE(nights.open_at(at(kFriday, 12)));
  EXPECT_TRUE(nights.open_at(at(kSaturday, 12)));
  EXPECT_TRUE(nights.open_at(at(kSunday, 23, 59)));
  EXPECT_FALSE(nights.open_at(at(kMonday, 5))) << "Sunday's window ends at midnight";
}

TEST(CrawlWindows, KnowsWhenItChanges) {
  const CrawlWindows nights = windows("mon-fri 22:00-06:00; sat,sun");
  EXPECT_EQ(nights.next_change(at(kMonday, 12, 30) + 5s), at(kMonday, 22));
  EXPECT_EQ(nights.next_change(at(kMonday, 22)), at(kTuesday, 6));
  EXPECT_EQ(nights.next_change(at(kFriday, 23)), at(2026y / March / 9, 0)) << "through the weekend";
  EXPECT_EQ(windows("mon").next_change(at(kTuesday, 0)), at(2026y / March / 9, 0));
  EXPECT_EQ(windows("mon-sun").next_change(at(kTuesday, 0)), std::nullopt);
  EXPECT_EQ(windows("00:00-24:00").next_change(at(kTuesday, 0)), std::nullopt);
}

TEST(CrawlWindows, TakesDaysAndTimesInTheirForms) {
  EXPECT_TRUE(windows("12:00-13:00").open_at(at(kSunday, 12, 30)));
  EXPECT_TRUE(windows("FRI - mon 10:00 - 11:00").open_at(at(kSunday, 10, 30)));
  EXPECT_FALSE(windows("fri-mon").open_at(at(kTuesday, 0)));
  EXPECT_TRUE(windows("tue , sat").open_at(at(kTuesday, 0)));
  EXPECT_TRUE(windows("mon 06:00-06:00").open_at(at(kTuesday, 5, 59))) << "a whole day";
  EXPECT_TRUE(windows("mon 18:00-24:00").open_at(at(kMonday, 23, 59)));
}

TEST(CrawlWindows, NamesWhatItCannotRead) {
  for (const char* bad : {"someday", "mon-", "-", "mon 25:00-26:00", "10:00", "10:00-", "mon 1:00-2:00", "10:60-11:00", "24:01-25:00",
                          "mon,,tue", "ab:cd-ef:gh", "24:00-06:00"}) {
    const auto parsed = CrawlWindows::parse(bad, "UTC");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_NE(parsed.error().message.find("crawl.windows"), std::string::npos) << parsed.error().message;
  }
  for (const char* no_range : {"mon-fri 22:00", "22:00-", "22:00 - "})
    EXPECT_NE(CrawlWindows::parse(no_range, "UTC").error().message.find("give a range, as 22:00-06:00"), std::string::npos) << no_range;
  EXPECT_EQ(CrawlWindows::parse("mon", "Europe/Atlantis").error().code, Code::kNotFound);
  EXPECT_EQ(CrawlWindows::parse("", "../../etc/passwd").error().code, Code::kNotFound);
}

TEST(CrawlWindows, GoesByTheWallOfItsZone) {
  const CrawlWindows berlin = windows("mon 09:00-17:00", "Europe/Berlin");
  EXPECT_FALSE(berlin.open_at(at(kMonday, 7, 59)));
  EXPECT_TRUE(berlin.open_at(at(kMonday, 8))) << "an hour before UTC's nine in winter";
  EXPECT_TRUE(berlin.open_at(at(2026y / June / 1, 7))) << "two in summer";
  EXPECT_TRUE(windows("tue 01:00-02:00", "Asia/Tokyo").open_at(at(kMonday, 16, 30)));
}

TEST(CrawlWindows, HoursThatAZoneSkipsOrRepeatsAreShorterOrLonger) {
  const CrawlWindows night = windows("02:30-03:30", "Europe/Berlin");
  // 29 March 2026: from 01:59 (00:59 UTC) the clock goes to 03:00 (01:00 UTC).
  EXPECT_FALSE(night.open_at(at(2026y / March / 29, 0, 59)));
  EXPECT_EQ(night.next_change(at(2026y / March / 29, 0)), at(2026y / March / 29, 1));
  EXPECT_EQ(night.next_change(at(2026y / March / 29, 1)), at(2026y / March / 29, 1, 30));
  // 25 October 2026: 02:00 to 02:59 comes twice (00:00 and 01:00 UTC); it closes between, as the clock goes back.
  EXPECT_EQ(night.next_change(at(2026y / October / 24, 23)), at(2026y / October / 25, 0, 30));
  EXPECT_EQ(night.next_change(at(2026y / October / 25, 0, 30)), at(2026y / October / 25, 1));
  EXPECT_EQ(night.next_change(at(2026y / October / 25, 1)), at(2026y / October / 25, 1, 30));
  EXPECT_EQ(night.next_change(at(2026y / October / 25, 1, 30)), at(2026y / October / 25, 2, 30));
}

}  // namespace
}  // namespace magpie::crawl
