// What every Archive promises: what is appended comes back bit for bit, also after a crash at any byte.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <thread>

#include "contract_folder.h"
#include "embedded/archive.h"
#include "store/warc.h"

namespace magpie {
namespace {

struct ArchiveBackend {
  std::string name;
  std::function<Result<std::unique_ptr<Archive>>(const fs::path& folder)> open;
  std::function<fs::path(const fs::path& folder)> only_file;  // where the bytes of a small archive lie; for crash tests
};

class ArchiveContract : public testing::TestWithParam<ArchiveBackend> {
 protected:
  std::unique_ptr<Archive> open() {
    auto archive = GetParam().open(folder_.path());
    EXPECT_TRUE(archive) << archive.error().message;
    return std::move(*archive);
  }
  ContractFolder folder_;
};

Exchange page(std::string_view url, std::string_view body) {
  return {.url = url,
          .status = 200,
          .header_block = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
          .body = body,
          .fetched_at = Timestamp(std::chrono::milliseconds(1'795'000'000'120)),
          .ip = "127.0.0.1"};
}

std::string every_byte() {
  std::string bytes;
  for (int i = 0; i < 70'000; ++i) bytes += static_cast<char>(i ^ (i >> 8));
  return bytes;
}

TEST_P(ArchiveContract, AnAnswerComesBackBitForBit) {
  const auto archive = open();
  const std::string body = every_byte();
  for (const std::string& kept : {std::string(), std::string("x"), body, "\xff\xd8\xff" + body}) {
    const auto place = archive->append(page("http://a.test/?q=1", kept));
    ASSERT_TRUE(place) << place.error().message;
    const auto back = archive->read(*place);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->url, "http://a.test/?q=1");
    EXPECT_EQ(back->status, 200);
    EXPECT_TRUE(back->body == kept);
    EXPECT_EQ(back->fetched_at, page("", "").fetched_at);
    EXPECT_THAT(back->header_block, testing::HasSubstr("Content-Type: text/html\r\n"));
  }
}

TEST_P(ArchiveContract, PlacesHoldAfterReopening) {
  std::vector<ArchivePlace> places;
  for (int round = 0; round < 3; ++round) {
    const auto archive = open();
    places.push_back(*archive->append(page("http://a.test/", fmt::format("round {}", round))));
  }
  const auto archive = open();
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(archive->read(places[static_cast<std::size_t>(round)])->body, fmt::format("round {}", round));
}

TEST_P(ArchiveContract, EachGivesEveryAnswerInOrder) {
  const auto archive = open();
  std::vector<ArchivePlace> places;
  for (int i = 0; i < 50; ++i) places.push_back(*archive->append(page(fmt::format("http://a.test/{}", i), fmt::format("body {}", i))));
  std::size_t seen = 0;
  ASSERT_TRUE(archive->each([&](const ArchivePlace& place, ArchivedResponse response) -> Result<void> {
    EXPECT_EQ(place, places.at(seen));
    EXPECT_EQ(response.body, fmt::format("body {}", seen));
    ++seen;
    return {};
  }));
  EXPECT_EQ(seen, 50u);
}

TEST_P(ArchiveContract, WhatCannotBeKeptIsRefusedAndLeavesNothing) {
  const auto archive = open();
  ASSERT_TRUE(archive->append(page("http://a.test/", "first")));
  const std::uint64_t bytes = archive->bytes();
  EXPECT_EQ(archive->append(page("http://a.test/\r\nX: y", "bad")).error().code, Code::kBadInput);
  Exchange no_status = page("http://a.test/", "bad");
  no_status.status = 0;
  EXPECT_EQ(archive->append(no_status).error().code, Code::kBadInput);
  EXPECT_EQ(archive->bytes(), bytes);
}

TEST_P(ArchiveContract, PlacesThatHoldNothingAreErrors) {
  const auto archive = open();
  const ArchivePlace place = *archive->append(page("http://a.test/", "first"));
  EXPECT_EQ(archive->read({}).error().code, Code::kNotFound);
  EXPECT_EQ(archive->read({.file = 99, .offset = 0, .length = 10}).error().code, Code::kNotFound);
  EXPECT_EQ(archive->read({.file = place.file, .offset = place.offset + 1, .length = place.length - 1}).error().code, Code::kCorrupt);
  EXPECT_EQ(archive->read({.file = place.file, .offset = place.offset, .length = place.length - 1}).error().code, Code::kCorrupt);
  EXPECT_EQ(archive->read({.file = place.file, .offset = 1 << 30, .length = 10}).error().code, Code::kCorrupt);
}

TEST_P(ArchiveContract, AWorkerReadsARecordFromTheOpenFile) {
  const auto archive = open();
  const ArchivePlace place = *archive->append(page("http://a.test/", "for the worker"));
  const auto file = archive->open_file(place.file);
  ASSERT_TRUE(file);
  const auto record = read_warc_record((*file)->get(), place.offset, place.length);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ(record->http_body(), "for the worker");
}

TEST_P(ArchiveContract, ReadersNeedNotWaitForTheWriter) {
  const auto archive = open();
  const ArchivePlace first = *archive->append(page("http://a.test/", "first"));
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) ASSERT_EQ(archive->read(first)->body, "first");
  });
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(archive->append(page("http://a.test/", "more")));
  ASSERT_TRUE(archive->sync());
}

