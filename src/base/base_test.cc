// Unit tests of src/base: one behaviour a test.
#include <gtest/gtest.h>

#include <thread>

#include "base/ascii.h"
#include "base/bounded_queue.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json_writer.h"
#include "base/metrics.h"
#include "base/recent.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/utf8.h"

namespace magpie {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Code::kBadInput, "{} is odd", n);
  return n / 2;
}
Result<int> quarter(int n) {
  MAGPIE_TRY(const int first, half(n));
  MAGPIE_TRY(const int second, half(first));
  return second;
}

TEST(Ascii, FoldsItsOwnLettersAlone) {
  EXPECT_EQ(ascii_lowered("Content-TYPE \u00C9@[`{"), "content-type \u00C9@[`{");
  EXPECT_TRUE(ascii_same("ETag", "etag"));
  EXPECT_FALSE(ascii_same("ETag", "etags"));
  EXPECT_FALSE(ascii_same("@", "`"));
}

TEST(Recent, ForgetsWhatWasLongestNotAskedFor) {
  Recent<int> recent(2);
  recent.put("one", 1);
  recent.put("two", 2);
  ASSERT_NE(recent.get("one"), nullptr);
  recent.put("three", 3);
  EXPECT_EQ(recent.get("two"), nullptr);
  EXPECT_EQ(*recent.get("one"), 1);
  recent.put("one", 11);
  recent.put("four", 4);
  EXPECT_EQ(recent.get("three"), nullptr);
  EXPECT_EQ(*recent.get("one"), 11);
  EXPECT_EQ(*recent.get("four"), 4);
}

TEST(Result, TryHandsTheErrorToTheCaller) {
  EXPECT_EQ(*quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
}

TEST(BoundedQueue, CloseLetsTheConsumerDrain) {
  BoundedQueue<int> queue(2);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  int third = 3;
  EXPECT_FALSE(queue.try_push(third));
  queue.close();
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, AStopWakesAWaitingConsumer) {
  BoundedQueue<int> queue(1);
  std::jthread consumer([&](std::stop_token stop) { EXPECT_EQ(queue.pop(stop), std::nullopt); });
  consumer.request_stop();
}

TEST(JsonWriter, EscapesAndReplacesMalformedUtf8) { EXPECT_EQ(json_quoted("a\"\\\n\x01\xFFé"), "\"a\\\"\\\\\\n\\u0001\xEF\xBF\xBDé\""); }

// Plain text is copied eight bytes at once, so what is not must be seen wherever among them it stands.
TEST(JsonWriter, EscapesAtEveryPlace) {
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"\"", "\\\""},      {"\\", "\\\\"},           {"\n", "\\n"}, {std::string(1, '\0'), "\\u0000"},
      {"\x1F", "\\u001f"}, {"\x80", "\xEF\xBF\xBD"}, {" ", " "},    {"\x7F", "\x7F"}};
  for (const auto& [byte, escaped] : pairs) {
    for (std::size_t size = 1; size <= 24; ++size) {
      for (std::size_t place = 0; place < size; ++place) {
        const std::string before(place, '!'), after(size - place - 1, '~');
        EXPECT_EQ(json_quoted(before + byte + after), "\"" + before + escaped + after + "\"") << place << " of " << size;
      }
    }
  }
  EXPECT_EQ(json_quoted(""), "\"\"");
}

TEST(JsonWriter, PlacesCommas) {
  JsonWriter json;
  json.begin_object()
      .field("a", 1)
      .key("b")
      .begin_array()
      .number(1.5)
      .null()
      .begin_object()
      .end_object()
      .end_array()
      .field("c", true)
      .end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"b":[1.5,null,{}],"c":true})");
}

TEST(Utf8, RefusesOverlongSurrogateAndTooLarge) {
  EXPECT_TRUE(is_utf8("aé€😀"));
  EXPECT_FALSE(is_utf8("\xC0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_EQ(utf8_prefix("aé", 2), "a");
}

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);  // RFC 3720 B.4's check value
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283u);
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha1_base32(""), "3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
  EXPECT_EQ(*base64_decode(base64_encode(std::string("\0\xFFx", 3))), std::string("\0\xFFx", 3));
  EXPECT_FALSE(base64_decode("a*b"));
}

