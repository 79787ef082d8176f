// What every Frontier must do, run on each implementation. The crash tests need a frontier whose state lies in one folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <set>
#include <thread>

#include "base/files.h"
#include "core/frontier.h"
#include "embedded/frontier.h"

namespace magpie {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::milliseconds(1'700'000'000'000)};

struct Backend {
  std::string name;
  std::function<Result<std::unique_ptr<Frontier>>(const fs::path&)> open;
};
std::ostream& operator<<(std::ostream& out, const Backend& backend) { return out << backend.name; }

UrlRecord page(std::string url, JobId job = 1) { return {.url = std::move(url), .kind = UrlKind::kPage, .depth = 1, .job = job}; }
UrlRecord image(std::string url) { return {.url = std::move(url), .kind = UrlKind::kImage, .depth = 2, .job = 1}; }

class FrontierContract : public ::testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "magpie-frontier-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Frontier> open() { return open_in(folder_); }
  std::unique_ptr<Frontier> open_in(const fs::path& folder) {
    auto frontier = GetParam().open(folder);
    if (!frontier) ADD_FAILURE() << frontier.error().message;
    return frontier ? std::move(*frontier) : nullptr;
  }
  static std::size_t add(Frontier& frontier, std::vector<UrlRecord> urls) {
    const auto added = frontier.add(urls);
    EXPECT_TRUE(added) << added.error().message;
    return added ? *added : 0;
  }
  static std::optional<Lease> lease(Frontier& frontier, std::string_view host, Lane lane = Lane::kPages, Timestamp now = kNow,
                                    JobId job = 1) {
    auto answer = frontier.lease({job, host}, lane, now);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::move(answer->lease) : std::nullopt;
  }
  /// Leases all that waits, pages first; URLs in the order they came.
  static std::vector<std::string> drain(Frontier& frontier, std::string_view host) {
    std::vector<std::string> urls;
    for (const Lane lane : {Lane::kPages, Lane::kImages}) {
      while (auto one = lease(frontier, host, lane)) urls.push_back(one->url.url);
    }
    return urls;
  }

  fs::path folder_;
};

TEST_P(FrontierContract, EachUrlIsNewOncePerJob) {
  const auto frontier = open();
  EXPECT_EQ(add(*frontier, {page("http://a.test/1"), page("http://a.test/2"), page("http://a.test/1")}), 2u);
  EXPECT_EQ(add(*frontier, {page("http://a.test/2"), image("http://a.test/1")}), 0u);
  EXPECT_EQ(add(*frontier, {page("http://a.test/1", /*job=*/2)}), 1u);
  EXPECT_EQ(frontier->counts(1).known, 2u);
  EXPECT_EQ(frontier->counts(2).known, 1u);
}

TEST_P(FrontierContract, AHostsUrlsComeInOrderAndOnlyOnce) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://b.test:81/1"), page("http://a.test/2")});
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre("http://a.test/1", "http://a.test/2"));
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre());
  EXPECT_THAT(drain(*frontier, "b.test:81"), ElementsAre("http://b.test:81/1"));
  EXPECT_THAT(drain(*frontier, "unknown.test"), ElementsAre());
}

TEST_P(FrontierContract, ALeaseCarriesTheWholeRecord) {
  const auto frontier = open();
  const UrlRecord record{.url = "https://a.test/x?y=1", .kind = UrlKind::kSitemap, .depth = 7, .job = 1};
  add(*frontier, {record});
  const auto one = lease(*frontier, "a.test");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->url, record);
  EXPECT_EQ(one->tries, 0u);
}

TEST_P(FrontierContract, PagesAndImagesHaveLanesOfTheirOwn) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/p"), image("http://a.test/i")});
  EXPECT_EQ(frontier->host_counts({1, "a.test"}).queued_images, 1u);
  EXPECT_EQ(lease(*frontier, "a.test", Lane::kImages)->url.url, "http://a.test/i");
  EXPECT_FALSE(lease(*frontier, "a.test", Lane::kImages));
  EXPECT_EQ(lease(*frontier, "a.test", Lane::kPages)->url.url, "http://a.test/p");
}

TEST_P(FrontierContract, CountsFollowEachUrl) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://a.test/2"), image("http://a.test/3")});
  const auto one = lease(*frontier, "a.test"), two = lease(*frontier, "a.test");
  ASSERT_TRUE(one && two);
  EXPECT_EQ(frontier->counts(1).queued, 1u);
  EXPECT_EQ(frontier->counts(1).in_flight, 2u);
  ASSERT_TRUE(frontier->acknowledge(one->signature, Cause::kNone));
  ASSERT_TRUE(frontier->acknowledge(two->signature, Cause::kTimeout));
  const FrontierCounts counts = frontier->counts(1);
  EXPECT_EQ(counts.in_flight, 0u);
  EXPECT_EQ(counts.done, 1u);
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.failed_by_cause[static_cast<std::size_t>(Cause::kTimeout)], 1u);
  const std::vector<HostCounts> hosts = frontier->hosts(1);
  ASSERT_EQ(hosts.size(), 1u);
  EXPECT_EQ(hosts[0].host, "a.test");
  EXPECT_EQ(hosts[0].done_pages, 1u);
  EXPECT_EQ(hosts[0].failed, 1u);
  EXPECT_EQ(hosts[0].queued(), 1u);
}

