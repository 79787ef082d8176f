#include "embedded/frontier_state.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "base/log.h"
#include "embedded/frontier_checkpoint.h"
#include "embedded/frontier_replay.h"

namespace magpie {
namespace {

std::int64_t to_ms(Timestamp time) { return time.time_since_epoch().count(); }

// So that a long list and many short ones weigh the same in draw_run(), for a quarter of a byte a URL.
constexpr std::uint32_t kRunUrlsMax = 32;

Error not_leased(std::uint64_t signature) { return Error{Code::kNotFound, "URL " + to_hex(signature) + " is not leased"}; }

}  // namespace

Result<std::unique_ptr<FrontierState>> FrontierState::open(const fs::path& folder) {
  auto state = std::make_unique<FrontierState>();
  MAGPIE_TRY(state->log_, FrontierLog::open(folder));
  state->random_.seed(static_cast<std::uint32_t>(random_u64()));
  MAGPIE_TRY(const FrontierMapping mapping, state->log_.map());
  const std::string_view log = mapping.bytes();

  std::vector<FrontierMark> open;
  std::uint64_t from = FrontierLog::kHeaderBytes;
  if (auto checkpoint = read_frontier_checkpoint(folder / "checkpoint.mfc", state->log_.seed(), log)) {
    state->memory_ = std::move(checkpoint->memory);
    open = std::move(checkpoint->open);
    from = state->checkpoint_end_ = checkpoint->log_end;
  }
  FrontierReplay replay(state->memory_, state->log_.seed(), log);
  MAGPIE_TRY_DO(replay.reopen(open));
  const std::uint64_t good = FrontierLog::scan(log, from, [&](const FrontierRecord& record) { return replay.apply(record); });
  MAGPIE_TRY_DO(replay.finish());
  MAGPIE_TRY_DO(state->log_.cut(log, good));
  return state;
}

Result<std::size_t> FrontierState::queue(std::span<const UrlRecord> urls, FrontierRecordType type) {
  for (const UrlRecord& url : urls) {
    if (url.url.size() <= Frontier::kUrlBytesMax) continue;
    return fail(Code::kTooLarge, "a URL has {} bytes, at most {} are kept", url.url.size(), Frontier::kUrlBytesMax);
  }
  std::vector<Fresh> fresh = take_fresh(urls, type);
  if (fresh.empty()) return 0;
  place_on_hosts(fresh);

  FrontierBatch batch;
  std::vector<std::pair<std::size_t, std::uint32_t>> runs;  // the first in `fresh`, and how many
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const bool same = i > 0 && fresh[i].same_run(fresh[i - 1]) && runs.back().second < kRunUrlsMax && batch.has_room();
    if (!same) {
      batch.begin(type);
      runs.emplace_back(i, 0);
    }
    ++runs.back().second;
    fresh[i].offset = batch.entry(*fresh[i].url);
  }
  const auto begin = log_.append(batch);
  if (!begin) {
    forget(fresh);
    return Failure(begin.error());
  }
  for (const auto& [first, count] : runs) {
    const Fresh& one = fresh[first];
    one.job->hosts[one.host()].runs.insert({one.group(), count, *begin + one.offset});
    one.job->wake(one.host());
  }
  for (const Fresh& one : fresh) {
    if (one.before == 0) ++one.job->counts.known;
    else one.job->uncount_done(one.host(), FrontierUrlState::of(one.before));
    one.job->count_queued(one.host(), lane_of(one.url->kind));
  }
  return fresh.size();
}

// Marks as queued what the call is to queue: what is unknown, or for a revisit what is done.
std::vector<FrontierState::Fresh> FrontierState::take_fresh(std::span<const UrlRecord> urls, FrontierRecordType type) {
  std::vector<std::uint64_t> signatures;
  signatures.reserve(urls.size());
  for (const UrlRecord& url : urls) {
    signatures.push_back(signature_of(url.job, url.url));
    memory_.table.prefetch(signatures.back());
  }
  std::vector<Fresh> fresh;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::uint8_t queued = FrontierUrlState{FrontierUrlState::kQueued, lane_of(urls[i].kind)}.byte();
    if (type == FrontierRecordType::kAdd) {
      if (memory_.table.insert(signatures[i], queued)) fresh.push_back({.url = &urls[i], .signature = signatures[i]});
      continue;
    }
    SignatureTable::Entry* entry = memory_.table.find(signatures[i]);
    if (!entry || !FrontierUrlState::of(entry->state()).is_done()) continue;
    fresh.push_back({.url = &urls[i], .signature = signatures[i], .before = entry->state()});
    entry->set_state(queued);
  }
  return fresh;
}