struct SomeSettings {
  Setting<std::int64_t> workers{"crawl.workers", 16, {1, 64}, "Fetches in flight."};
  Setting<Millis> delay{"crawl.host_delay", Millis(1000), {Millis(0), Millis(3'600'000)}, "Pause."};
  Setting<std::string> by{"crawl.politeness_by", "host", {"host", "domain"}, "What delays count for."};
  template <class V>
  void visit(V&& each) {
    each(workers);
    each(delay);
    each(by);
  }
};

TEST(Settings, AnUnknownKeyNamesTheNearest) {
  SomeSettings settings;
  SettingsRegistry registry;
  registry.add(settings);
  EXPECT_TRUE(registry.set("crawl.host_delay", "2.5s"));
  EXPECT_EQ(settings.delay(), Millis(2500));
  const auto wrong = registry.set("crawl.worker", "3");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("crawl.workers"), std::string::npos);
  EXPECT_FALSE(registry.set("crawl.workers", "65"));
  EXPECT_FALSE(registry.set("crawl.workers", "many"));
}

TEST(Settings, WordsAreTakenFromTheirList) {
  SomeSettings settings;
  SettingsRegistry registry;
  registry.add(settings);
  EXPECT_TRUE(registry.set("crawl.politeness_by", "domain"));
  const auto wrong = registry.set("crawl.politeness_by", "planet");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "crawl.politeness_by: 'planet' is not in host | domain");
  EXPECT_EQ(settings.by(), "domain");
  EXPECT_EQ(registry.explain()[1].bounds, "host | domain");
}

TEST(Settings, SizesAndDurations) {
  EXPECT_EQ(*parse_size("2MiB"), 2u << 20);
  EXPECT_EQ(*parse_duration("1.5m"), Millis(90'000));
  EXPECT_FALSE(parse_duration("3 parsecs"));
  EXPECT_EQ(format_duration(Millis(90'000)), "90s");
}

TEST(Metrics, TextHasEveryFamilyOnce) {
  MetricsRegistry metrics;
  metrics.counter("magpie_pages_total", "Pages.", "cause=\"dns\"").add(2);
  metrics.counter("magpie_pages_total", "Pages.", "cause=\"dns\"").add();
  metrics.histogram("magpie_search_seconds", "Search.").observe(.003);
  const std::string text = metrics.text();
  EXPECT_NE(text.find("magpie_pages_total{cause=\"dns\"} 3\n"), std::string::npos);
  EXPECT_NE(text.find("magpie_search_seconds_bucket{le=\"0.005\"} 1\n"), std::string::npos);
}

TEST(Files, AtomicWriteReplaces) {
  const fs::path path = fs::temp_directory_path() / fmt::format("magpie-files-test-{}", random_u64());
  ASSERT_TRUE(write_file_atomic(path, "one"));
  ASSERT_TRUE(write_file_atomic(path, "two"));
  EXPECT_EQ(*read_file(path), "two");
  EXPECT_EQ(read_file(path, 2).error().code, Code::kTooLarge);
  fs::remove(path);
  EXPECT_EQ(read_file(path).error().code, Code::kNotFound);
}

TEST(Files, AnOpenFolderTakesNothingOnceItIsRemovedThoughThereIsAnotherOfItsName) {
  const fs::path path = fs::temp_directory_path() / fmt::format("magpie-files-test-{}", random_u64());
  const OpenFolder folder = *OpenFolder::make(path);
  ASSERT_TRUE(write_file_atomic(folder.file("one"), "a"));
  EXPECT_EQ(*read_file(path / "one"), "a");
  fs::remove_all(path);
  const OpenFolder another = *OpenFolder::make(path);
  EXPECT_EQ(write_file_atomic(folder.file("one"), "b").error().code, Code::kNotFound);
  ASSERT_TRUE(write_file_atomic(another.file("one"), "c"));
  EXPECT_EQ(*read_file(path / "one"), "c");
  fs::remove_all(path);
}

}  // namespace
}  // namespace magpie
