#include <gtest/gtest.h>
#include <unistd.h>

#include "base/hash.h"
#include "crawl/replay_client.h"
#include "crawl/replay_index.h"
#include "store/warc.h"

namespace magpie::crawl {
namespace {

constexpr std::string_view kHtml = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n";
const std::string kPage = "<!doctype html><title>Boots</title>";

std::string page(std::string_view body, std::string_view headers = "") { return fmt::format("{}{}\r\n{}", kHtml, headers, body); }

/// A record as other tools write it, with the fields given, each "Name: value".
std::string record(std::string_view type, std::string_view url, std::string_view date, std::string_view block,
                   const std::vector<std::string>& fields = {}) {
  const bool http = type == "response" || type == "revisit";
  std::string out = fmt::format("WARC/1.0\r\nWARC-Type: {}\r\nWARC-Record-ID: {}\r\nWARC-Date: {}\r\nWARC-Target-URI: {}\r\n", type,
                                new_warc_record_id(), date, url);
  if (http) out += "Content-Type: application/http;msgtype=response\r\n";
  for (const std::string& field : fields) out += field + "\r\n";
  return out + fmt::format("Content-Length: {}\r\n\r\n{}\r\n\r\n", block.size(), block);
}

std::string digest(std::string_view payload) { return "WARC-Payload-Digest: sha1:" + sha1_base32(payload); }
std::string member(std::string_view text) { return *gzip_member(text, 6); }

constexpr std::string_view kThen = "2024-03-01T10:00:00Z", kLater = "2024-03-02T10:00:00Z";

class Replay : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, std::string_view bytes) {
    const fs::path path = folder_ / name;
    EXPECT_TRUE(write_file_atomic(path, bytes));
    return path;
  }
  std::shared_ptr<const ReplayIndex> build(const std::vector<fs::path>& files) {
    pages_.clear();
    auto index = ReplayIndex::build(files, AddressForm(CrawlSettings()), {.body_bytes_max = 1 << 20, .on_page = [this](std::string url) {
                                                                            pages_.push_back(std::move(url));
                                                                            return Result<void>();
                                                                          }});
    EXPECT_TRUE(index) << (index ? "" : index.error().message);
    return index ? *index : nullptr;
  }
  std::shared_ptr<const ReplayIndex> build_of(std::string_view bytes) { return build({write("a.warc", bytes)}); }
  static std::string body(const ReplayIndex& index, std::string_view url) {
    const auto answer = index.read(url, 1 << 20);
    return answer ? answer->body : "error: " + answer.error().message;
  }

  const fs::path folder_ = fs::temp_directory_path() / fmt::format("magpie-replay-{}", ::getpid());
  std::vector<std::string> pages_;
};

TEST_F(Replay, HoldsPagesAndPicturesOfPlainAndPackedFiles) {
  const std::string png = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n";
  const auto plain =
      write("a.warc", record("warcinfo", "", kThen, "software: x\r\n") + record("response", "http://a.test/", kThen, page(kPage)));
  const auto packed = write("b.warc.gz", member(record("warcinfo", "", kThen, "software: x\r\n")) +
                                             member(record("response", "<http://B.test:80/p.png?utm_source=x#top>", kThen, png)));
  const auto index = build({plain, packed});
  EXPECT_EQ(pages_, std::vector<std::string>{"http://a.test/"});
  EXPECT_EQ(index->counts().addresses, 2u);
  EXPECT_EQ(words_of_damage(index->counts()), "");
  EXPECT_EQ(body(*index, "http://a.test/"), kPage);
  EXPECT_EQ(body(*index, "http://b.test/p.png"), "\x89PNG\r\n\x1a\n") << "in the form the job knows addresses by";
  EXPECT_EQ(index->recorded_at("http://a.test/"), *parse_warc_date(kThen));
  EXPECT_FALSE(index->holds("http://a.test/other"));
  EXPECT_EQ(index->read("http://a.test/other", 10).error().code, Code::kNotFound);
  EXPECT_EQ(index->read("http://a.test/", 5).error().code, Code::kTooLarge);
}

