// The parts of the API that need no server.
#include <gtest/gtest.h>
#include <unistd.h>

#include "serve/access_keys.h"
#include "serve/api_text.h"
#include "serve/kept_pictures.h"
#include "serve/multipart.h"
#include "serve/rate_limit.h"
#include "serve/static_files.h"

namespace magpie {
namespace {

TEST(ApiTime, IsReadInEveryFormAndWrittenInOne) {
  EXPECT_EQ(api_time(*parse_api_time("2026-11-21T23:14:05Z")), "2026-11-21T23:14:05Z");
  EXPECT_EQ(api_time(*parse_api_time("2026-11-22t01:14:05.999+02:00")), "2026-11-21T23:14:05Z");
  EXPECT_EQ(api_time(*parse_api_time("2026-11-21T18:14:05-05:00")), "2026-11-21T23:14:05Z");
  EXPECT_EQ(api_time(Timestamp{}), "1970-01-01T00:00:00Z");
  for (const char* bad : {"", "2026-11-21", "2026-11-21T23:14:05", "2026-13-21T23:14:05Z", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z",
                          "2026-11-21T23:14:05Zx", "2026-11-21T23:14:05.Z", "20261121T231405Z", "2026-11-21T23:14:05+2:00"}) {
    EXPECT_FALSE(parse_api_time(bad)) << bad;
  }
}

TEST(ApiAmount, FollowsItsPattern) {
  for (const char* good : {"0", "34.90", "129", "999999999999999", "1.2345"}) EXPECT_TRUE(is_api_amount(good)) << good;
  for (const char* bad : {"", ".5", "5.", "-1", "1,5", "1e3", "1.23456", "1234567890123456", " 1"}) EXPECT_FALSE(is_api_amount(bad)) << bad;
  EXPECT_EQ(api_amount(34'900'000), "34.9");
  EXPECT_EQ(api_amount(5'000'000), "5");
  EXPECT_EQ(api_amount(123), "0.0001");
  EXPECT_EQ(api_amount(0), "0");
}

TEST(ApiId, IsAWholeNumberThatJsonHolds) {
  EXPECT_EQ(parse_api_id("9007199254740991"), kApiIdMax);
  for (const char* bad : {"", "0", "-1", "1.0", "9007199254740992", "99999999999999999999", "1x", "+1"})
    EXPECT_FALSE(parse_api_id(bad)) << bad;
}

TEST(Multipart, FindsTheField) {
  const std::string type = "multipart/form-data; charset=utf-8; boundary=\"a b\"";
  const std::string form =
      "preamble\r\n--a b\r\nContent-Disposition: form-data; name=one\r\n\r\n1\r\n--a b\r\ncontent-disposition: form-data; "
      "filename=\"x;name=picture\"; "
      "name=\"picture\"\r\n\r\nline\r\n--a\r\nbytes\r\n--a b--\r\nepilogue";
  EXPECT_EQ(*multipart_field(type, form, "picture"), "line\r\n--a\r\nbytes");
  EXPECT_EQ(*multipart_field(type, form, "one"), "1");
  EXPECT_EQ(multipart_field(type, form, "two").error().code, Code::kNotFound);
}

TEST(Multipart, TakesEmptyAndBareParts) {
  EXPECT_EQ(*multipart_field("multipart/form-data; boundary=X", "--X\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\n\r\n--X--",
                             "picture"),
            "");
  EXPECT_EQ(multipart_field("multipart/form-data; boundary=X", "--X\r\n\r\nbare\r\n--X--", "picture").error().code, Code::kNotFound);
}

TEST(Multipart, RefusesWhatIsNone) {
  for (const char* form : {"", "--X", "--X\r\n", "--X\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\nno end",
                           "--Y\r\n\r\n--Y--", "--X\r\nno blank line\r\n--X--"}) {
    const auto field = multipart_field("multipart/form-data; boundary=X", form, "picture");
    ASSERT_FALSE(field) << form;
    EXPECT_EQ(field.error().code, Code::kBadInput) << form;
  }
  EXPECT_FALSE(multipart_field("multipart/form-data", "--X--", "picture"));
  EXPECT_FALSE(multipart_field("multipart/form-data; boundary=" + std::string(71, 'X'), "", "picture"));
}

TEST(KeptPictures, DropTheOneUsedLongestAgo) {
  KeptPictures kept(10);
  const auto bytes = [](char c) { return std::make_shared<const std::string>(4, c); };
  kept.keep(1, bytes('a'));
  kept.keep(2, bytes('b'));
  EXPECT_TRUE(kept.find(1));
  kept.keep(3, bytes('c'));
  EXPECT_FALSE(kept.find(2));
  EXPECT_EQ(*kept.find(1), "aaaa");
  kept.keep(4, std::make_shared<const std::string>(11, 'd'));
  EXPECT_FALSE(kept.find(4));
  EXPECT_TRUE(kept.find(3));
}

TEST(Etag, IsComparedWeakly) {
  EXPECT_TRUE(matches_etag("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(matches_etag("*", "\"b\""));
  EXPECT_FALSE(matches_etag("", "\"b\""));
  EXPECT_FALSE(matches_etag("\"bb\"", "\"b\""));
}

TEST(AccessKeys, AreKeptAsDigestsInAFileOfTheOwners) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("magpie-keys-{}", ::getpid());
  fs::create_directories(folder);
  const fs::path file = folder / "keys";
  const Timestamp now(std::chrono::milliseconds(1'795'000'000'000));
  AccessKeys keys(file);
  EXPECT_TRUE(keys.list()->empty());
  const std::string key = *keys.add("phone", KeyScope::kSearch, now, now + std::chrono::hours(1));
  EXPECT_TRUE(key.starts_with("mgp_"));
  EXPECT_EQ(read_file(file)->find(key.substr(4)), std::string::npos);
  EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(keys.add("phone", KeyScope::kManage, now, std::nullopt).error().code, Code::kBusy);
  for (const char* name : {"", "two words", "../keys", "a\nb"})
    EXPECT_EQ(keys.add(name, KeyScope::kSearch, now, std::nullopt).error().code, Code::kBadInput);
  const AccessKeys other(file);  // another process
  EXPECT_EQ(other.find(key)->name, "phone");
  EXPECT_EQ(other.find(key)->expires_at, now + std::chrono::hours(1));
  EXPECT_FALSE(other.find(key + "0"));
  EXPECT_FALSE(other.find(""));
  ASSERT_TRUE(keys.revoke("phone"));
  EXPECT_FALSE(other.find(key));
  EXPECT_EQ(keys.revoke("phone").error().code, Code::kNotFound);
  for (const char* wrong : {"", "magpie-keys 2\n", "magpie-keys 1\nphone search 1\n", "magpie-keys 1\nphone admin 1 0 00\n"}) {
    ASSERT_TRUE(write_file_atomic(file, wrong));
    EXPECT_EQ(keys.list().error().code, Code::kCorrupt) << wrong;
    EXPECT_FALSE(other.find(key));
  }
  fs::remove_all(folder);
}

TEST(RateLimiter, GivesWhatItSaysAndRemembersSoMany) {
  RateLimiter limiter({.per_second = 10, .burst = 5});
  const std::chrono::steady_clock::time_point begin{};
  int taken = 0;
  for (int ms = 0; ms < 10'000; ms += 10) taken += limiter.take("a", 1, begin + std::chrono::milliseconds(ms)) ? 0 : 1;
  EXPECT_NEAR(taken, 5 + 10 * 10, 1);
  EXPECT_EQ(limiter.take("b", 50, begin), std::nullopt) << "more than there ever is takes all there is";
  EXPECT_EQ(limiter.take("b", 5, begin), std::chrono::seconds(1));
  for (std::size_t i = 0; i < RateLimiter::kCallersMax; ++i) EXPECT_EQ(limiter.take(std::to_string(i), 5, begin), std::nullopt);
  EXPECT_EQ(limiter.take("b", 5, begin), std::nullopt) << "forgotten";
  RateLimiter none({});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(none.take("a", 1, begin), std::nullopt);
}

}  // namespace
}  // namespace magpie
