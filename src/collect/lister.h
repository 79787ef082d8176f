#pragma once
// Reads a source from where it stands to its end: list by list in turn, a call each, at the source's pace; or a file or folder piece by
// piece. What it finds goes to a sink, which keeps pictures and the place reached in one step, so that a killed run goes on where it was.
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "collect/description.h"
#include "collect/item.h"
#include "collect/listing.h"
#include "collect/pace.h"
#include "core/clock.h"
#include "crawl/crawl_windows.h"
#include "net/http_client.h"

namespace magpie::collect {

/// What one call, or one piece of a file, gave.
struct Batch {
  std::string_view list;  // the category's name
  std::string_view api;   // the address that was asked, or the file's path
  std::span<const Item> items;
  std::uint64_t news_max = 0;  // no more new pictures are wanted
};

struct Taken {
  std::uint64_t news = 0, known = 0, refused = 0;  // refused: addresses that no job takes in
  bool cut = false;                                // news_max was reached before the last item
};

/// Called on the lister's thread.
class ListingSink {
 public:
  virtual ~ListingSink() = default;
  /// Keeps the items, and with them the state of the batch's list that `state` gives for what was taken.
  virtual Result<Taken> take(const Batch& batch, const std::function<std::string(const Taken&)>& state) = 0;
  /// What was kept of lists before, by name.
  virtual Result<std::map<std::string, std::string>> states() = 0;
  /// Addresses got so far under a label, the newest first.
  virtual Result<std::vector<std::string>> seen(std::string_view label, std::size_t limit) = 0;
};

struct ListingCounts {
  std::uint64_t lists = 0, lists_done = 0, lists_failed = 0;
  std::uint64_t calls = 0;  // of this run, retries included
  std::uint64_t listed = 0, malformed = 0;
  std::uint64_t news = 0, known = 0, refused = 0;
  std::uint64_t taken = 0;            // new ones, of earlier runs of the job, too
  std::vector<std::string> problems;  // why lists were not read to their end, at most kProblemsMax
};
inline constexpr std::size_t kProblemsMax = 10;

struct ListerOptions {
  std::uint64_t pictures_max = 0;  // new ones, earlier runs of the same job included; 0: no end
};

/// All must outlive the lister.
struct ListerParts {
  HttpClient& client;  // of its own: nobody else polls it. A list in a file or a folder asks nothing of it
  const Clock& clock;
  ListingSink& sink;
  crawl::CrawlWindows windows = {};  // when it may ask
};

/// run() belongs to one thread; wake() and counts() to any.
class Lister {
 public:
  Lister(Description description, ListerParts parts, ListerOptions options)
      : description_(std::move(description)), parts_(std::move(parts)), options_(options), pace_(description_.limits) {}

  /// Until all lists have ended, enough pictures are taken, or `stop` is asked for. What keeps a list from its end is counted as a problem;
  /// errors are the sink's, and of a list file those of reading it.
  Result<void> run(std::stop_token stop);
  ListingCounts counts() const {
    return counts_.with([](const ListingCounts& counts) { return counts; });
  }

 private:
  struct List {
    Category category;
    ListState state;
    std::vector<std::string> seen;  // for "{seen}", the newest last
    bool failed = false;
    bool ended() const { return failed || state.done; }
  };
  enum class Step : std::uint8_t { kGoOn, kEnd };

  Result<void> load_lists();
  Result<void> run_file(const std::stop_token& stop);
  Result<void> run_folder(const std::stop_token& stop);
  Result<Step> call(List& list, const std::stop_token& stop);
  Result<std::optional<Items>> ask(List& list, const Url& url, HttpRequest request, const std::stop_token& stop);
  Result<void> keep(List& list, const std::string& api, const Items& items);
  std::optional<HttpResponse> fetch(HttpRequest request, const std::stop_token& stop);
  bool wait_for_turn(const std::stop_token& stop);
  void rest_until(SteadyTime when, const std::stop_token& stop);
  void fail_list(List& list, std::string why);
  void note_problem(std::string why);
  void give_up(std::string why);
  Result<Taken> take(const Batch& batch, const std::function<std::string(const Taken&)>& state);
  std::uint64_t news_left() const { return options_.pictures_max == 0 ? UINT64_MAX : options_.pictures_max - taken_; }
  bool has_enough() const { return options_.pictures_max > 0 && taken_ >= options_.pictures_max; }
  bool uses_seen() const { return description_.body.find("\"{seen}\"") != std::string::npos; }
  void publish();

  const Description description_;
  ListerParts parts_;
  const ListerOptions options_;
  Pace pace_;
  std::vector<List> lists_;
  std::uint64_t taken_ = 0;  // over all lists and runs of the job
  std::uint64_t next_tag_ = 1;
  bool given_up_ = false;
  Guarded<ListingCounts> counts_;
};

}  // namespace magpie::collect