TEST_P(FrontierContract, StatusTellsHowAUrlStands) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://a.test/2")});
  EXPECT_FALSE(frontier->status(1, "http://a.test/3"));
  EXPECT_FALSE(frontier->status(2, "http://a.test/1"));
  const auto one = lease(*frontier, "a.test");
  EXPECT_EQ(frontier->status(1, "http://a.test/1")->state, UrlState::kInFlight);
  EXPECT_EQ(frontier->status(1, "http://a.test/2")->state, UrlState::kQueued);
  ASSERT_TRUE(frontier->acknowledge(one->signature, Cause::kDns));
  EXPECT_EQ(frontier->status(1, "http://a.test/1")->state, UrlState::kDone);
  EXPECT_EQ(frontier->status(1, "http://a.test/1")->cause, Cause::kDns);
}

TEST_P(FrontierContract, WhatWasPutBackComesWhenItIsDueAndBeforeOthers) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1")});
  const auto first = lease(*frontier, "a.test");
  ASSERT_TRUE(frontier->put_back(first->signature, kNow + 60s));
  const auto answer = frontier->lease({1, "a.test"}, Lane::kPages, kNow + 59s);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->lease);
  EXPECT_EQ(answer->next_at, kNow + 60s);
  add(*frontier, {page("http://a.test/2")});
  const auto again = lease(*frontier, "a.test", Lane::kPages, kNow + 60s);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->url.url, "http://a.test/1");
  EXPECT_EQ(again->tries, 1u);
  EXPECT_EQ(again->signature, first->signature);
}

TEST_P(FrontierContract, OnlyLeasesCanBeEnded) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1")});
  const auto one = lease(*frontier, "a.test");
  ASSERT_TRUE(frontier->acknowledge(one->signature, Cause::kNone));
  EXPECT_TRUE(frontier->acknowledge(one->signature, Cause::kDns)) << "a second end changes nothing";
  EXPECT_EQ(frontier->status(1, "http://a.test/1")->cause, Cause::kNone);
  EXPECT_EQ(frontier->acknowledge(12'345, Cause::kNone).error().code, Code::kNotFound);
  EXPECT_EQ(frontier->put_back(one->signature, kNow).error().code, Code::kNotFound);
}

TEST_P(FrontierContract, FailuresCanBeTriedAgainByCause) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://a.test/2"), page("http://a.test/3")});
  for (const Cause cause : {Cause::kDns, Cause::kNotFound, Cause::kNone}) {
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "a.test")->signature, cause));
  }
  const std::vector<Cause> causes{Cause::kDns, Cause::kTimeout};
  EXPECT_EQ(*frontier->retry_failed(1, causes), 1u);
  EXPECT_EQ(*frontier->retry_failed(1, causes), 0u);
  EXPECT_EQ(frontier->counts(1).failed, 1u);
  EXPECT_EQ(frontier->counts(1).queued, 1u);
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre("http://a.test/1"));
}

TEST_P(FrontierContract, HostsAreWokenWhenTheyGetSomething) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://b.test/1"), page("http://a.test/2")});
  EXPECT_THAT(frontier->take_woken_hosts(1), UnorderedElementsAre("a.test", "b.test"));
  EXPECT_THAT(frontier->take_woken_hosts(1), ElementsAre());
  add(*frontier, {page("http://a.test/1")});
  EXPECT_THAT(frontier->take_woken_hosts(1), ElementsAre());
  add(*frontier, {page("http://a.test/3")});
  EXPECT_THAT(frontier->take_woken_hosts(1), ElementsAre("a.test"));
  const auto one = lease(*frontier, "a.test");
  ASSERT_TRUE(frontier->put_back(one->signature, kNow));
  EXPECT_THAT(frontier->take_woken_hosts(1), ElementsAre("a.test"));
}

