// WARC writing and reading: what is written reads back bit for bit, and damage costs the damaged record only.
#include "store/warc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "base/hash.h"

namespace magpie {
namespace {

std::string record(std::string_view url, std::string_view body) {
  const std::string block = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + std::string(body);
  return *encode_warc_record({.type = WarcType::kResponse, .target_uri = url, .date = "2026-11-21T10:00:00Z", .block = block});
}

std::vector<WarcItem> read_all(std::string_view bytes, const WarcReaderOptions& options = {}) {
  WarcReader reader = WarcReader::over(bytes, options);
  std::vector<WarcItem> items;
  while (true) {
    auto item = reader.next();
    EXPECT_TRUE(item);
    if (!item || !*item) return items;
    items.push_back(std::move(**item));
    if (items.size() > 10'000) {
      ADD_FAILURE() << "the reader does not end";
      return items;
    }
  }
}

std::string all_bytes() {
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += static_cast<char>(i * 7 + i / 256);
  return body;
}

TEST(Warc, BodyComesBackBitForBitFromGzipAndPlain) {
  const std::string body = all_bytes();
  for (const int level : {0, 1, 9}) {
    const std::string bytes = *gzip_member(record("http://a.test/", body), level);
    const auto items = read_all(bytes);
    ASSERT_EQ(items.size(), 1u);
    EXPECT_EQ(items[0].damage, "");
    EXPECT_EQ(items[0].record.http_body(), body);
    EXPECT_EQ(items[0].record.http_status, 200);
    EXPECT_EQ(items[0].record.target_uri, "http://a.test/");
    EXPECT_EQ(items[0].record.length, bytes.size());
  }
  const std::string plain = record("http://a.test/", body);
  const auto items = read_all(plain + plain);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[1].record.offset, plain.size());
  EXPECT_EQ(items[1].record.length, plain.size());
  EXPECT_EQ(items[1].record.http_body(), body);
}

TEST(Warc, DigestsAreThoseOfTheStandard) {
  const std::string bytes = record("http://a.test/", "hello");
  // echo -n hello | sha1sum | xxd -r -p | base32
  EXPECT_THAT(bytes, testing::HasSubstr("WARC-Payload-Digest: sha1:VL2MMHO4YXUKFWV63YHTWSBM3GXKSQ2N\r\n"));
  EXPECT_THAT(bytes, testing::StartsWith("WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:"));
}

TEST(Warc, SeveralRecordsInOneMemberAreRead) {
  const auto items = read_all(*gzip_member(record("http://a.test/1", "one") + record("http://a.test/2", "two"), 6));
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].record.http_body(), "one");
  EXPECT_EQ(items[1].record.http_body(), "two");
}

TEST(Warc, EveryFlippedByteCostsOneRecordAtMost) {
  const std::string first = *gzip_member(record("http://a.test/1", "one"), 1), second = *gzip_member(record("http://a.test/2", "two"), 0),
                    third = *gzip_member(record("http://a.test/3", "three"), 1);
  for (std::size_t at = 0; at < second.size(); ++at) {
    std::string bytes = first + second + third;
    bytes[first.size() + at] = static_cast<char>(bytes[first.size() + at] ^ 0x55);
    const auto items = read_all(bytes);
    ASSERT_GE(items.size(), 2u) << at;
    EXPECT_EQ(items.front().record.http_body(), "one") << at;
    EXPECT_EQ(items.back().record.http_body(), "three") << at;
    for (const WarcItem& item : items) {  // what is given as good is what was written
      if (item.damage.empty()) { EXPECT_THAT(std::string(item.record.http_body()), testing::AnyOf("one", "two", "three")) << at; }
    }
  }
}

TEST(Warc, DamageInAPlainFileIsNamedAndPassed) {
  const std::string first = record("http://a.test/1", "one"), second = record("http://a.test/2", "two"),
                    third = record("http://a.test/3", "three");
  std::string bytes = first + second + third;
  bytes.replace(first.size() + second.find("two"), 3, "tvo");
  const auto items = read_all(bytes);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_THAT(items[1].damage, testing::HasSubstr("WARC-Payload-Digest"));
  EXPECT_EQ(items[1].record.offset, first.size());
  EXPECT_EQ(items[2].record.http_body(), "three");
}

