#include "app/crawl_job.h"

#include "app/job_json.h"
#include "app/profile.h"
#include "base/log.h"

namespace magpie {
namespace {

JobState stored_state(CrawlState state) {
  switch (state) {
    case CrawlState::kQueued: return JobState::kQueued;
    case CrawlState::kRunning:
    case CrawlState::kCancelling: return JobState::kRunning;
    case CrawlState::kFinished: return JobState::kFinished;
    case CrawlState::kCancelled: return JobState::kCancelled;
    case CrawlState::kFailed: return JobState::kFailed;
  }
  return JobState::kFailed;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ",") + word;
  return all;
}

}  // namespace

CrawlState state_of(JobState state) {
  switch (state) {
    case JobState::kQueued: return CrawlState::kQueued;
    case JobState::kRunning: return CrawlState::kRunning;
    case JobState::kFinished: return CrawlState::kFinished;
    case JobState::kCancelled: return CrawlState::kCancelled;
    case JobState::kFailed: return CrawlState::kFailed;
  }
  return CrawlState::kFailed;
}

CrawlJobView view_of(const Job& job) {
  CrawlJobView view;
  view.id = job.id;
  view.state = state_of(job.state);
  view.seeds = job.seeds;
  view.options = options_from_json(job.settings_json);
  view.created_at = job.created_at;
  view.started_at = job.started_at;
  view.finished_at = job.finished_at;
  if (!job.detail.empty()) view.message = job.detail;
  view.progress = progress_from_json(job.counters_json);
  view.progress.job = job.id;
  view.progress.state = view.state;
  return view;
}

Job job_of(const CrawlJobView& view) {
  Job job;
  job.id = view.id;
  job.name = view.seeds.empty() ? "" : view.seeds.front();
  job.seeds = view.seeds;
  job.settings_json = to_json(view.options);
  job.state = stored_state(view.state);
  job.detail = view.message.value_or("");
  job.created_at = view.created_at;
  job.started_at = view.started_at;
  job.finished_at = view.finished_at;
  job.counters_json = to_json(view.progress);
  return job;
}

void apply(const CrawlOptions& options, crawl::CrawlSettings& settings) {
  if (options.delay) settings.host_delay.value = *options.delay;
  if (options.requests_per_host) settings.per_host.value = *options.requests_per_host;
  if (options.pages_per_host_max) settings.pages_per_host_max.value = static_cast<std::int64_t>(*options.pages_per_host_max);
  if (options.seconds_max) settings.run_max.value = *options.seconds_max;
  if (options.agent) settings.agent.value = *options.agent;
  if (options.render) settings.render.value = *options.render;
  if (options.images_off_host) settings.images_off_host.value = *options.images_off_host;
  if (!options.profile) return;
  const auto profile = load_profile(*options.profile);
  if (!profile) return log::warn("shop.no_profile", {{"why", profile.error().message}});
  settings.focus_words.value = joined(profile->words);
  settings.focus_avoid.value = joined(profile->avoid);
}

Result<Url> parse_seed(std::string_view text) {
  const bool has_scheme = text.find("://") != std::string_view::npos;
  const auto url = Url::parse(has_scheme ? std::string(text) : fmt::format("https://{}", text));
  if (!url || !url->is_http()) return fail(Code::kBadInput, "'{}' is no http or https address", text);
  return canonical_url(*url);
}

Result<std::vector<Url>> parse_seeds(const std::vector<std::string>& texts) {
  std::vector<Url> seeds;
  for (const std::string& text : texts) {
    MAGPIE_TRY(Url seed, parse_seed(text));
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace magpie