TEST_P(FrontierContract, AUrlThatIsTooLongIsRefusedAndNothingOfItsCallKept) {
  const auto frontier = open();
  const std::vector<UrlRecord> urls{page("http://a.test/1"), page("http://a.test/" + std::string(Frontier::kUrlBytesMax, 'x'))};
  EXPECT_EQ(frontier->add(urls).error().code, Code::kTooLarge);
  EXPECT_EQ(frontier->counts(1).known, 0u);
  EXPECT_FALSE(frontier->status(1, "http://a.test/1"));
  const std::string longest = "http://a.test/" + std::string(Frontier::kUrlBytesMax - 14, 'y');
  EXPECT_EQ(add(*frontier, {page("http://a.test/1"), page(longest)}), 2u);
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre("http://a.test/1", longest));
}

TEST_P(FrontierContract, EverythingIsThereAfterReopening) {
  std::vector<Lease> leases;
  {
    const auto frontier = open();
    add(*frontier,
        {page("http://a.test/1"), page("http://a.test/2"), page("http://a.test/3"), image("http://a.test/4"), page("http://b.test/1")});
    for (int i = 0; i < 3; ++i) leases.push_back(*lease(*frontier, "a.test"));
    ASSERT_TRUE(frontier->acknowledge(leases[0].signature, Cause::kNone));
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "b.test")->signature, Cause::kTls));
    ASSERT_TRUE(frontier->put_back(leases[1].signature, kNow + 10s));
    ASSERT_TRUE(frontier->sync());
  }
  const auto frontier = open();
  const FrontierCounts counts = frontier->counts(1);
  EXPECT_EQ(counts.known, 5u);
  EXPECT_EQ(counts.queued, 3u);
  EXPECT_EQ(counts.in_flight, 0u);
  EXPECT_EQ(counts.done, 1u);
  EXPECT_EQ(counts.failed_by_cause[static_cast<std::size_t>(Cause::kTls)], 1u);
  EXPECT_EQ(frontier->host_counts({1, "a.test"}).done_pages, 1u);
  EXPECT_THAT(frontier->take_woken_hosts(1), ElementsAre("a.test"));
  EXPECT_EQ(add(*frontier, {page("http://a.test/1"), page("http://b.test/1")}), 0u);
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre("http://a.test/3", "http://a.test/4"));
  const auto waited = lease(*frontier, "a.test", Lane::kPages, kNow + 10s);
  ASSERT_TRUE(waited);
  EXPECT_EQ(waited->tries, 1u);
  EXPECT_EQ(waited->signature, leases[1].signature);
}

TEST_P(FrontierContract, ARetryIsThereAfterReopening) {
  {
    const auto frontier = open();
    add(*frontier, {page("http://a.test/1")});
    const auto one = lease(*frontier, "a.test");
    ASSERT_TRUE(frontier->put_back(one->signature, kNow));
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "a.test")->signature, Cause::kDns));
    ASSERT_EQ(*frontier->retry_failed(1, std::vector{Cause::kDns}), 1u);
  }
  const auto frontier = open();
  EXPECT_EQ(frontier->counts(1).failed, 0u);
  const auto one = lease(*frontier, "a.test");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->tries, 0u);
}

TEST_P(FrontierContract, TwoProcessesCannotHaveItOpen) {
  const auto frontier = open();
  const auto second = GetParam().open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
}

TEST_P(FrontierContract, ThreadsMayAddAndLeaseTogether) {
  const auto frontier = open();
  constexpr int kUrls = 2'000;
  std::atomic<std::size_t> added{0};
  std::vector<std::jthread> adders;
  for (int t = 0; t < 3; ++t) {
    adders.emplace_back([&] {
      for (int i = 0; i < kUrls; ++i) added += *frontier->add(std::vector{page(fmt::format("http://h{}.test/{}", i % 7, i))});
    });
  }
  adders.clear();
  EXPECT_EQ(added, static_cast<std::size_t>(kUrls));
  std::atomic<std::size_t> leased{0};
  std::vector<std::jthread> takers;
  for (int t = 0; t < 3; ++t) {
    takers.emplace_back([&] {
      for (int h = 0; h < 7; ++h) {
        while (auto answer = frontier->lease({1, fmt::format("h{}.test", h)}, Lane::kPages, kNow)) {
          if (!answer->lease) break;
          ++leased;
          if (!frontier->acknowledge(answer->lease->signature, Cause::kNone)) return;
        }
      }
    });
  }
  takers.clear();
  EXPECT_EQ(leased, static_cast<std::size_t>(kUrls));
  EXPECT_EQ(frontier->counts(1).done, static_cast<std::uint64_t>(kUrls));
}

