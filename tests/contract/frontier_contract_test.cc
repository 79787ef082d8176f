// What every Frontier must do, run on each implementation. The crash tests need a frontier whose state lies in one folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/files.h"
#include "base/hash.h"
#include "base/wire.h"
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

TEST_P(FrontierContract, AHostsUrlsComeOnceEach) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://b.test:81/1"), page("http://a.test/2")});
  EXPECT_THAT(drain(*frontier, "a.test"), UnorderedElementsAre("http://a.test/1", "http://a.test/2"));
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre());
  EXPECT_THAT(drain(*frontier, "b.test:81"), ElementsAre("http://b.test:81/1"));
  EXPECT_THAT(drain(*frontier, "unknown.test"), ElementsAre());
}

TEST_P(FrontierContract, ALeaseCarriesTheWholeRecord) {
  const auto frontier = open();
  const UrlRecord record{.url = "https://a.test/x?y=1", .kind = UrlKind::kSitemap, .depth = 700, .job = 1, .priority = 3};
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
  add(*frontier, {page("http://a.test/1"), page("http://b.test/2")});
  EXPECT_FALSE(frontier->status(1, "http://a.test/3"));
  EXPECT_FALSE(frontier->status(2, "http://a.test/1"));
  const auto one = lease(*frontier, "a.test");
  EXPECT_EQ(frontier->status(1, "http://a.test/1")->state, UrlState::kInFlight);
  EXPECT_EQ(frontier->status(1, "http://b.test/2")->state, UrlState::kQueued);
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
  std::map<Cause, std::string> ended;
  for (const Cause cause : {Cause::kDns, Cause::kNotFound, Cause::kNone}) {
    const auto one = lease(*frontier, "a.test");
    ended[cause] = one->url.url;
    ASSERT_TRUE(frontier->acknowledge(one->signature, cause));
  }
  const std::vector<Cause> causes{Cause::kDns, Cause::kTimeout};
  EXPECT_EQ(*frontier->retry_failed(1, causes), 1u);
  EXPECT_EQ(*frontier->retry_failed(1, causes), 0u);
  EXPECT_EQ(frontier->counts(1).failed, 1u);
  EXPECT_EQ(frontier->counts(1).queued, 1u);
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre(ended[Cause::kDns]));
}

TEST_P(FrontierContract, FailuresOfOneHostCanBeTriedAgain) {
  const auto frontier = open();
  add(*frontier, {page("http://a.test/1"), page("http://b.test/1"), page("http://b.test/2"), page("http://b.test/1", /*job=*/2)});
  for (const char* host : {"a.test", "b.test", "b.test"}) {
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, host)->signature, Cause::kDns));
  }
  EXPECT_EQ(*frontier->retry_failed(1, std::vector{Cause::kDns}, "b.test"), 2u);
  EXPECT_EQ(frontier->host_counts({1, "a.test"}).failed, 1u);
  EXPECT_THAT(drain(*frontier, "b.test"), UnorderedElementsAre("http://b.test/1", "http://b.test/2"));
  EXPECT_EQ(*frontier->retry_failed(1, std::vector{Cause::kDns}, "c.test"), 0u);
  EXPECT_EQ(*frontier->retry_failed(1, std::vector{Cause::kNone}), 0u) << "no cause is no failure";
}

