// The frontier's tables, each beside the plainest container that does the same. What the frontier promises is in tests/contract.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "embedded/frontier_hosts.h"
#include "embedded/frontier_runs.h"
#include "embedded/signature_table.h"

namespace magpie {
namespace {

TEST(RunList, KeepsRunsByGroupThroughInsertsAndRemovals) {
  std::mt19937 random(5);
  RunList list;
  std::multiset<std::uint64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const bool growing = step % 4'000 < 2'200;
    if (list.empty() || random() % 10 < (growing ? 7u : 3u)) {
      const UrlRun run(random() % 8, 1 + random() % 3, random() & UrlRun::kOffsetMax);
      list.insert(run);
      model.insert(run.bits());
    } else {
      const std::size_t at = random() % list.runs().size();
      const UrlRun run = list.runs()[at];
      model.erase(model.find(run.bits()));
      if (run.count() > 1) model.insert(run.rest(7).bits());
      list.replace(at, run.rest(7));
    }
    const std::span<const UrlRun> runs = list.runs();
    ASSERT_EQ(runs.size(), model.size());
    ASSERT_TRUE(std::is_sorted(runs.begin(), runs.end(), [](UrlRun a, UrlRun b) { return a.group() < b.group(); }));
    const unsigned first = random() % 8;
    const auto range = list.first_group(first, 8);
    const auto found = std::find_if(runs.begin(), runs.end(), [&](UrlRun run) { return run.group() >= first; });
    ASSERT_EQ(range.first, static_cast<std::size_t>(found - runs.begin()));
    for (std::size_t i = range.first; i < range.second; ++i) ASSERT_EQ(runs[i].group(), found->group());
    ASSERT_TRUE(range.second == runs.size() || found == runs.end() || runs[range.second].group() > found->group());
    if (step % 500 != 0) continue;
    std::multiset<std::uint64_t> got;
    for (const UrlRun run : runs) got.insert(run.bits());
    ASSERT_EQ(got, model);
  }
}

TEST(RunList, ARunHoldsTheLargestPlace) {
  const UrlRun run(7, UrlRun::kCountMax, UrlRun::kOffsetMax);
  EXPECT_EQ(run.group(), 7u);
  EXPECT_EQ(run.count(), UrlRun::kCountMax);
  EXPECT_EQ(run.offset(), UrlRun::kOffsetMax);
  EXPECT_EQ(UrlRun::of(run.bits()).bits(), run.bits());
}

// Signatures in few shards and close together, so that probes are long and wrap around.
TEST(SignatureTable, IsAMapWhateverTheSignatures) {
  std::mt19937_64 random(6);
  SignatureTable table;
  std::map<std::uint64_t, std::uint8_t> model;
  for (int step = 0; step < 100'000; ++step) {
    const std::uint64_t high[] = {0, std::uint64_t{1} << 56, ~std::uint64_t{0xFFF}};
    const std::uint64_t signature = high[random() % 3] | random() % 4'096;
    const auto state = static_cast<std::uint8_t>(1 + random() % 255);
    const auto found = model.find(signature);
    SignatureTable::Entry* entry = table.find(signature);
    ASSERT_EQ(entry != nullptr, found != model.end());
    if (entry) { ASSERT_EQ(entry->state(), found->second); }
    switch (random() % 4) {
      case 0:
        table.erase(signature);
        model.erase(signature);
        break;
      case 1:
        if (entry) entry->set_state(found->second = state);
        break;
      default: ASSERT_EQ(table.insert(signature, state), model.emplace(signature, state).second);
    }
  }
  EXPECT_EQ(table.size(), model.size());
  for (const auto& [signature, state] : model) ASSERT_EQ(table.find(signature)->state(), state);
}

TEST(HostTable, FindsEachHostByItsName) {
  HostTable hosts;
  for (HostId i = 0; i < 20'000; ++i) ASSERT_EQ(hosts.get("host" + std::to_string(i * 7) + ".test"), i);
  const std::string longest(Frontier::kUrlBytesMax, 'h');
  EXPECT_EQ(hosts.get(longest), 20'000u);
  EXPECT_EQ(hosts.get(""), 20'001u);
  for (HostId i = 0; i < 20'000; ++i) {
    const std::string name = "host" + std::to_string(i * 7) + ".test";
    ASSERT_EQ(hosts.find(name), i);
    ASSERT_EQ(hosts.name(i), name);
  }
  EXPECT_EQ(hosts.name(hosts.find(longest)), longest);
  EXPECT_EQ(hosts.find("host1.test"), HostTable::kNone);
}

}  // namespace
}  // namespace magpie