// Kills a process in the middle of its work and compares what it had been told (through a pipe) with what is there afterwards.
TEST_P(FrontierContract, KilledMidWayLosesNothingThatReturned) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    const fs::path folder = folder_ / std::to_string(round);
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto frontier = GetParam().open(folder);
      if (!frontier) _exit(1);
      for (int i = 0;; ++i) {
        const std::string url = fmt::format("http://a.test/{}", i);
        if (!(*frontier)->add(std::vector{page(url)})) _exit(1);
        if (i % 2 == 0) {
          const auto answer = (*frontier)->lease({1, "a.test"}, Lane::kPages, kNow);
          if (!answer || !answer->lease || !(*frontier)->acknowledge(answer->lease->signature, Cause::kNone)) _exit(1);
        }
        if (write(pipes[1], &i, sizeof i) != sizeof i) _exit(1);
      }
    }
    close(pipes[1]);
    const int enough = 1 + static_cast<int>(random() % 3'000);
    int last = -1;
    while (last < enough && read(pipes[0], &last, sizeof last) == sizeof last) {}
    kill(child, SIGKILL);
    for (int seen = 0; read(pipes[0], &seen, sizeof seen) == sizeof seen;) last = seen;
    close(pipes[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself in round " << round << ", seed " << seed;

    const auto frontier = open_in(folder);
    ASSERT_TRUE(frontier);
    const FrontierCounts counts = frontier->counts(1);
    EXPECT_GE(counts.known, static_cast<std::uint64_t>(last + 1));
    EXPECT_LE(counts.known, static_cast<std::uint64_t>(last + 2));
    EXPECT_GE(counts.done, static_cast<std::uint64_t>(last / 2 + 1));
    EXPECT_EQ(counts.queued + counts.done, counts.known);
    for (const std::string& url : drain(*frontier, "a.test")) EXPECT_EQ(frontier->status(1, url)->state, UrlState::kInFlight);
  }
}

// Cuts the file at every byte: what opens is always the state after some number of whole calls, and the frontier goes on from there.
TEST_P(FrontierContract, ATailTornAtAnyByteIsCutOff) {
  const fs::path whole = folder_ / "whole";
  {
    const auto frontier = open_in(whole);
    add(*frontier, {page("http://a.test/1")});
    add(*frontier, {page("http://a.test/2")});
    const auto one = lease(*frontier, "a.test");
    ASSERT_TRUE(frontier->acknowledge(one->signature, Cause::kNone));
    const auto two = lease(*frontier, "a.test");
    ASSERT_TRUE(frontier->put_back(two->signature, kNow));
  }
  const auto bytes = read_file(whole / "log.mfl");
  if (!bytes) GTEST_SKIP() << "this backend has no log file";
  std::set<std::tuple<std::uint64_t, std::uint64_t>> states;  // known, done
  for (std::size_t size = 0; size <= bytes->size(); ++size) {
    const fs::path folder = folder_ / std::to_string(size);
    ASSERT_TRUE(make_folder(folder));
    std::ofstream(folder / "log.mfl", std::ios::binary) << bytes->substr(0, size);
    auto frontier = open_in(folder);
    ASSERT_TRUE(frontier) << "cut at " << size;
    const FrontierCounts before = frontier->counts(1);
    states.insert({before.known, before.done});
    EXPECT_EQ(before.queued + before.done, before.known);
    add(*frontier, {page("http://a.test/new")});
    frontier.reset();
    frontier = open_in(folder);
    ASSERT_TRUE(frontier);
    EXPECT_EQ(frontier->counts(1).known, before.known + 1) << "cut at " << size;
    frontier.reset();
    fs::remove_all(folder);
  }
  EXPECT_THAT(states, UnorderedElementsAre(std::tuple(0, 0), std::tuple(1, 0), std::tuple(2, 0), std::tuple(2, 1)));
}

TEST_P(FrontierContract, DamageInTheMiddleIsSetAsideAndSaid) {
  {
    const auto frontier = open();
    std::vector<UrlRecord> urls;
    for (int i = 0; i < 2'000; ++i) urls.push_back(page(fmt::format("http://a.test/{}", i)));
    add(*frontier, urls);
  }
  auto bytes = read_file(folder_ / "log.mfl");
  if (!bytes) GTEST_SKIP() << "this backend has no log file";
  (*bytes)[200] ^= 1;
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << *bytes;
  const auto frontier = open();
  ASSERT_TRUE(frontier);
  EXPECT_LT(frontier->counts(1).known, 10u);
  EXPECT_TRUE(fs::exists(folder_ / "log.mfl.damaged"));
}

TEST_P(FrontierContract, AForeignFileIsLeftAlone) {
  ASSERT_TRUE(make_folder(folder_));
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << "this is somebody's diary, not a log";
  const auto frontier = GetParam().open(folder_);
  ASSERT_FALSE(frontier);
  EXPECT_EQ(frontier.error().code, Code::kCorrupt);
  EXPECT_EQ(*read_file(folder_ / "log.mfl"), "this is somebody's diary, not a log");
}

INSTANTIATE_TEST_SUITE_P(Backends, FrontierContract, ::testing::Values(Backend{"embedded", open_frontier}),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace magpie
