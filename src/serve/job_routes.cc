#include "base/json_writer.h"
#include "serve/job_json.h"
#include "serve/query_reader.h"
#include "serve/routes.h"

namespace magpie {
namespace {

constexpr std::uint64_t kOffsetMax = 100'000;
constexpr std::uint64_t kLimitMax = 200;
constexpr std::uint64_t kLimitPreset = 40;

tl::unexpected<Problem> no_job(JobId id) { return problem(404, "job_not_found", "no crawl has the id {}", id); }

}  // namespace

RouteReply list_jobs(ApiState& state, const HttpServerRequest& request) {
  QueryReader reader(request.query);
  const std::uint64_t offset = reader.number("offset", 0, kOffsetMax, 0);
  const std::uint64_t limit = reader.number("limit", 0, kLimitMax, kLimitPreset);
  if (auto wrong = reader.problem()) return tl::unexpected(*std::move(wrong));
  SERVE_TRY(const std::vector<CrawlJobView> jobs, state.ports.jobs.list());
  JsonWriter json;
  json.begin_object().field("total", jobs.size()).key("jobs").begin_array();
  for (std::size_t i = offset; i < std::min<std::size_t>(jobs.size(), offset + limit); ++i) write_job(json, jobs[i]);
  json.end_array().end_object();
  return json_reply(json.take());
}

RouteReply start_job(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(NewCrawl crawl, parse_new_crawl(request.body));
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie crawl'");
  const Result<CrawlJobView> job = state.ports.jobs.start(std::move(crawl.seeds), crawl.options);
  if (!job) {
    if (job.error().code == Code::kBusy) return problem(409, "job_running", "{}", job.error().message);
    if (job.error().code == Code::kForbidden) return problem(403, "address_refused", "{}", job.error().message);
    // The seeds are sound, so it is the settings: crawl.agent is missing or no word.
    if (job.error().code == Code::kBadInput) return problem(403, "crawl_disabled", "{}", job.error().message);
    return problem(job.error());
  }
  HttpServerReply reply = json_reply(job_text(*job));
  reply.status = 201;
  reply.headers.push_back({"Location", fmt::format("/api/v1/jobs/{}", job->id)});
  return reply;
}

// Its sources are files and folders of this machine, so only who could read them anyway may ask: the socket is its owner's alone.
RouteReply start_collect(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  if (!request.on_unix_socket)
    return problem(403, "socket_only",
                   "what is collected may be a folder of this machine: ask over the collection's manager.sock, as 'magpie collect' does");
  SERVE_TRY(NewCollect wish, parse_new_collect(request.body));
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie collect'");
  const Result<CrawlJobView> job = state.ports.jobs.collect(wish.source, wish.label, wish.options);
  if (!job) {
    if (job.error().code == Code::kBusy) return problem(409, "job_running", "{}", job.error().message);
    if (job.error().code == Code::kBadInput || job.error().code == Code::kNotFound)
      return problem(400, "source_invalid", "{}", job.error().message);
    return problem(job.error());
  }
  HttpServerReply reply = json_reply(job_text(*job));
  reply.status = 201;
  reply.headers.push_back({"Location", fmt::format("/api/v1/jobs/{}", job->id)});
  return reply;
}

RouteReply job(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  const Result<CrawlJobView> found = state.ports.jobs.get(id);
  if (found) return json_reply(job_text(*found));
  return found.error().code == Code::kNotFound ? no_job(id) : problem(found.error());
}

RouteReply cancel_job(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY([[maybe_unused]] const bool empty, parse_empty_object(request.body));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  const Result<CrawlJobView> cancelled = state.ports.jobs.cancel(id);
  if (cancelled) return json_reply(job_text(*cancelled));
  return cancelled.error().code == Code::kNotFound ? no_job(id) : problem(cancelled.error());
}

RouteReply retry_job(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(std::vector<Cause> causes, parse_causes(request.body));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie retry'");
  if (!state.ports.jobs.get(id)) return no_job(id);
  const Result<CrawlJobView> again = state.ports.jobs.retry(id, std::move(causes));
  if (again) return json_reply(job_text(*again));
  if (again.error().code == Code::kBusy) return problem(409, "job_running", "{}", again.error().message);
  if (again.error().code == Code::kNotFound) return problem(409, "nothing_failed", "{}", again.error().message);
  return problem(again.error());
}

RouteReply revisit_job(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const bool all, parse_revisit(request.body));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie revisit'");
  if (!state.ports.jobs.get(id)) return no_job(id);
  const Result<CrawlJobView> again = state.ports.jobs.revisit(id, all);
  if (again) return json_reply(job_text(*again));
  if (again.error().code == Code::kBusy) return problem(409, "job_running", "{}", again.error().message);
  if (again.error().code == Code::kNotFound) return problem(409, "nothing_due", "{}", again.error().message);
  return problem(again.error());
}

RouteReply events(ApiState& state, const HttpServerRequest& request) {
  QueryReader reader(request.query);
  const std::uint64_t job = reader.number("job", 1, (std::uint64_t{1} << 53) - 1, 0);
  if (auto wrong = reader.problem()) return tl::unexpected(*std::move(wrong));
  HttpServerReply reply{.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
  if (request.method == HttpMethod::kHead) return reply;
  auto stream = state.hub.open(job == 0 ? std::nullopt : std::optional<JobId>(job));
  if (!stream)
    return problem(503, "streams_exhausted", "as many event streams as this server allows are open; close a page that follows a crawl");
  reply.body = std::move(stream);
  return reply;
}

}  // namespace magpie