TEST_P(ArchiveContract, ACrashAtAnyByteOfTheLastRecordCostsThatRecordOnly) {
  std::vector<ArchivePlace> places;
  {
    const auto archive = open();
    for (const std::string body : {"one", "two", "\xff\xd8\xff three"}) places.push_back(*archive->append(page("http://a.test/", body)));
  }
  const fs::path file = GetParam().only_file(folder_.path());
  const std::string whole = *read_file(file);
  const ArchivePlace last = places.back();
  ASSERT_EQ(last.offset + last.length, whole.size());
  for (std::uint64_t size = last.offset; size < whole.size(); ++size) {
    overwrite(file, std::string_view(whole).substr(0, size));
    const auto archive = open();
    EXPECT_EQ(fs::file_size(file), last.offset) << size;
    EXPECT_EQ(archive->read(places[0])->body, "one") << size;
    EXPECT_EQ(archive->read(places[1])->body, "two") << size;
    EXPECT_FALSE(archive->read(last)) << size;
    const auto again = archive->append(page("http://a.test/", "again"));
    ASSERT_TRUE(again) << size;
    EXPECT_EQ(again->offset, last.offset) << size;
    EXPECT_EQ(archive->read(*again)->body, "again") << size;
  }
}

TEST_P(ArchiveContract, ACrashInTheVeryFirstRecordIsMended) {
  { ASSERT_TRUE(open()->append(page("http://a.test/", "first"))); }
  const fs::path file = GetParam().only_file(folder_.path());
  for (const std::uintmax_t size : {0, 1, 30}) {
    fs::resize_file(file, size);
    const auto archive = open();
    const auto place = archive->append(page("http://a.test/", "again"));
    ASSERT_TRUE(place) << size;
    EXPECT_EQ(archive->read(*place)->body, "again") << size;
  }
}

TEST_P(ArchiveContract, DamageInTheMiddleDoesNotCostWhatFollows) {
  std::vector<ArchivePlace> places;
  {
    const auto archive = open();
    for (const std::string body : {"one", "two", "three"}) places.push_back(*archive->append(page("http://a.test/", body)));
  }
  const fs::path file = GetParam().only_file(folder_.path());
  const std::string whole = *read_file(file);
  for (std::uint64_t at = places[1].offset; at < places[1].offset + places[1].length; ++at) {
    std::string spoilt = whole;
    spoilt[at] = static_cast<char>(spoilt[at] ^ 0x41);
    overwrite(file, spoilt);
    const auto archive = open();
    EXPECT_EQ(fs::file_size(file), whole.size()) << at;
    EXPECT_EQ(archive->read(places[0])->body, "one") << at;
    EXPECT_EQ(archive->read(places[2])->body, "three") << at;
  }
}

/// Follows places as a catalog does.
class FollowedMoves final : public FileMoves {
 public:
  Result<void> begins(std::uint32_t from, std::uint32_t to) override {
    begun.emplace_back(from, to);
    return {};
  }
  Result<void> moved(std::uint32_t, std::uint32_t, const std::vector<MovedPlace>& places) override {
    if (refuses) return fail(Code::kUnavailable, "the disk is full");
    for (const MovedPlace& place : places) moves.push_back(place);
    return {};
  }
  ArchivePlace now(const ArchivePlace& before) const {
    for (const MovedPlace& move : moves)
      if (move.from == before) return move.to;
    return before;
  }
  std::vector<std::pair<std::uint32_t, std::uint32_t>> begun;
  std::vector<MovedPlace> moves;
  bool refuses = false;
};

RecordFate judge_example(const std::string& url, std::string&, std::string& body) {
  if (url == "http://a.test/gone") return RecordFate::kDrop;
  const std::size_t at = body.find("gone");
  if (at == std::string::npos) return RecordFate::kKeep;
  body.replace(at, 4, "xxxx");
  return RecordFate::kChange;
}

