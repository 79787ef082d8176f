#include "embedded/frontier_replay.h"

namespace magpie {
namespace {

// Fewer are left in the runs, for lease() to skip at a microsecond each.
constexpr std::uint64_t kStaleMax = 10'000;

}  // namespace

Result<FrontierReplay::Place> FrontierReplay::place_at(std::uint64_t offset) {
  const auto entry = offset < log_.size() ? read_entry(log_.substr(offset)) : std::nullopt;
  if (!entry) return fail(Code::kCorrupt, "the frontier log has no URL at offset {}", offset);
  FrontierJob& job = memory_.jobs[entry->job];
  return Place{*entry, &job, job.hosts.get(host_of_url(entry->url))};
}

Result<void> FrontierReplay::reopen(std::span<const FrontierMark> open) {
  for (const FrontierMark& mark : open) {
    MAGPIE_TRY(const Place place, place_at(mark.offset));
    SignatureTable::Entry* entry = memory_.table.find(mark.signature);
    if (!entry) return fail(Code::kCorrupt, "a frontier checkpoint has a lease of an unknown URL");
    FrontierUrlState state = FrontierUrlState::of(entry->state());
    if (state.code == FrontierUrlState::kLeased) place.job->count_queued(place.host, state.lane);
    state.code = mark.tries > 0 ? FrontierUrlState::kPutBack : FrontierUrlState::kQueued;
    entry->set_state(state.byte());
    if (mark.tries > 0) put_back_.insert_or_assign(mark.signature, mark);
    else place.job->hosts[place.host].runs.insert({place.group(), 1, mark.offset});
  }
  return {};
}

Result<void> FrontierReplay::apply(const FrontierRecord& record) {
  if (record.has_urls()) return apply_urls(record);
  Result<void> applied;
  MAGPIE_TRY_DO(record.each_mark([&](const FrontierMark& mark) {
    if (applied) applied = apply_mark(record.type, mark);
  }));
  return applied;
}

Result<void> FrontierReplay::apply_urls(const FrontierRecord& record) {
  urls_.clear();
  MAGPIE_TRY_DO(record.each_entry([&](std::uint64_t, const FrontierEntry& entry) {
    urls_.push_back({frontier_signature(seed_, entry.job, entry.url), entry});
    memory_.table.prefetch(urls_.back().signature);
  }));
  if (urls_.empty() || urls_.size() > UrlRun::kCountMax) return fail(Code::kCorrupt, "a frontier record has {} URLs", urls_.size());
  MAGPIE_TRY(const Place place, place_at(record.offset));
  bool any = false;
  for (const Url& url : urls_) any |= queue(url, record.type == FrontierRecordType::kRevisit, *place.job, place.host);
  if (any) place.job->hosts[place.host].runs.insert({place.group(), static_cast<std::uint32_t>(urls_.size()), record.offset});
  return {};
}

bool FrontierReplay::queue(const Url& url, bool revisit, FrontierJob& job, HostId host) {
  const FrontierUrlState queued{FrontierUrlState::kQueued, lane_of(url.entry.kind)};
  if (!revisit) {
    if (!memory_.table.insert(url.signature, queued.byte())) return false;
    ++job.counts.known;
  } else {
    SignatureTable::Entry* entry = memory_.table.find(url.signature);
    if (!entry || !FrontierUrlState::of(entry->state()).is_done()) return false;
    job.uncount_done(host, FrontierUrlState::of(entry->state()));
    entry->set_state(queued.byte());
  }
  job.count_queued(host, queued.lane);
  return true;
}

Result<void> FrontierReplay::apply_mark(FrontierRecordType type, const FrontierMark& mark) {
  SignatureTable::Entry* entry = memory_.table.find(mark.signature);
  if (!entry) return fail(Code::kCorrupt, "the frontier log names an unknown URL");
  FrontierUrlState state = FrontierUrlState::of(entry->state());
  MAGPIE_TRY(const Place place, place_at(mark.offset));
  FrontierHost& host = place.job->hosts[place.host];
  if (type == FrontierRecordType::kAgain) {
    if (!state.has_failed()) return {};
    place.job->uncount_done(place.host, state);
    state = {FrontierUrlState::kQueued, lane_of(place.entry.kind)};
    place.job->count_queued(place.host, state.lane);
    host.runs.insert({place.group(), 1, mark.offset});
  } else if (!state.is_done()) {
    put_back_.erase(mark.signature);
    host.woken = true;  // until finish(): something in its runs may be stale
    ++stale_;
    if (type == FrontierRecordType::kPutBack) {
      put_back_.emplace(mark.signature, mark);
      state.code = FrontierUrlState::kPutBack;
    } else {
      place.job->uncount_queued(place.host, state.lane);
      state = FrontierUrlState::done(mark.cause, state.lane);
      place.job->count_done(place.host, state);
    }
  }
  entry->set_state(state.byte());
  return {};
}

Result<void> FrontierReplay::finish() {
  for (const auto& [signature, mark] : put_back_) {
    MAGPIE_TRY(const Place place, place_at(mark.offset));
    WaitingQueue& queue = place.job->busy[place.host].put_back[static_cast<std::size_t>(lane_of(place.entry.kind))];
    queue.push({.signature = signature, .not_before_ms = mark.not_before_ms, .offset = mark.offset, .tries = mark.tries});
  }
  for (auto& [id, job] : memory_.jobs) {
    for (HostId host_id = 0; host_id < job.hosts.size(); ++host_id) {
      FrontierHost& host = job.hosts[host_id];
      if (host.woken && stale_ > kStaleMax) tidy(host);
      host.woken = false;
      if (host.queued[0] + host.queued[1] > 0) job.wake(host_id);
      else host.runs.clear();
    }
  }
  return {};
}

void FrontierReplay::tidy(FrontierHost& host) {
  const std::span<const UrlRun> all = host.runs.runs();
  const std::vector<UrlRun> old(all.begin(), all.end());
  host.runs.clear();
  for (const UrlRun& run : old) {
    std::uint64_t at = run.offset(), begin = at;
    std::uint32_t waiting = 0;
    const auto keep = [&] {
      if (waiting > 0) host.runs.insert({run.group(), waiting, begin});
      waiting = 0;
    };
    for (std::uint32_t i = 0; i < run.count(); ++i) {
      const auto url = read_entry(log_.substr(std::min<std::size_t>(at, log_.size())));
      if (!url) break;  // lease() will say so
      const SignatureTable::Entry* entry = memory_.table.find(frontier_signature(seed_, url->job, url->url));
      if (!entry || FrontierUrlState::of(entry->state()).code != FrontierUrlState::kQueued) keep();
      else if (waiting++ == 0) begin = at;
      at += url->bytes;
    }
    keep();
  }
}

}  // namespace magpie