void FrontierState::place_on_hosts(std::vector<Fresh>& fresh) {
  std::string_view host_name;
  JobId job_id = 0;
  FrontierJob* job = nullptr;
  HostId host = 0;
  for (Fresh& one : fresh) {
    const std::string_view name = host_of_url(one.url->url);
    if (!job || one.url->job != job_id || name != host_name) {  // links of a page stay mostly on its host
      job_id = one.url->job;
      job = &memory_.jobs[job_id];
      host_name = name;
      host = job->hosts.get(name);
    }
    one.job = job;
    one.order = std::uint64_t{host} << 32 | std::uint64_t{frontier_group(lane_of(one.url->kind), one.url->priority)} << 29 | random_() >> 2;
  }
  std::sort(fresh.begin(), fresh.end(), [](const Fresh& a, const Fresh& b) {
    return std::tuple(a.url->job, a.order, a.signature) < std::tuple(b.url->job, b.order, b.signature);
  });
}

void FrontierState::forget(const std::vector<Fresh>& fresh) {
  for (const Fresh& one : fresh) {
    if (one.before == 0) memory_.table.erase(one.signature);
    else memory_.table.find(one.signature)->set_state(one.before);
  }
}

Result<LeaseAnswer> FrontierState::lease(const QueueKey& queue, Lane lane, Timestamp now) {
  const auto found = memory_.jobs.find(queue.job);
  if (found == memory_.jobs.end()) return LeaseAnswer{};
  FrontierJob& job = found->second;
  const HostId id = job.hosts.find(queue.host);
  const auto lane_index = static_cast<std::size_t>(lane);
  if (id == HostTable::kNone || job.hosts[id].queued[lane_index] == 0) return LeaseAnswer{};

  const auto busy = job.busy.find(id);
  WaitingQueue* waiting =
      busy == job.busy.end() || busy->second.put_back[lane_index].empty() ? nullptr : &busy->second.put_back[lane_index];
  Taken taken;
  if (waiting && waiting->front().not_before_ms <= to_ms(now)) {
    const WaitingUrl url = waiting->front();
    MAGPIE_TRY(const FrontierEntry entry, log_.read(url.offset, storage_));
    taken = {url.signature, url.offset, url.tries, entry};
    waiting->pop();
  } else {
    const std::optional<Taken> next = take_from_runs(job, id, lane);
    if (!next) {
      if (!waiting) return LeaseAnswer{};
      return LeaseAnswer{.next_at = Timestamp(std::chrono::milliseconds(waiting->front().not_before_ms))};
    }
    taken = *next;
  }

  const FrontierEntry& entry = taken.entry;
  const FrontierFlight flight{
      .job = &job, .host = id, .group = frontier_group(lane, entry.priority), .offset = taken.offset, .tries = taken.tries};
  memory_.flights.emplace(taken.signature, flight);
  set_state(taken.signature, {FrontierUrlState::kLeased, lane});
  job.uncount_queued(id, lane);
  ++job.counts.in_flight;
  ++job.busy[id].in_flight;
  Lease out{.signature = taken.signature, .tries = taken.tries};
  out.url = {.url = std::string(entry.url), .kind = entry.kind, .depth = entry.depth, .job = entry.job, .priority = entry.priority};
  return LeaseAnswer{.lease = std::move(out)};
}

// The next URL of a lane; skips what runs still hold from before a restart though it has ended, or waits in another lane.
std::optional<FrontierState::Taken> FrontierState::take_from_runs(FrontierJob& job, HostId id, Lane lane) {
  FrontierHost& host = job.hosts[id];
  while (true) {
    const auto range = host.runs.first_group(frontier_group(lane, 0), frontier_group(lane, kUrlPriorityLast) + 1);
    if (range.first == range.second) return std::nullopt;
    const std::size_t at = draw_run(host.runs, range, random_);
    const UrlRun run = host.runs.runs()[at];
    const auto entry = log_.read(run.offset(), storage_);
    if (!entry) {
      drop_run(job, id, at, lane, entry.error().message);
      continue;
    }
    const std::uint64_t signature = signature_of(entry->job, entry->url);
    const SignatureTable::Entry* known = memory_.table.find(signature);
    if (!known) {
      drop_run(job, id, at, lane, "a URL there was never added");
      continue;
    }
    host.runs.replace(at, run.rest(entry->bytes));
    const FrontierUrlState state = FrontierUrlState::of(known->state());
    if (state.code != FrontierUrlState::kQueued || state.lane != lane) continue;
    return Taken{.signature = signature, .offset = run.offset(), .entry = *entry};
  }
}