TEST_P(ArchiveContract, RewritingDropsAndChangesWhatIsJudgedSoAndKeepsTheRestBitForBit) {
  const auto archive = open();
  const std::string bytes = every_byte();
  const ArchivePlace kept = *archive->append(page("http://a.test/kept", bytes));
  const ArchivePlace gone = *archive->append(page("http://a.test/gone", "never again"));
  const ArchivePlace changed = *archive->append(page("http://a.test/list", "see gone here"));
  const RewriteCounts counted = *archive->rewrite(judge_example, nullptr);
  EXPECT_EQ(counted.removed, 1u);
  EXPECT_TRUE(archive->read(gone)) << "counting removes nothing";

  FollowedMoves moves;
  const auto done = archive->rewrite(judge_example, &moves);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->removed, 1u);
  EXPECT_EQ(done->changed, 1u);
  EXPECT_THAT(moves.begun, testing::ElementsAre(std::pair(1u, 2u)));
  EXPECT_EQ(archive->read(gone).error().code, Code::kNotFound);
  for (int opened = 0; opened < 2; ++opened) {
    const auto again = opened == 0 ? nullptr : open();
    const Archive& now = again ? *again : *archive;
    EXPECT_TRUE(now.read(moves.now(kept))->body == bytes);
    EXPECT_EQ(now.read(moves.now(kept))->fetched_at, page("", "").fetched_at);
    EXPECT_EQ(now.read(moves.now(changed))->body, "see xxxx here");
    std::vector<std::string> urls;
    ASSERT_TRUE(now.each([&](const ArchivePlace&, ArchivedResponse response) -> Result<void> {
      urls.push_back(response.url);
      return {};
    }));
    EXPECT_THAT(urls, testing::ElementsAre("http://a.test/kept", "http://a.test/list"));
  }
  EXPECT_EQ((*archive->rewrite(judge_example, &moves)).removed, 0u);
  const ArchivePlace next = *archive->append(page("http://a.test/next", "goes on"));
  EXPECT_EQ(archive->read(next)->body, "goes on");
}

TEST_P(ArchiveContract, ARewritingThatNobodyFollowsLeavesTheOldFileAsItWas) {
  const auto archive = open();
  const ArchivePlace kept = *archive->append(page("http://a.test/kept", "kept"));
  const ArchivePlace gone = *archive->append(page("http://a.test/gone", "still here"));
  FollowedMoves moves;
  moves.refuses = true;
  EXPECT_EQ(archive->rewrite(judge_example, &moves).error().code, Code::kUnavailable);
  ASSERT_TRUE(archive->remove_file(2));  // as whoever finds that nobody refers to it
  EXPECT_EQ(archive->read(kept)->body, "kept");
  EXPECT_EQ(archive->read(gone)->body, "still here");
  moves.refuses = false;
  ASSERT_TRUE(archive->rewrite(judge_example, &moves));
  EXPECT_EQ(archive->read(moves.now(kept))->body, "kept");
}

INSTANTIATE_TEST_SUITE_P(Backends, ArchiveContract,
                         testing::Values(ArchiveBackend{"embedded", [](const fs::path& folder) { return open_archive(folder); },
                                                        [](const fs::path& folder) { return folder / "magpie-000001.warc.gz"; }}),
                         [](const auto& backend) { return backend.param.name; });

TEST(WarcArchive, BeginsANewFileWhenOneIsFull) {
  ContractFolder folder;
  auto archive = *open_archive(folder.path(), {.file_bytes_max = 2'000});
  std::vector<ArchivePlace> places;
  for (int i = 0; i < 30; ++i) places.push_back(*archive->append(page("http://a.test/", fmt::format("body {}", i))));
  EXPECT_GT(places.back().file, 3u);
  archive = *open_archive(folder.path(), {.file_bytes_max = 2'000});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(archive->read(places[static_cast<std::size_t>(i)])->body, fmt::format("body {}", i));
}

TEST(WarcArchive, AReadOnlyOneRepairsNothing) {
  ContractFolder folder;
  const ArchivePlace place = *(*open_archive(folder.path()))->append(page("http://a.test/", "first"));
  const fs::path file = folder.path() / "magpie-000001.warc.gz";
  const std::string torn = *read_file(file) + "\x1f\x8b\x08 torn";
  overwrite(file, torn);
  const auto archive = *open_archive(folder.path(), {.read_only = true});
  EXPECT_EQ(archive->read(place)->body, "first");
  EXPECT_EQ(archive->append(page("http://a.test/", "no")).error().code, Code::kForbidden);
  EXPECT_EQ(fs::file_size(file), torn.size());
}

}  // namespace
}  // namespace magpie
