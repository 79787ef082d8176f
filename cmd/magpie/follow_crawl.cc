#include "follow_crawl.h"

#include "app/job_json.h"
#include "inspect.h"
#include "progress_line.h"
#include "signals.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

void say_end(const CrawlProgress& progress, std::string_view state, const std::string& message, bool json) {
  if (json) print_line(to_json(progress));
  fmt::print(stderr, "{}: {} pages, {} pictures, {} products, {}", state, progress.pages_fetched, progress.images_analysed,
             progress.products_found, bytes_text(progress.bytes));
  if (progress.failed > 0) {
    fmt::print(stderr, "; {} failed", progress.failed);
    for (std::size_t i = 0; i < progress.failures.size() && i < 4; ++i) {
      fmt::print(stderr, "{}{} {}", i == 0 ? " (" : ", ", progress.failures[i].count, progress.failures[i].cause);
    }
    if (!progress.failures.empty()) fmt::print(stderr, ")");
  }
  fmt::print(stderr, "\n");
  if (!message.empty()) fmt::print(stderr, "magpie: {}\n", message);
}

int exit_code_of(CrawlState state) {
  if (state == CrawlState::kFailed) return kFailed;
  return kDone;
}

}  // namespace

Result<JobId> job_or_newest(const CollectionFolder& folder, JobId named) {
  if (named != 0) return named;
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  MAGPIE_TRY(const std::vector<Job> jobs, collection->catalog().jobs());
  if (jobs.empty()) return fail(Code::kNotFound, "nothing was crawled yet; see magpie crawl --help");
  return jobs.front().id;
}

Result<int> follow_here(const CollectionFolder& folder, const AppSettings& settings,
                        const std::function<Result<CrawlJobView>(Manager&)>& start, bool json, const FollowWords& words) {
  MAGPIE_TRY(const auto collection, Collection::open_to_manage(folder));
  const SystemClock clock;
  MetricsRegistry metrics;
  MAGPIE_TRY(const auto manager, Manager::start(*collection, settings, clock, metrics, {.embeds = settings.crawl.pictures() == "embed"}));
  MAGPIE_TRY(CrawlJobView job, start(*manager));
  StopSignals signals;
  bool asked = false;
  {
    ProgressLine line;
    while (!has_ended(job.state)) {
      if (signals.wait(Deadline::after(asked ? 200ms : 300ms)) && !asked) {
        asked = true;
        fmt::print(stderr, "\nstopping: what is under way is finished and kept; the same command goes on later\n");
        MAGPIE_TRY_DO(manager->cancel(job.id));
      }
      MAGPIE_TRY(job, manager->get(job.id));
      if (words.progress) line.show(words.progress(*manager, job));
      else line.show(job.progress);
    }
  }
  if (words.end) words.end(*manager, collection->catalog(), job);
  else say_end(job.progress, to_string(job.state), job.message.value_or(""), json);
  if (words.end && job.message) fmt::print(stderr, "magpie: {}\n", *job.message);
  return asked ? Result<int>(kNothing) : exit_code_of(job.state);
}

void say_whose_settings(const Common& common, bool allow_loopback) {
  if (allow_loopback || !common.settings.empty())
    fmt::print(stderr, "magpie: the running magpie serve keeps its own settings: --allow-loopback and --set count only when given to it\n");
}

Result<int> follow_there(ManagerClient& manager, const std::function<Result<JobId>()>& start, bool json) {
  const auto started = start();
  if (!started) return fail(started.error(), "the running magpie serve");
  const JobId id = *started;
  fmt::print(stderr, "handed to the running magpie serve as job {}\n", id);
  StopSignals signals;
  ManagerClient::JobStatus job;
  {
    ProgressLine line;
    while (!has_ended(job.state)) {
      if (signals.wait(Deadline::after(500ms))) MAGPIE_TRY_DO(manager.cancel(id));
      MAGPIE_TRY(job, manager.job(id));
      line.show(job.progress);
    }
  }
  say_end(job.progress, to_string(job.state), job.message, json);
  return exit_code_of(job.state);
}

}  // namespace magpie::cmd
