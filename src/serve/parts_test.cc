// The parts of the API that need no server.
#include <gtest/gtest.h>

#include "serve/api_text.h"
#include "serve/kept_pictures.h"
#include "serve/multipart.h"
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

}  // namespace
}  // namespace magpie