// The log is damaged where the run lies: its URLs are lost, and the crawl goes on without them.
void FrontierState::drop_run(FrontierJob& job, HostId id, std::size_t at, Lane lane, const std::string& why) {
  FrontierHost& host = job.hosts[id];
  const UrlRun run = host.runs.runs()[at];
  log::error("frontier.damaged", {{"file", log_.path().string()}, {"offset", run.offset()}, {"addresses_lost", run.count()}, {"why", why}});
  host.runs.replace(at, UrlRun(run.group(), 0, run.offset()));
  for (std::uint32_t lost = run.count(); lost > 0 && host.queued[static_cast<std::size_t>(lane)] > 0; --lost) job.uncount_queued(id, lane);
}

Result<void> FrontierState::acknowledge(std::span<const Acknowledgement> ended) {
  FrontierBatch batch;
  for (const Acknowledgement& one : ended) {
    const auto flight = memory_.flights.find(one.signature);
    if (flight == memory_.flights.end()) {
      const SignatureTable::Entry* entry = memory_.table.find(one.signature);
      if (!entry || !FrontierUrlState::of(entry->state()).is_done()) return Failure(not_leased(one.signature));
      continue;
    }
    if (batch.empty() || !batch.has_room()) batch.begin(FrontierRecordType::kEnd);
    batch.mark({.signature = one.signature, .offset = flight->second.offset, .cause = one.cause});
  }
  if (batch.empty()) return {};
  if (const auto written = log_.append(batch); !written) return Failure(written.error());
  for (const Acknowledgement& one : ended) finish(one);
  return {};
}

void FrontierState::finish(const Acknowledgement& one) {
  const auto found = memory_.flights.find(one.signature);
  if (found == memory_.flights.end()) return;  // had ended before
  const FrontierFlight& flight = found->second;
  const FrontierUrlState state = FrontierUrlState::done(one.cause, flight.lane());
  set_state(one.signature, state);
  flight.job->count_done(flight.host, state);
  leave_flight(one.signature);
}

void FrontierState::leave_flight(std::uint64_t signature) {
  const auto found = memory_.flights.find(signature);
  FrontierJob& job = *found->second.job;
  --job.counts.in_flight;
  const auto busy = job.busy.find(found->second.host);
  --busy->second.in_flight;
  if (busy->second.idle()) job.busy.erase(busy);
  memory_.flights.erase(found);
}

Result<void> FrontierState::put_back(std::uint64_t signature, Timestamp not_before) {
  const auto found = memory_.flights.find(signature);
  if (found == memory_.flights.end()) return Failure(not_leased(signature));
  const FrontierFlight& flight = found->second;
  const WaitingUrl url{.signature = signature, .not_before_ms = to_ms(not_before), .offset = flight.offset, .tries = flight.tries + 1};
  FrontierBatch batch;
  batch.begin(FrontierRecordType::kPutBack);
  batch.mark({.signature = signature, .offset = url.offset, .not_before_ms = url.not_before_ms, .tries = url.tries});
  if (const auto written = log_.append(batch); !written) return Failure(written.error());
  wait_again(flight, url);
  leave_flight(signature);
  return {};
}

void FrontierState::wait_again(const FrontierFlight& flight, WaitingUrl url) {
  flight.job->busy[flight.host].put_back[static_cast<std::size_t>(flight.lane())].push(url);
  set_state(url.signature, {FrontierUrlState::kPutBack, flight.lane()});
  flight.job->count_queued(flight.host, flight.lane());
  flight.job->wake(flight.host);
}

Result<void> FrontierState::release(std::uint64_t signature) {
  const auto found = memory_.flights.find(signature);
  if (found == memory_.flights.end()) return Failure(not_leased(signature));
  const FrontierFlight& flight = found->second;
  if (flight.tries > 0) {  // only what was put back has its tries kept
    wait_again(flight, {.signature = signature, .offset = flight.offset, .tries = flight.tries});
  } else {
    flight.job->hosts[flight.host].runs.insert({flight.group, 1, flight.offset});
    set_state(signature, {FrontierUrlState::kQueued, flight.lane()});
    flight.job->count_queued(flight.host, flight.lane());
    flight.job->wake(flight.host);
  }
  leave_flight(signature);
  return {};
}