TEST_P(FrontierContract, WhatIsForgottenWasNeverThereAndAllElseIsAsItWas) {
  const auto is_gone = [](std::string_view url) { return host_of_url(url) == "gone.test" || url == "http://a.test/4"; };
  std::set<std::string> not_due;
  auto frontier = open();
  for (int round = 0; round < 50; ++round) {  // alone and in runs, fetched, failed, put back and waiting
    std::vector<UrlRecord> urls;
    for (int i = 0; i < 8; ++i) urls.push_back(page(fmt::format("http://{}.test/{}", i % 3 == 0 ? "gone" : "a", round * 8 + i)));
    add(*frontier, urls);
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "gone.test")->signature, Cause::kNone));
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "a.test")->signature, round % 2 == 0 ? Cause::kNone : Cause::kTimeout));
    const std::optional<Lease> later = lease(*frontier, "a.test");
    not_due.insert(later->url.url);
    ASSERT_TRUE(frontier->put_back(later->signature, kNow + 1h));
  }
  std::map<std::string, UrlStatus> before;
  for (int i = 0; i < 400; ++i) {
    const std::string url = fmt::format("http://a.test/{}", i);
    if (const auto status = frontier->status(1, url); status && !is_gone(url)) before[url] = *status;
  }
  const FrontierCounts counts = frontier->counts(1);
  EXPECT_EQ(*frontier->forget(is_gone, /*really=*/false), 151u);
  EXPECT_EQ(frontier->counts(1).known, counts.known);
  const std::uint64_t gone = *frontier->forget(is_gone, /*really=*/true);
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ(frontier->counts(1).known, counts.known - gone);
    EXPECT_FALSE(frontier->status(1, "http://gone.test/0"));
    for (const auto& [url, status] : before) {
      const auto now = frontier->status(1, url);
      ASSERT_TRUE(now) << url;
      EXPECT_EQ(now->state, status.state) << url;
      EXPECT_EQ(now->cause, status.cause) << url;
    }
    EXPECT_EQ(*frontier->forget(is_gone, /*really=*/true), 0u);
    for (const auto& file : fs::directory_iterator(folder_)) {
      const auto bytes = read_file(file.path());
      EXPECT_EQ(bytes->find("gone.test"), std::string::npos) << file.path();
    }
    frontier.reset();
    frontier = open();
  }
  std::vector<std::string> expected;
  for (const auto& [url, status] : before)
    if (status.state == UrlState::kQueued && !not_due.contains(url)) expected.push_back(url);
  EXPECT_THAT(drain(*frontier, "a.test"), ::testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(add(*frontier, {page("http://gone.test/0")}), 1u);
}

TEST_P(FrontierContract, BetterPrioritiesGoFirst) {
  constexpr int kUrls = 100;
  std::vector<int> wanted;
  {
    const auto frontier = open();
    std::mt19937 random(1);
    for (int i = 0; i < kUrls; ++i) {
      UrlRecord url = page(fmt::format("http://a.test/{}", i));
      url.priority = static_cast<std::uint8_t>(random() % 6);  // over the last counts as that
      wanted.push_back(std::min<int>(url.priority, kUrlPriorityLast));
      add(*frontier, {url});
    }
  }
  std::sort(wanted.begin(), wanted.end());
  const auto frontier = open();
  std::vector<int> got;
  while (const auto one = lease(*frontier, "a.test")) got.push_back(one->url.priority);
  EXPECT_EQ(got, wanted);
}

