// The frontier at a million and at ten million known URLs: adding as pages name them, leasing and acknowledging, restarting, memory.
// Input: pages with 100 links, of which four fifths are known already (drawn from all found so far), most on the page's own host; hosts
// in turn. One thread, each page one add(). MAGPIE_BENCH_SMOKE=1 takes 10,000 and 20,000 URLs. Counters:
// `items_per_second` offered links a processor second of add(), checkpoints included; of these, `new_per_s` new ones, and
// `slowest_tenth_new_per_s` in the slowest tenth of the fill; `stall_ms_max` the longest add() by the clock; `bytes_per_url` what the
// process grew by (resident anonymous memory) for each known URL, all of them waiting; `disk_bytes_per_url` the log; `restart_s` opening
// what a killed process left (checkpoint and tail), by the clock, `restart_cpu_s` its processor time; and `replay_s`, `replay_cpu_s`
// without the checkpoint.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "embedded/frontier.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr JobId kJob = 1;
constexpr std::size_t kLinksOfPage = 100;
constexpr std::size_t kNewOfPage = 20;
constexpr Timestamp kNow{std::chrono::milliseconds(1'700'000'000'000)};

bool smoke() { return std::getenv("MAGPIE_BENCH_SMOKE") != nullptr; }
/// Processor time of all threads, the one that writes checkpoints included.
double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}
double seconds_since(SteadyClock::time_point begin) { return std::chrono::duration<double>(SteadyClock::now() - begin).count(); }