Result<std::size_t> FrontierState::queue_failed(JobId id, std::span<const Candidate> candidates, std::span<const Cause> causes) {
  FrontierBatch batch;
  std::vector<std::pair<std::uint64_t, const Candidate*>> again;
  for (const Candidate& one : candidates) {
    const std::uint64_t signature = signature_of(id, one.entry.url);
    const SignatureTable::Entry* entry = memory_.table.find(signature);
    const FrontierUrlState state = FrontierUrlState::of(entry ? entry->state() : 0);
    if (!state.has_failed() || std::find(causes.begin(), causes.end(), state.cause()) == causes.end()) continue;
    if (batch.empty() || !batch.has_room()) batch.begin(FrontierRecordType::kAgain);
    batch.mark({.signature = signature, .offset = one.offset});
    again.emplace_back(signature, &one);
  }
  if (again.empty()) return 0;
  if (const auto written = log_.append(batch); !written) return Failure(written.error());
  FrontierJob& job = memory_.jobs[id];
  std::size_t queued = 0;
  for (const auto& [signature, one] : again) {
    const FrontierUrlState state = FrontierUrlState::of(memory_.table.find(signature)->state());
    if (!state.has_failed()) continue;  // it has two entries, as a revisited URL does
    const HostId host = job.hosts.get(host_of_url(one->entry.url));
    const Lane lane = lane_of(one->entry.kind);
    job.uncount_done(host, state);
    job.count_queued(host, lane);
    set_state(signature, {FrontierUrlState::kQueued, lane});
    job.hosts[host].runs.insert({frontier_group(lane, one->entry.priority), 1, one->offset});
    job.wake(host);
    ++queued;
  }
  return queued;
}

std::vector<std::string> FrontierState::take_woken_hosts(JobId id) {
  std::vector<std::string> names;
  const auto job = memory_.jobs.find(id);
  if (job == memory_.jobs.end()) return names;
  names.reserve(job->second.woken.size());
  for (const HostId host : job->second.woken) {
    job->second.hosts[host].woken = false;
    names.emplace_back(job->second.hosts.name(host));
  }
  job->second.woken = {};
  return names;
}

const FrontierJob* FrontierState::find_job(JobId id) const {
  const auto job = memory_.jobs.find(id);
  return job == memory_.jobs.end() ? nullptr : &job->second;
}

FrontierCounts FrontierState::counts(JobId id) const {
  const FrontierJob* job = find_job(id);
  return job ? job->counts : FrontierCounts{};
}

HostCounts FrontierState::counts_of(const FrontierJob& job, HostId id) const {
  const FrontierHost& host = job.hosts[id];
  const auto busy = job.busy.find(id);
  return {.host = std::string(job.hosts.name(id)),
          .queued_pages = host.queued[0],
          .queued_images = host.queued[1],
          .in_flight = busy == job.busy.end() ? 0 : busy->second.in_flight,
          .done_pages = host.done[0],
          .done_images = host.done[1],
          .failed = host.failed};
}

HostCounts FrontierState::host_counts(const QueueKey& queue) const {
  const FrontierJob* job = find_job(queue.job);
  const HostId host = job ? job->hosts.find(queue.host) : HostTable::kNone;
  return host == HostTable::kNone ? HostCounts{.host = std::string(queue.host)} : counts_of(*job, host);
}

std::vector<HostCounts> FrontierState::hosts(JobId id) const {
  std::vector<HostCounts> out;
  const FrontierJob* job = find_job(id);
  for (HostId host = 0; job && host < job->hosts.size(); ++host) {
    HostCounts counts = counts_of(*job, host);
    const bool known = counts.queued() + counts.in_flight + counts.done_pages + counts.done_images + counts.failed > 0;
    if (known) out.push_back(std::move(counts));  // unknown: a host whose first URLs could not be written
  }
  std::sort(out.begin(), out.end(), [](const HostCounts& a, const HostCounts& b) { return a.host < b.host; });
  return out;
}

std::optional<UrlStatus> FrontierState::status(JobId job, std::string_view url) const {
  const SignatureTable::Entry* entry = memory_.table.find(signature_of(job, url));
  if (!entry) return std::nullopt;
  const FrontierUrlState state = FrontierUrlState::of(entry->state());
  if (state.is_done()) return UrlStatus{UrlState::kDone, state.cause()};
  return UrlStatus{state.code == FrontierUrlState::kLeased ? UrlState::kInFlight : UrlState::kQueued, Cause::kNone};
}

}  // namespace magpie