// Ten lists of a hundred: no matter where in which list an address was found, it goes out at any time.
TEST_P(FrontierContract, WithinAPriorityTheOrderIsSpreadOverAllThatWaits) {
  const auto frontier = open();
  for (int list = 0; list < 10; ++list) {
    std::vector<UrlRecord> urls;
    for (int i = 0; i < 100; ++i) urls.push_back(page(fmt::format("http://a.test/{}", 1'000 + list * 100 + i)));
    add(*frontier, urls);
  }
  const std::vector<std::string> order = drain(*frontier, "a.test");
  ASSERT_EQ(order.size(), 1'000u);
  for (std::size_t part = 0; part < 1'000; part += 200) {
    std::map<char, int> by_list;
    for (std::size_t i = part; i < part + 200; ++i) ++by_list[order[i][15]];
    EXPECT_GE(by_list.size(), 7u) << "lists among the 200 from place " << part << " on";
  }
  int rising = 0;
  for (std::size_t i = 1; i < order.size(); ++i) rising += order[i - 1] < order[i] ? 1 : 0;
  EXPECT_GT(rising, 400);
  EXPECT_LT(rising, 600);
}

TEST_P(FrontierContract, ALongListDoesNotWaitForManyShortOnes) {
  const auto frontier = open();
  std::vector<UrlRecord> list;
  for (int i = 0; i < 900; ++i) list.push_back(page(fmt::format("http://a.test/list/{}", i)));
  add(*frontier, list);
  for (int i = 0; i < 100; ++i) add(*frontier, {page(fmt::format("http://a.test/short/{}", i))});
  const std::vector<std::string> order = drain(*frontier, "a.test");
  const auto of_list =
      std::count_if(order.begin(), order.begin() + 100, [](const std::string& url) { return url.find("list") < url.size(); });
  EXPECT_GT(of_list, 60) << "900 of 1,000, so 90 would be exact";
  EXPECT_LT(of_list, 100);
}

TEST_P(FrontierContract, WhatIsReleasedWaitsAsIfItHadNotBeenLeased) {
  std::uint64_t fresh_signature = 0;
  {
    const auto frontier = open();
    add(*frontier, {page("http://a.test/fresh"), page("http://b.test/tried")});
    const auto tried = lease(*frontier, "b.test");
    ASSERT_TRUE(frontier->put_back(tried->signature, kNow));
    ASSERT_EQ(lease(*frontier, "b.test")->tries, 1u);
    const auto fresh = lease(*frontier, "a.test");
    (void)frontier->take_woken_hosts(1);
    ASSERT_TRUE(frontier->release(fresh->signature));
    ASSERT_TRUE(frontier->release(tried->signature));
    EXPECT_EQ(frontier->release(tried->signature).error().code, Code::kNotFound);
    EXPECT_THAT(frontier->take_woken_hosts(1), UnorderedElementsAre("a.test", "b.test"));
    EXPECT_EQ(frontier->counts(1).queued, 2u);
    EXPECT_EQ(frontier->counts(1).in_flight, 0u);
    EXPECT_EQ(lease(*frontier, "b.test")->tries, 1u);
    fresh_signature = lease(*frontier, "a.test")->signature;
    EXPECT_EQ(fresh_signature, fresh->signature);
    ASSERT_TRUE(frontier->release(fresh->signature));
    ASSERT_TRUE(frontier->release(tried->signature));
  }
  const auto frontier = open();
  EXPECT_EQ(lease(*frontier, "b.test")->tries, 1u);
  const auto fresh = lease(*frontier, "a.test");
  ASSERT_TRUE(fresh);
  EXPECT_EQ(fresh->tries, 0u);
  EXPECT_EQ(fresh->signature, fresh_signature);
}

TEST_P(FrontierContract, FinishedUrlsAreVisitedAgain) {
  {
    const auto frontier = open();
    add(*frontier, {page("http://a.test/good")});
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "a.test")->signature, Cause::kNone));
    add(*frontier, {page("http://a.test/bad")});
    const auto bad = lease(*frontier, "a.test");
    ASSERT_TRUE(frontier->put_back(bad->signature, kNow));
    ASSERT_TRUE(frontier->acknowledge(lease(*frontier, "a.test")->signature, Cause::kDns));
    add(*frontier, {page("http://a.test/leased")});
    ASSERT_TRUE(lease(*frontier, "a.test"));
    add(*frontier, {page("http://a.test/waits")});

    std::vector<UrlRecord> urls{page("http://a.test/good"),  page("http://a.test/bad"),     page("http://a.test/leased"),
                                page("http://a.test/waits"), page("http://a.test/unknown"), page("http://a.test/good")};
    for (UrlRecord& url : urls) url.priority = 0;
    urls[0].depth = 9;
    EXPECT_EQ(*frontier->revisit(urls), 2u);
    EXPECT_EQ(*frontier->revisit(urls), 0u);
    EXPECT_EQ(add(*frontier, {page("http://a.test/good")}), 0u);
    EXPECT_FALSE(frontier->status(1, "http://a.test/unknown"));
    const FrontierCounts counts = frontier->counts(1);
    EXPECT_EQ(counts.known, 4u);
    EXPECT_EQ(counts.queued, 3u);
    EXPECT_EQ(counts.done, 0u);
    EXPECT_EQ(counts.failed, 0u);
  }
  const auto frontier = open();
  EXPECT_EQ(frontier->counts(1).known, 4u);
  EXPECT_EQ(frontier->counts(1).queued, 4u);
  EXPECT_EQ(frontier->host_counts({1, "a.test"}).done_pages, 0u);
  std::map<std::string, Lease> first;
  for (int i = 0; i < 2; ++i) {
    const Lease one = *lease(*frontier, "a.test");
    first.emplace(one.url.url, one);
  }
  ASSERT_TRUE(first.contains("http://a.test/good") && first.contains("http://a.test/bad")) << "their priority is better";
  EXPECT_EQ(first.at("http://a.test/good").url.depth, 9u);
  EXPECT_EQ(first.at("http://a.test/bad").tries, 0u);
  ASSERT_TRUE(frontier->acknowledge(first.at("http://a.test/good").signature, Cause::kNone));
  EXPECT_EQ(frontier->counts(1).done, 1u);
  EXPECT_THAT(drain(*frontier, "a.test"), UnorderedElementsAre("http://a.test/leased", "http://a.test/waits"));
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
  EXPECT_THAT(drain(*frontier, "a.test"), UnorderedElementsAre("http://a.test/1", longest));
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
  EXPECT_THAT(drain(*frontier, "a.test"), ElementsAre(leases[2].url.url, "http://a.test/4"));
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

TEST_P(FrontierContract, ManyUrlsOnManyHostsAreKept) {
  constexpr int kUrls = 200'000, kHosts = 500;
  {
    const auto frontier = open();
    for (int at = 0; at < kUrls; at += 1'000) {
      std::vector<UrlRecord> urls;
      for (int i = at; i < at + 1'000; ++i) urls.push_back(page(fmt::format("http://h{}.test/{}", i % kHosts, i)));
      ASSERT_EQ(add(*frontier, urls), 1'000u);
      ASSERT_EQ(add(*frontier, urls), 0u);
    }
    EXPECT_EQ(drain(*frontier, "h7.test").size(), static_cast<std::size_t>(kUrls / kHosts));
  }
  const auto frontier = open();
  EXPECT_EQ(frontier->counts(1).known, static_cast<std::uint64_t>(kUrls));
  EXPECT_EQ(frontier->counts(1).queued, static_cast<std::uint64_t>(kUrls));
  EXPECT_EQ(frontier->take_woken_hosts(1).size(), static_cast<std::size_t>(kHosts));
  std::set<std::string> all;
  for (int host = 0; host < kHosts; ++host) {
    for (std::string& url : drain(*frontier, fmt::format("h{}.test", host))) all.insert(std::move(url));
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kUrls));
}

// What a frontier should know, in the plainest way.
struct Model {
  struct Url {
    UrlState state = UrlState::kQueued;
    Cause cause = Cause::kNone;
    std::uint32_t tries = 0;
  };
  std::map<std::string, Url> urls;

  static std::string host(int i) { return fmt::format("h{}.test", i); }
  void expect_in(const Frontier& frontier, bool restarted) const {
    FrontierCounts wanted{.known = urls.size()};
    std::map<std::string, HostCounts> hosts;
    for (const auto& [text, url] : urls) {
      const UrlState state = restarted && url.state == UrlState::kInFlight ? UrlState::kQueued : url.state;
      const auto status = frontier.status(1, text);
      ASSERT_TRUE(status) << text;
      EXPECT_EQ(status->state, state) << text;
      EXPECT_EQ(status->cause, state == UrlState::kDone ? url.cause : Cause::kNone) << text;
      const bool good = url.cause == Cause::kNone;
      HostCounts& host = hosts[std::string(host_of_url(text))];
      const bool is_image = text.find("/image") < text.size();
      ++(state == UrlState::kQueued ? wanted.queued : state == UrlState::kInFlight ? wanted.in_flight : good ? wanted.done : wanted.failed);
      if (state == UrlState::kQueued) ++(is_image ? host.queued_images : host.queued_pages);
      else if (state == UrlState::kInFlight) ++host.in_flight;
      else if (good) ++(is_image ? host.done_images : host.done_pages);
      else ++host.failed;
    }
    const FrontierCounts counts = frontier.counts(1);
    EXPECT_EQ(counts.known, wanted.known);
    EXPECT_EQ(counts.queued, wanted.queued);
    EXPECT_EQ(counts.in_flight, wanted.in_flight);
    EXPECT_EQ(counts.done, wanted.done);
    EXPECT_EQ(counts.failed, wanted.failed);
    for (const HostCounts& host : frontier.hosts(1)) {
      const HostCounts& expected = hosts[host.host];
      EXPECT_EQ(host.queued_pages, expected.queued_pages) << host.host;
      EXPECT_EQ(host.queued_images, expected.queued_images) << host.host;
      EXPECT_EQ(host.in_flight, expected.in_flight) << host.host;
      EXPECT_EQ(host.done_pages, expected.done_pages) << host.host;
      EXPECT_EQ(host.done_images, expected.done_images) << host.host;
      EXPECT_EQ(host.failed, expected.failed) << host.host;
    }
  }
  // Takes every lease there is; for a copy that is thrown away.
  void expect_all_handed_out(Frontier& frontier) const {
    std::map<std::string, std::uint32_t> wanted, got;
    for (const auto& [text, url] : urls) {
      if (url.state != UrlState::kDone) wanted[text] = url.tries;
    }
    for (const HostCounts& host : frontier.hosts(1)) {
      for (const Lane lane : {Lane::kPages, Lane::kImages}) {
        while (const auto answer = frontier.lease({1, host.host}, lane, kNow + 1h)) {
          if (!answer->lease) break;
          EXPECT_TRUE(got.emplace(answer->lease->url.url, answer->lease->tries).second) << answer->lease->url.url << " came twice";
        }
      }
    }
    EXPECT_EQ(got, wanted);
  }
};

// Random calls beside a model. Now and then the files are copied as they are, which is what kill -9 leaves, and the copy is opened.
TEST_P(FrontierContract, RandomWorkIsWhatAModelSaysAfterEveryKindOfRestart) {
  for (const unsigned seed : {1u, 2u}) {
    std::mt19937 random(seed);
    const fs::path folder = folder_ / fmt::format("live{}", seed);
    auto frontier = open_in(folder);
    Model model;
    std::map<std::uint64_t, std::string> leased;
    int next = 0;
    const auto some_leased = [&] { return std::next(leased.begin(), static_cast<std::ptrdiff_t>(random() % leased.size())); };
    for (int step = 0; step < 2'000 && !HasFailure(); ++step) {
      SCOPED_TRACE(fmt::format("seed {}, step {}", seed, step));
      const unsigned what = random() % 100;
      const std::string host = Model::host(static_cast<int>(random() % 7));
      if (what < 20) {
        std::vector<UrlRecord> urls;
        for (unsigned left = 1 + random() % 40; left > 0; --left) {
          const int number = random() % 3 == 0 ? static_cast<int>(random() % (static_cast<unsigned>(next) + 1)) : next++;
          UrlRecord url = page(fmt::format("http://{}/{}{}", Model::host(number % 7), number % 5 == 0 ? "image" : "page", number));
          if (number % 5 == 0) url.kind = UrlKind::kImage;
          url.priority = static_cast<std::uint8_t>(random() % 4);
          urls.push_back(url);
        }
        std::size_t fresh = 0;
        for (const UrlRecord& url : urls) fresh += model.urls.try_emplace(url.url).second ? 1 : 0;
        ASSERT_EQ(add(*frontier, urls), fresh);
      } else if (what < 55) {
        const Lane lane = random() % 2 == 0 ? Lane::kPages : Lane::kImages;
        if (const auto one = lease(*frontier, host, lane, kNow + 1h)) {
          Model::Url& url = model.urls.at(one->url.url);
          ASSERT_EQ(url.state, UrlState::kQueued);
          ASSERT_EQ(url.tries, one->tries);
          url.state = UrlState::kInFlight;
          leased.emplace(one->signature, one->url.url);
        }
      } else if (what < 90 && !leased.empty()) {
        const auto one = some_leased();
        Model::Url& url = model.urls.at(one->second);
        if (what < 75) {
          url = {UrlState::kDone, what < 60 ? Cause::kDns : Cause::kNone, url.tries};
          ASSERT_TRUE(frontier->acknowledge(one->first, url.cause));
        } else if (what < 83) {
          ASSERT_TRUE(frontier->put_back(one->first, kNow + 1s * (random() % 100)));
          url = {UrlState::kQueued, Cause::kNone, url.tries + 1};
        } else {
          ASSERT_TRUE(frontier->release(one->first));
          url.state = UrlState::kQueued;
        }
        leased.erase(one);
      } else if (what == 90) {
        const bool one_host = random() % 2 == 0;
        std::size_t wanted = 0;
        for (auto& [text, url] : model.urls) {
          if (url.state != UrlState::kDone || url.cause != Cause::kDns || (one_host && host_of_url(text) != host)) continue;
          url = {};
          ++wanted;
        }
        ASSERT_EQ(*frontier->retry_failed(1, std::vector{Cause::kDns}, one_host ? std::string_view(host) : std::string_view()), wanted);
      } else if (what < 94) {
        std::vector<UrlRecord> urls;
        std::size_t wanted = 0;
        for (auto& [text, url] : model.urls) {
          if (random() % 20 != 0) continue;
          urls.push_back(page(text));
          if (text.find("/image") < text.size()) urls.back().kind = UrlKind::kImage;
          if (url.state != UrlState::kDone) continue;
          url = {};
          ++wanted;
        }
        ASSERT_EQ(*frontier->revisit(urls), wanted);
      } else if (what == 94) {
        frontier.reset();
        frontier = open_in(folder);
        ASSERT_TRUE(frontier);
        for (auto& [text, url] : model.urls) url.state = url.state == UrlState::kInFlight ? UrlState::kQueued : url.state;
        leased.clear();
      } else if (what == 95) {
        model.expect_in(*frontier, /*restarted=*/false);
        const fs::path copy = folder_ / "copy";
        ASSERT_TRUE(make_folder(copy));
        for (const char* file : {"checkpoint.mfc", "log.mfl"}) {  // the log last, as it may not be older
          std::error_code none;
          fs::copy_file(folder / file, copy / file, none);
        }
        auto opened = open_in(copy);
        ASSERT_TRUE(opened);
        model.expect_in(*opened, /*restarted=*/true);
        model.expect_all_handed_out(*opened);
        opened.reset();
        fs::remove_all(copy);
      }
    }
    EXPECT_GT(next, 3'000) << "enough was done";
  }
}

// One line of what a killed process had been told. `number` is of the URL, or for adding the first that was not added.
struct Told {
  enum What : int { kAdded, kEnded, kPutBack } what;
  int number;
};
std::string numbered(int number) { return fmt::format("http://{}/{}", Model::host(number % 3), number); }

[[noreturn]] void work_until_killed(Frontier& frontier, int told, unsigned seed) {
  std::mt19937 random(seed);
  const auto tell = [&](Told line) {
    if (write(told, &line, sizeof line) != sizeof line) _exit(1);
  };
  for (int next = 0;;) {
    std::vector<UrlRecord> urls;
    for (unsigned left = 1 + random() % 30; left > 0; --left) urls.push_back(page(numbered(next++)));
    if (!frontier.add(urls)) _exit(1);
    tell({Told::kAdded, next});
    for (int i = 0; i < 8; ++i) {
      const auto answer = frontier.lease({1, Model::host(static_cast<int>(random() % 3))}, Lane::kPages, kNow);
      if (!answer) _exit(1);
      if (!answer->lease) continue;
      const Lease& one = *answer->lease;
      const int number = std::stoi(one.url.url.substr(one.url.url.rfind('/') + 1));
      const bool ends = random() % 4 != 0;
      if (!(ends ? frontier.acknowledge(one.signature, Cause::kNone) : frontier.put_back(one.signature, kNow + 1s))) _exit(1);
      tell({ends ? Told::kEnded : Told::kPutBack, number});
    }
  }
}

// Kills a process in the middle of its work and compares what it had been told (through a pipe) with what is there afterwards.
TEST_P(FrontierContract, KilledMidWayLosesNothingThatReturned) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  for (unsigned round = 0; round < 20; ++round) {
    SCOPED_TRACE(fmt::format("seed {}, round {}", kSeed, round));
    const fs::path folder = folder_ / std::to_string(round);
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipes[0]);
      const auto frontier = GetParam().open(folder);
      if (!frontier) _exit(1);
      work_until_killed(**frontier, pipes[1], kSeed + round);
    }
    close(pipes[1]);
    int added = 0;
    std::set<int> ended, put_back;
    const auto note = [&](Told line) {
      if (line.what == Told::kAdded) added = line.number;
      else (line.what == Told::kEnded ? ended : put_back).insert(line.number);
    };
    Told line{};
    for (unsigned left = 1 + random() % 6'000; left > 0 && read(pipes[0], &line, sizeof line) == sizeof line; --left) note(line);
    kill(child, SIGKILL);
    while (read(pipes[0], &line, sizeof line) == sizeof line) note(line);
    close(pipes[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";

    const auto frontier = open_in(folder);
    ASSERT_TRUE(frontier);
    const FrontierCounts counts = frontier->counts(1);
    EXPECT_GE(counts.known, static_cast<std::uint64_t>(added));
    EXPECT_LE(counts.known, static_cast<std::uint64_t>(added + 30)) << "one call may have been under way";
    EXPECT_GE(counts.done, ended.size());
    EXPECT_LE(counts.done, ended.size() + 1);
    EXPECT_EQ(counts.queued + counts.done, counts.known);
    int surprises = 0;
    for (int number = 0; number < added; ++number) {
      const auto url = frontier->status(1, numbered(number));
      ASSERT_TRUE(url) << number;
      surprises += (url->state == UrlState::kDone) != ended.contains(number) ? 1 : 0;
    }
    EXPECT_LE(surprises, 1) << "one call may have been under way";
    std::uint64_t handed_out = 0, tried = 0;
    for (int host = 0; host < 3; ++host) {
      while (const auto one = lease(*frontier, Model::host(host), Lane::kPages, kNow + 1h)) {
        ++handed_out;
        tried += one->tries > 0 ? 1 : 0;
      }
    }
    EXPECT_EQ(handed_out, counts.queued);
    EXPECT_GE(tried + 1, put_back.size()) << "one that was put back may have ended in the call under way";
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
    std::error_code none;
    if (size % 2 == 0) fs::copy_file(whole / "checkpoint.mfc", folder / "checkpoint.mfc", none);  // stands for more than is left
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
    for (int i = 0; i < 2'000; ++i) add(*frontier, {page(fmt::format("http://a.test/{}", i))});
  }
  auto bytes = read_file(folder_ / "log.mfl");
  if (!bytes) GTEST_SKIP() << "this backend has no log file";
  fs::remove(folder_ / "checkpoint.mfc");
  (*bytes)[200] ^= 1;
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << *bytes;
  const auto frontier = open();
  ASSERT_TRUE(frontier);
  EXPECT_LT(frontier->counts(1).known, 10u);
  EXPECT_TRUE(fs::exists(folder_ / "log.mfl.damaged"));
}

TEST_P(FrontierContract, DamageBehindACheckpointCostsItsAddressesAndNotTheCrawl) {
  constexpr std::size_t kUrls = 200;
  {
    const auto frontier = open();
    for (std::size_t i = 0; i < kUrls; ++i) add(*frontier, {page(fmt::format("http://a.test/number-{}", i))});
  }
  auto bytes = read_file(folder_ / "log.mfl");
  if (!bytes || !fs::exists(folder_ / "checkpoint.mfc")) GTEST_SKIP() << "this backend writes no checkpoint that early";
  const std::size_t at = bytes->find("number-0");  // the first, which any checkpoint reaches
  ASSERT_NE(at, std::string::npos);
  (*bytes)[at] ^= 1;
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << *bytes;
  const auto frontier = open();
  ASSERT_TRUE(frontier);
  const std::vector<std::string> left = drain(*frontier, "a.test");
  EXPECT_EQ(left.size(), kUrls - 1);
  EXPECT_EQ(std::count(left.begin(), left.end(), "http://a.test/number-0"), 0);
  EXPECT_EQ(frontier->counts(1).queued, 0u);
}

TEST_P(FrontierContract, ACheckpointThatDoesNotFitIsNotUsedAndNothingIsLost) {
  Model model;
  const auto fill = [&](const fs::path& folder) {
    const auto frontier = open_in(folder);
    std::vector<UrlRecord> urls;
    for (int i = 0; i < 500; ++i) urls.push_back(page(fmt::format("http://h{}.test/{}", i % 7, i)));
    add(*frontier, urls);
    for (const UrlRecord& url : urls) model.urls[url.url] = {};
    const auto one = lease(*frontier, "h1.test"), two = lease(*frontier, "h2.test");
    ASSERT_TRUE(frontier->acknowledge(one->signature, Cause::kTls));
    ASSERT_TRUE(frontier->put_back(two->signature, kNow));
    model.urls[one->url.url] = {UrlState::kDone, Cause::kTls, 0};
    model.urls[two->url.url] = {UrlState::kQueued, Cause::kNone, 1};
  };
  fill(folder_ / "other");
  const fs::path folder = folder_ / "own";
  fill(folder);
  const auto good = read_file(folder / "checkpoint.mfc"), other = read_file(folder_ / "other" / "checkpoint.mfc");
  if (!good) GTEST_SKIP() << "this backend writes no checkpoint that early";
  const auto log = read_file(folder / "log.mfl");
  std::vector<std::string> files{*good, "", "MFC1", "somebody's diary", *other, good->substr(0, good->size() - 1), *good + "x"};
  std::mt19937 random(11);
  for (int i = 0; i < 40; ++i) {
    files.push_back(*good);
    files.back()[i < 32 ? static_cast<std::size_t>(i) : random() % good->size()] ^= 4;
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    SCOPED_TRACE(fmt::format("checkpoint {}", i));
    std::ofstream(folder / "checkpoint.mfc", std::ios::binary) << files[i];
    std::ofstream(folder / "log.mfl", std::ios::binary) << *log;
    const auto frontier = open_in(folder);
    ASSERT_TRUE(frontier);
    model.expect_in(*frontier, /*restarted=*/true);
    model.expect_all_handed_out(*frontier);
  }
}

// A log of version 1, written byte by byte: a page added and fetched, one put back, one failed and tried again, one that waits.
TEST_P(FrontierContract, AVersion1FolderIsRead) {
  constexpr std::uint64_t kLogSeed = 99;
  std::string log = "MFL1";
  const auto fixed = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
  log += fixed(std::uint32_t{1}) + fixed(kLogSeed);
  log += fixed(crc32c(log));
  const auto record = [&](const std::string& payload) {
    log += fixed(static_cast<std::uint32_t>(payload.size())) + fixed(crc32c(payload)) + payload;
  };
  const auto signature = [](const std::string& url) { return signature64(url, kLogSeed + 0x9E3779B97F4A7C15u); };
  const std::vector<std::string> urls{"http://a.test/done", "http://a.test/back", "http://a.test/again", "http://b.test/waits"};
  for (const std::string& url : urls) {
    WireWriter out;
    for (const std::uint64_t value : {1, 1, 4, 1}) out.u64(value);  // add, page, depth, job
    out.bytes(url);
    record(out.text());
  }
  record("\2" + fixed(signature(urls[0])) + std::string(1, '\0'));
  WireWriter put_back;
  put_back.i64(kNow.time_since_epoch().count());
  put_back.u64(2);
  record("\3" + fixed(signature(urls[1])) + put_back.text());
  record("\2" + fixed(signature(urls[2])) + "\1");
  record("\4" + fixed(signature(urls[2])));
  ASSERT_TRUE(make_folder(folder_));
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << log << "torn";

  for (const char* when : {"upgraded", "opened again"}) {
    SCOPED_TRACE(when);
    const auto frontier = open();
    ASSERT_TRUE(frontier);
    if (!fs::exists(folder_ / "log.mfl")) GTEST_SKIP() << "this backend has no log file";
    EXPECT_EQ(frontier->counts(1).known, 4u);
    EXPECT_EQ(frontier->counts(1).done, 1u);
    EXPECT_EQ(frontier->counts(1).failed, 0u);
    EXPECT_EQ(frontier->status(1, urls[0])->state, UrlState::kDone);
    const auto first = lease(*frontier, "a.test"), second = lease(*frontier, "a.test");
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->url.url, urls[1]);
    EXPECT_EQ(first->tries, 2u);
    EXPECT_EQ(first->signature, signature(urls[1]));
    EXPECT_EQ(second->url, (UrlRecord{.url = urls[2], .depth = 4, .job = 1}));
    EXPECT_THAT(drain(*frontier, "b.test"), ElementsAre(urls[3]));
  }
}

TEST_P(FrontierContract, AForeignFileIsLeftAlone) {
  ASSERT_TRUE(make_folder(folder_));
  std::ofstream(folder_ / "log.mfl", std::ios::binary) << "this is somebody's diary, not a log";
  const auto frontier = GetParam().open(folder_);
  ASSERT_FALSE(frontier);
  EXPECT_EQ(frontier.error().code, Code::kCorrupt);
  EXPECT_EQ(*read_file(folder_ / "log.mfl"), "this is somebody's diary, not a log");
}

INSTANTIATE_TEST_SUITE_P(Backends, FrontierContract,
                         ::testing::Values(Backend{"embedded", [](const fs::path& folder) { return open_frontier(folder); }},
                                           Backend{"embedded_with_many_checkpoints",
                                                   [](const fs::path& folder) {
                                                     return open_frontier(folder, {.checkpoint_bytes = 2'000, .close_bytes = 0});
                                                   }}),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace magpie