/// Anonymous memory of this process that is resident; the log's pages in the system's cache are not.
double resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::strtod(line.c_str() + 8, nullptr) * 1'024;
  }
  return 0;
}

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "magpie-frontier-bench-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Pages one after the other. URL number n is on host n / kNewOfPage mod hosts, so that a page's new links are its own host's.
class Web {
 public:
  explicit Web(std::size_t hosts) : hosts_(hosts) {}
  std::size_t found() const { return found_; }
  static std::string host(std::size_t number) { return fmt::format("www.shop{}.example", number); }
  const std::vector<UrlRecord>& next_page() {
    for (std::size_t i = 0; i < kLinksOfPage; ++i) {
      const bool fresh = i % (kLinksOfPage / kNewOfPage) == 0 || found_ == 0;
      const std::size_t number = fresh ? found_++ : random_() % found_;
      UrlRecord& url = page_[i];
      url.url.clear();
      fmt::format_to(std::back_inserter(url.url), "https://www.shop{}.example/category-{}/product-{:x}.html", number / kNewOfPage % hosts_,
                     number % 31, number * 2'654'435'761u);
      url.kind = number % 3 == 0 ? UrlKind::kImage : UrlKind::kPage;
      url.depth = static_cast<std::uint16_t>(number % 7);
      url.job = kJob;
      url.priority = static_cast<std::uint8_t>(1 + number % 2);
    }
    return page_;
  }

 private:
  std::size_t hosts_;
  std::size_t found_ = 0;
  std::mt19937_64 random_{7};
  std::vector<UrlRecord> page_ = std::vector<UrlRecord>(kLinksOfPage);
};

struct Fill {
  double add_s = 0, slowest_tenth_s = 0, stall_s_max = 0;
  std::size_t offered = 0, fresh = 0;
};

/// Adds pages until so many URLs are known; only add() is timed.
Result<Fill> fill(Frontier& frontier, Web& web, std::size_t urls) {
  Fill out;
  double tenth_s = 0;
  for (std::size_t tenth = 1; web.found() < urls;) {
    const std::vector<UrlRecord>& page = web.next_page();
    const auto begin = SteadyClock::now();
    const double cpu_begin = cpu_seconds();
    MAGPIE_TRY(const std::size_t fresh, frontier.add(page));
    tenth_s += cpu_seconds() - cpu_begin;
    out.stall_s_max = std::max(out.stall_s_max, seconds_since(begin));
    out.offered += page.size();
    out.fresh += fresh;
    if (web.found() < urls / 10 * tenth) continue;
    out.add_s += tenth_s;
    out.slowest_tenth_s = std::max(out.slowest_tenth_s, tenth_s);
    tenth_s = 0;
    ++tenth;
  }
  out.add_s += tenth_s;
  return out;
}

/// Opens a frontier and says what that took as `<name>_s` by the clock and `<name>_cpu_s`.
void time_open(const fs::path& folder, std::size_t known, const std::string& name, benchmark::State& state) {
  const auto begin = SteadyClock::now();
  const double cpu_begin = cpu_seconds();
  const auto frontier = open_frontier(folder);
  state.counters[name + "_cpu_s"] = cpu_seconds() - cpu_begin;
  state.counters[name + "_s"] = seconds_since(begin);
  if (!frontier) state.SkipWithError(frontier.error().message.c_str());
  else if ((*frontier)->counts(kJob).known != known) state.SkipWithError("URLs were lost");
}

/// What a process that was killed would leave: the files as they are, in another folder.
void keep_as_killed(const fs::path& from, const fs::path& to) {
  fs::create_directories(to);
  std::error_code none;
  fs::copy_file(from / "checkpoint.mfc", to / "checkpoint.mfc", none);
  fs::copy_file(from / "log.mfl", to / "log.mfl", none);
}

void BM_FrontierAdd(benchmark::State& state) {
  const std::size_t scale = smoke() ? 500 : 1;
  const std::size_t urls = static_cast<std::size_t>(state.range(0)) / scale, hosts = static_cast<std::size_t>(state.range(1)) / scale;
  for (auto _ : state) {
    const Folder folder;
    malloc_trim(0);
    const double before = resident_bytes();
    auto opened = open_frontier(folder.path() / "live");
    if (!opened) return state.SkipWithError(opened.error().message.c_str());
    Web web(hosts);
    const auto filled = fill(**opened, web, urls);
    if (!filled) return state.SkipWithError(filled.error().message.c_str());
    state.SetIterationTime(filled->add_s);
    state.SetItemsProcessed(static_cast<std::int64_t>(filled->offered));
    const auto known = static_cast<double>(filled->fresh);
    state.counters["new_per_s"] = known / filled->add_s;
    state.counters["slowest_tenth_new_per_s"] = known / 10 / filled->slowest_tenth_s;
    state.counters["known_share"] = 1 - known / static_cast<double>(filled->offered);
    state.counters["stall_ms_max"] = filled->stall_s_max * 1'000;
    state.counters["bytes_per_url"] = (resident_bytes() - before) / known;
    state.counters["disk_bytes_per_url"] = static_cast<double>(fs::file_size(folder.path() / "live" / "log.mfl")) / known;
    const fs::path killed = folder.path() / "killed";
    keep_as_killed(folder.path() / "live", killed);
    opened->reset();
    time_open(killed, filled->fresh, "restart", state);
    fs::remove(killed / "checkpoint.mfc");
    time_open(killed, filled->fresh, "replay", state);
  }
}
BENCHMARK(BM_FrontierAdd)
    ->ArgNames({"urls", "hosts"})
    ->Args({1'000'000, 10'000})
    ->Args({10'000'000, 10'000})
    ->Args({10'000'000, 1'000'000})
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

/// Leases hosts in turn, 64 at a time, and acknowledges them together, as a crawl does; a tenth of them fails.
void BM_FrontierLease(benchmark::State& state) {
  const Folder folder;
  auto opened = open_frontier(folder.path());
  if (!opened) return state.SkipWithError(opened.error().message.c_str());
  Frontier& frontier = **opened;
  const std::size_t hosts = smoke() ? 20 : 10'000;
  Web web(hosts);
  if (!fill(frontier, web, smoke() ? 5'000 : 2'000'000)) return state.SkipWithError("the frontier could not be filled");
  std::size_t turn = 0, empty = 0, leased = 0;
  std::vector<Acknowledgement> ended;
  for (auto _ : state) {
    ended.clear();
    while (ended.size() < 64 && empty < 2 * hosts) {
      const std::string host = Web::host(turn / 2 % hosts);
      const auto answer = frontier.lease({kJob, host}, turn++ % 2 == 0 ? Lane::kPages : Lane::kImages, kNow);
      if (!answer) return state.SkipWithError(answer.error().message.c_str());
      empty = answer->lease ? 0 : empty + 1;
      if (answer->lease) ended.push_back({answer->lease->signature, turn % 10 == 0 ? Cause::kDns : Cause::kNone});
    }
    leased += ended.size();
    if (!frontier.acknowledge(ended)) return state.SkipWithError("the frontier could not be written");
    if (empty == 2 * hosts) {
      state.PauseTiming();
      if (!fill(frontier, web, web.found() + (smoke() ? 5'000 : 2'000'000))) return state.SkipWithError("the frontier could not be filled");
      empty = 0;
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(leased));
}
BENCHMARK(BM_FrontierLease)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace magpie