TEST(Warc, ARecordThatIsNoResponseIsHeldToItsBlockDigest) {
  std::string bytes = *encode_warc_record({.type = WarcType::kMetadata, .date = "2026-11-21T23:18:35Z", .block = "seen: twice"});
  EXPECT_EQ(read_all(bytes)[0].damage, "");
  bytes.replace(bytes.find("twice"), 5, "often");
  EXPECT_THAT(read_all(bytes)[0].damage, testing::HasSubstr("WARC-Block-Digest"));
}

TEST(Warc, APayloadInACodingIsNotHeldToADigest) {
  std::string bytes = record("http://a.test/", "one");
  bytes.replace(bytes.find("one"), 3, "two");
  EXPECT_THAT(read_all(bytes)[0].damage, testing::HasSubstr("WARC-Payload-Digest"));
  const std::string header = "HTTP/1.1 200 OK\r\n";
  const std::size_t at = bytes.find(header);
  ASSERT_NE(at, std::string::npos);
  const std::size_t rest = at + header.size();
  bytes.replace(rest, bytes.find("\r\n", rest) - rest, "Content-Encoding: x");
  const std::size_t length = bytes.find("Content-Length: ") + 16;
  bytes.replace(length, bytes.find('\r', length) - length, fmt::to_string(bytes.size() - 4 - at));
  EXPECT_EQ(read_all(bytes)[0].damage, "");
}

TEST(Warc, GarbageBetweenMembersIsPassed) {
  const std::string member = *gzip_member(record("http://a.test/1", "one"), 1);
  const auto items = read_all(member + std::string(100'000, '\x1f') + member);
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[1].record.offset, member.size());
  EXPECT_NE(items[1].damage, "");
  EXPECT_EQ(items[2].record.offset, member.size() + 100'000);
}

TEST(Warc, ARecordOverTheLimitIsPassedOver) {
  const auto items =
      read_all(record("http://a.test/1", std::string(5'000, 'x')) + record("http://a.test/2", "two"), {.block_bytes_max = 1'000});
  ASSERT_EQ(items.size(), 2u);
  EXPECT_THAT(items[0].damage, testing::HasSubstr("over the limit"));
  EXPECT_EQ(items[1].record.http_body(), "two");
}

TEST(Warc, EmptyAndForeignBytesGiveNoRecord) {
  EXPECT_TRUE(read_all("").empty());
  for (const std::string_view bytes :
       {"hello", "WARC/1.1\r\n", "WARC/1.1\r\n\r\n", "\x1f\x8b\x08", "WARC/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"}) {
    const auto items = read_all(bytes);
    ASSERT_EQ(items.size(), 1u) << bytes;
    EXPECT_NE(items[0].damage, "") << bytes;
  }
}

TEST(Warc, HeadersOfTakenOffCodingsAreRenamed) {
  EXPECT_EQ(decoded_header_block("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-length: 20\r\nETag: x\r\n\r\n", 5),
            "HTTP/1.1 200 OK\r\nX-Crawler-Content-Encoding: gzip\r\nX-Crawler-content-length: 20\r\nETag: x\r\nContent-Length: 5\r\n\r\n");
  const std::string honest = "HTTP/2 200 \r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(decoded_header_block(honest, 5), honest);
}

TEST(Warc, DatesGoBothWays) {
  const auto time = *parse_warc_date("2026-11-21T23:18:35.120Z");
  EXPECT_EQ(warc_date(time), "2026-11-21T23:18:35.120Z");
  EXPECT_EQ(warc_date(*parse_warc_date("1999-12-31T00:00:00Z")), "1999-12-31T00:00:00Z");
  for (const std::string_view bad :
       {"", "2026-11-21", "2026-13-21T23:18:35Z", "2026-02-30T23:18:35Z", "2026-11-21T24:18:35Z", "2026-11-21T23:18:35.Z"}) {
    EXPECT_FALSE(parse_warc_date(bad)) << bad;
  }
}

TEST(Warc, LineBreaksCannotBeSmuggledIntoFields) {
  const auto bad = encode_warc_record(
      {.type = WarcType::kResponse, .target_uri = "http://a.test/\r\nWARC-Type: warcinfo", .date = "2026-11-21T10:00:00Z"});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Code::kBadInput);
}

}  // namespace
}  // namespace magpie