TEST_F(Replay, TakesCodingsOffStoredBodies) {
  const std::string gzip = member(kPage);
  const std::string both = fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", gzip.size(), gzip);
  const auto index =
      build_of(record("response", "http://a.test/1", kThen, page(both, "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")) +
               record("response", "http://a.test/2", kThen, page(kPage, "Content-Encoding: gzip\r\n")) +
               record("response", "http://a.test/3", kThen, page(gzip.substr(0, gzip.size() / 2), "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(body(*index, "http://a.test/1"), kPage);
  EXPECT_EQ(body(*index, "http://a.test/2"), kPage) << "stored decoded under the old headers";
  EXPECT_EQ(index->read("http://a.test/3", 1 << 20).error().code, Code::kBadInput);
}

TEST_F(Replay, TellsPagesByTheirBytesWhereTheTypeSaysNothing) {
  const auto index = build_of(record("response", "http://a.test/html", kThen, "HTTP/1.1 200 OK\r\n\r\n" + kPage) +
                              record("response", "http://a.test/style", kThen, "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n\r\nbody {}") +
                              record("resource", "http://a.test/resource", kThen, kPage, {"Content-Type: text/html"}) +
                              record("resource", "urn:note", kThen, kPage, {"Content-Type: text/html"}));
  EXPECT_EQ(pages_, (std::vector<std::string>{"http://a.test/html", "http://a.test/resource"}));
  const auto resource = index->read("http://a.test/resource", 1'000);
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource->status, 200);
  EXPECT_EQ(find_header(resource->headers, "content-type"), "text/html");
  EXPECT_EQ(index->counts().addresses, 3u);
}

TEST_F(Replay, TheNewestAnswerCountsAndErrorsOnlyWhereNothingElseIs) {
  const auto answer = [](int status) { return fmt::format("HTTP/1.1 {} X\r\nContent-Type: text/html\r\n\r\n{}", status, status); };
  const auto index =
      build_of(record("response", "http://a.test/1", kLater, page("new")) + record("response", "http://a.test/1", kThen, page("old")) +
               record("response", "http://a.test/2", kThen, page("good")) + record("response", "http://a.test/2", kLater, answer(404)) +
               record("response", "http://a.test/3", kThen, answer(404)) + record("response", "http://a.test/4", kThen, page("first")) +
               record("response", "http://a.test/4", kThen, page("second")) + record("response", "http://a.test/5", kThen, answer(503)) +
               record("response", "http://a.test/5b", kThen, answer(429)) + record("response", "http://a.test/6", kThen, answer(206)) +
               record("response", "http://a.test/robots.txt", kThen, answer(200)));
  EXPECT_EQ(body(*index, "http://a.test/1"), "new");
  EXPECT_EQ(body(*index, "http://a.test/2"), "good");
  EXPECT_EQ(index->read("http://a.test/3", 10)->status, 404);
  EXPECT_EQ(body(*index, "http://a.test/4"), "second") << "of one second, the one that came later";
  EXPECT_EQ(index->counts().addresses, 4u) << "nothing that says nothing about its address";
}

TEST_F(Replay, RevisitsGiveThePayloadTheyReferTo) {
  const std::string same = "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
  const std::string unmodified = "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/server-not-modified";
  const std::string gzip = member(kPage);
  const auto revisits =
      write("b.warc",
            record("revisit", "http://a.test/copy", kLater, page("", "X-Mine: yes\r\nContent-Encoding: gzip\r\n"), {same, digest(gzip)}) +
                record("revisit", "http://a.test/bare", kLater, "", {same, digest(gzip)}) +
                record("revisit", "http://a.test/by-address", kLater, page(""),
                       {same, "WARC-Refers-To-Target-URI: http://a.test/page", fmt::format("WARC-Refers-To-Date: {}", kThen)}) +
                record("revisit", "http://a.test/page", kLater, "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n", {unmodified}) +
                record("revisit", "http://a.test/lost", kLater, page(""), {same, digest("elsewhere")}));
  const auto first = write(
      "a.warc", record("response", "http://a.test/page", kThen, page(gzip, "Content-Encoding: gzip\r\nX-Mine: no\r\n"), {digest(gzip)}));
  const auto index = build({revisits, first});  // in any order
  EXPECT_EQ(index->counts().addresses, 4u);
  EXPECT_EQ(index->counts().revisits_unmet, 1u);
  for (const char* url : {"http://a.test/page", "http://a.test/copy", "http://a.test/bare", "http://a.test/by-address"})
    EXPECT_EQ(body(*index, url), kPage) << url;
  EXPECT_EQ(pages_.size(), 4u);
  EXPECT_EQ(find_header(index->read("http://a.test/copy", 1'000)->headers, "X-Mine"), "yes") << "its own headers";
  EXPECT_EQ(find_header(index->read("http://a.test/bare", 1'000)->headers, "X-Mine"), "no");
  EXPECT_EQ(index->recorded_at("http://a.test/copy"), *parse_warc_date(kLater));
  EXPECT_EQ(words_of_damage(index->counts()), "1 revisit records refer to what is in none of the files; all else was replayed");
}

TEST_F(Replay, GoesOnBehindDamageAndSaysWhere) {
  std::string broken = member(record("response", "http://a.test/2", kThen, page(kPage)));
  broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 0x55);
  const std::string last = member(record("response", "http://a.test/4", kThen, page(kPage)));
  const std::string large = member(record("response", "http://a.test/large", kThen, page(std::string(3 << 20, 'x'))));
  const auto torn =
      write("torn.warc.gz", member(record("response", "http://a.test/1", kThen, page(kPage))) + broken + large +
                                member(record("response", "http://a.test/3", kThen, page(kPage))) + last.substr(0, last.size() - 9));
  const auto index = build({torn});
  EXPECT_TRUE(index->holds("http://a.test/1"));
  EXPECT_FALSE(index->holds("http://a.test/2"));
  EXPECT_TRUE(index->holds("http://a.test/3"));
  EXPECT_FALSE(index->holds("http://a.test/4"));
  EXPECT_EQ(index->counts().damaged, 2u);
  EXPECT_EQ(index->counts().too_large, 1u);
  const std::string words = words_of_damage(index->counts());
  EXPECT_NE(words.find("2 places do not read (the first: torn.warc.gz at offset"), std::string::npos) << words;
}

TEST_F(Replay, RefusesWhatIsNoWarc) {
  const auto error = [&](const fs::path& path) {
    const auto index = ReplayIndex::build({path}, AddressForm(CrawlSettings()));
    return index ? Error{Code::kInternal, "built"} : index.error();
  };
  EXPECT_EQ(error(folder_ / "missing.warc").code, Code::kNotFound);
  EXPECT_EQ(error(write("empty.warc", "")).message, (folder_ / "empty.warc").string() + " is no WARC file: it is empty");
  EXPECT_EQ(error(write("page.warc", kPage)).code, Code::kBadInput);
  EXPECT_EQ(error(write("page.warc.gz", member(kPage))).code, Code::kBadInput);
  const std::string one = record("response", "http://a.test/1", kThen, page(kPage)),
                    two = record("response", "http://a.test/2", kThen, page(kPage));
  const Error joined = error(write("joined.warc.gz", member(one + two)));
  EXPECT_EQ(joined.code, Code::kBadInput);
  EXPECT_NE(joined.message.find("unpack it first: zcat joined.warc.gz > joined.warc"), std::string::npos) << joined.message;
}

TEST_F(Replay, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  const auto file = write("a.warc", record("response", "http://a.test/", kThen, page(kPage)));
  EXPECT_EQ(ReplayIndex::build({file}, AddressForm(CrawlSettings()), {.stop = stop.get_token()}).error().code, Code::kCancelled);
}

TEST_F(Replay, TheClientAnswersFromTheArchiveAndNothingElse) {
  const auto index = build_of(record("response", "http://a.test/", kThen, page(kPage, "ETag: \"1\"\r\n"), {"WARC-IP-Address: 192.0.2.1"}) +
                              record("response", "http://a.test/moved", kThen, "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"));
  auto client = make_replay_client(index);
  ASSERT_TRUE(client);
  const auto ask = [&](std::string_view url, std::size_t bytes_max = 1'000) {
    HttpRequest request{.url = *Url::parse(url), .etag = "\"1\"", .tag = 7};
    request.limits.body_bytes_max = bytes_max;
    (*client)->submit(std::move(request));
    EXPECT_EQ((*client)->in_flight(), 1u);
    std::vector<HttpResponse> answers = (*client)->poll(Deadline::never());
    EXPECT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers.at(0).tag, 7u);
    return std::move(answers.at(0));
  };
  const HttpResponse page = ask("http://a.test/");
  EXPECT_TRUE(page.complete());
  EXPECT_EQ(page.status, 200) << "conditions are not looked at";
  EXPECT_EQ(page.body, kPage);
  EXPECT_EQ(page.header("ETag"), "\"1\"");
  EXPECT_EQ(page.peer_address, "192.0.2.1");
  EXPECT_EQ((*redirect_target(ask("http://a.test/moved")))->href(), "http://a.test/");
  EXPECT_EQ(ask("http://a.test/robots.txt").status, 404);
  EXPECT_EQ(ask("http://a.test/elsewhere").cause, HttpCause::kProtocol);
  EXPECT_EQ(ask("http://a.test/", 5).cause, HttpCause::kTooLarge);

  (*client)->submit({.url = *Url::parse("http://a.test/")});
  (*client)->cancel_all();
  (*client)->submit({.url = *Url::parse("http://a.test/")});
  const auto answers = (*client)->poll(Deadline::never());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].cause, HttpCause::kCancelled);
  EXPECT_TRUE(answers[1].complete());
  (*client)->wake();
  EXPECT_TRUE((*client)->poll(Deadline::never()).empty()) << "woken";
}

}  // namespace
}  // namespace magpie::crawl
