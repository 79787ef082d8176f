#pragma once
// Port of this folder: starting, following and stopping crawls. `app` implements it over the pipeline; tests use a small fake.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// What is left out follows the server's settings. Bounds are checked before (docs/openapi.yaml, JobOptions).
struct CrawlOptions {
  std::optional<std::chrono::milliseconds> delay;
  std::optional<std::uint32_t> requests_per_host;
  std::optional<std::uint64_t> pages_per_host_max;
  std::optional<std::chrono::seconds> seconds_max;
  std::optional<std::string> agent;     // one word; sites see it, and robots.txt may name it
  std::optional<bool> images_off_host;  // pictures from other hosts than the seeds'
  std::optional<std::string> render;    // "auto", "always" or "never": pages in a browser (crawl.render)
  std::optional<std::string> profile;   // of a shop: a shipped profile's name or a file (app/profile.h); comes with ShopControl::run()
  std::optional<std::uint64_t> pictures_max;  // of a collect job: new ones that are taken
};

enum class CrawlState : std::uint8_t { kQueued, kRunning, kCancelling, kFinished, kCancelled, kFailed };
/// "queued", "running", "cancelling", "finished", "cancelled", "failed".
std::string_view to_string(CrawlState state);
constexpr bool has_ended(CrawlState state) { return state >= CrawlState::kFinished; }

struct FailureCount {
  std::string cause;  // core's name: "timeout", "too-large"
  std::uint64_t count = 0;
};

struct HostProgress {
  std::string host;
  std::uint64_t fetched = 0, queued = 0, failed = 0;
  std::chrono::milliseconds waiting{0};  // until the next request to this host is allowed
};

/// Where a crawl stands. The fields are those of `Progress` in docs/openapi.yaml.
struct CrawlProgress {
  JobId job = 0;
  CrawlState state = CrawlState::kQueued;
  std::uint64_t pages_fetched = 0, images_fetched = 0, images_analysed = 0, products_found = 0;
  std::uint64_t products_new = 0;  // of those found, what no crawl had found before
  std::uint64_t queued = 0, failed = 0, bytes = 0;
  double pages_per_second = 0, images_per_second = 0;  // over the last ten seconds
  std::optional<double> seconds_left;
  std::optional<Timestamp> rests_until;  // outside the crawl's windows: when it goes on
  std::vector<FailureCount> failures;    // most frequent first, at most 50
  std::vector<HostProgress> hosts;       // busiest first, at most 50
  std::uint64_t hosts_total = 0;
};

struct CrawlJobView {
  JobId id = 0;
  CrawlState state = CrawlState::kQueued;
  std::vector<std::string> seeds;
  CrawlOptions options;
  Timestamp created_at{};
  std::optional<Timestamp> started_at, finished_at;
  std::optional<std::string> message;  // why it failed; of one that did not, what its pages or a replay's files are missing
  CrawlProgress progress;
};

/// Told what happens, from the pipeline's threads; must return quickly and not call back into JobControl.
class CrawlListener {
 public:
  virtual ~CrawlListener() = default;
  /// As often as convenient, several times a second while it changes; the last one of a job has an ended state.
  virtual void on_progress(const CrawlProgress& progress) = 0;
  /// A job was made, or its state changed.
  virtual void on_job(const CrawlJobView& job) = 0;
  /// A picture can be found by searches now.
  virtual void on_image(JobId job, ImageId image) = 0;
};

/// Thread-safe.
class JobControl {
 public:
  virtual ~JobControl() = default;
  /// False when this server does not start crawls (another manager holds the collection, or it is switched off).
  virtual bool can_start() const = 0;
  /// Takes the crawl on; it begins at once or waits. `seeds` are canonical http(s) URLs. kForbidden when a seed's address is
  /// refused (the message names it), kBusy when a crawl of the same seeds is under way; others as a failing disk gives them.
  virtual Result<CrawlJobView> start(std::vector<std::string> seeds, CrawlOptions options) = 0;
  /// Takes on to collect what a source lists: the name of one that comes with the program, or the absolute path of a description, a list of
  /// addresses or a folder. kBadInput and kNotFound for one that does not read, kBusy while it is being collected.
  virtual Result<CrawlJobView> collect(const std::string& source, const std::string& label, CrawlOptions options) = 0;
  /// Newest first, all of them.
  virtual Result<std::vector<CrawlJobView>> list() = 0;
  /// kNotFound.
  virtual Result<CrawlJobView> get(JobId id) = 0;
  /// Begins to stop it and answers at once; an ended one is left as it is. kNotFound.
  virtual Result<CrawlJobView> cancel(JobId id) = 0;
  /// Queues again what the job failed to fetch for these causes (none given: those that may pass by themselves), and the job with it.
  /// kNotFound: no such job, or nothing failed so; kBusy: it is under way.
  virtual Result<CrawlJobView> retry(JobId id, std::vector<Cause> causes) = 0;
  /// Queues what of the job is due to be visited again (`all`: whatever it has fetched), and the job with it.
  /// kNotFound: no such job, or nothing is due; kBusy: it is under way.
  virtual Result<CrawlJobView> revisit(JobId id, bool all) = 0;
  /// Addresses known and not fetched yet, over all jobs.
  virtual std::uint64_t queued() const = 0;
  /// From now on `listener` is told, and nobody else.
  virtual void listen(CrawlListener& listener) = 0;
  /// It is told nothing from now on; when this returns no notice is under way.
  virtual void stop_telling(const CrawlListener& listener) = 0;
};

}  // namespace magpie
