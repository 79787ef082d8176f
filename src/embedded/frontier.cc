#include "embedded/frontier.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "embedded/frontier_log.h"
#include "embedded/host_queues.h"
#include "embedded/signature_table.h"

namespace magpie {
namespace {

// A signature's byte in the table: open (waiting or leased), or done with a cause.
constexpr std::uint8_t kOpen = 0;
constexpr std::uint8_t done_state(Cause cause) { return static_cast<std::uint8_t>(1 + static_cast<std::uint8_t>(cause)); }
constexpr Cause cause_of(std::uint8_t state) { return static_cast<Cause>(state - 1); }
constexpr std::size_t cause_index(Cause cause) { return std::min<std::size_t>(static_cast<std::size_t>(cause), kCauseCount - 1); }

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct Job {
  std::unordered_map<std::string, std::unique_ptr<HostQueues>, TextHash, std::equal_to<>> hosts;
  std::vector<HostQueues*> woken;
  FrontierCounts counts;
};

struct Flight {
  Job* job = nullptr;
  HostQueues* host = nullptr;
  std::uint64_t offset = 0;
  std::uint32_t tries = 0;
  Lane lane = Lane::kPages;
};

std::int64_t to_ms(Timestamp time) { return time.time_since_epoch().count(); }

// Everything behind the lock.
class State {
 public:
  Result<void> open(const fs::path& folder) {
    // Two passes keep memory flat: the first learns how each URL stands, the second queues those that are open, in their order.
    std::unordered_map<std::uint64_t, FrontierRecord> put_back;  // few: what failed and waits for its next try
    MAGPIE_TRY(log_, FrontierLog::open(folder, [&](std::uint64_t seed, const FrontierRecord& record) {
                 seed_ = seed;
                 replay_state(record, put_back);
               }));
    seed_ = log_.seed();
    return log_.scan([&](std::uint64_t offset, const FrontierRecord& record) { replay_queue(offset, record, put_back); });
  }

  Result<std::size_t> add(std::span<const UrlRecord> urls) {
    FrontierBatch batch;
    std::vector<Fresh> fresh;
    for (const UrlRecord& url : urls) {
      if (url.url.size() > Frontier::kUrlBytesMax) {
        forget(fresh);
        return fail(Code::kTooLarge, "a URL has {} bytes, at most {} are kept", url.url.size(), Frontier::kUrlBytesMax);
      }
      const std::uint64_t signature = signature_of(url.job, url.url);
      if (!table_.insert(signature, kOpen)) continue;
      fresh.push_back({&url, signature, batch.add(url)});
    }
    if (fresh.empty()) return 0;
    const auto begin = log_.append(batch);
    if (!begin) {
      forget(fresh);
      return Failure(begin.error());
    }
    for (const Fresh& one : fresh) {
      Job& job = jobs_[one.url->job];
      HostQueues& host = host_of(job, host_of_url(one.url->url));
      host.fresh[static_cast<std::size_t>(lane_of(one.url->kind))].push(*begin + one.at);
      ++job.counts.known;
      ++job.counts.queued;
      wake(job, host);
    }
    return fresh.size();
  }

  Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now) {
    const auto job = jobs_.find(queue.job);
    if (job == jobs_.end()) return LeaseAnswer{};
    const auto found = job->second.hosts.find(queue.host);
    if (found == job->second.hosts.end()) return LeaseAnswer{};
    HostQueues& host = *found->second;
    WaitingQueue& waiting = host.put_back[static_cast<std::size_t>(lane)];
    OffsetQueue& fresh = host.fresh[static_cast<std::size_t>(lane)];

    const bool due = !waiting.empty() && waiting.front().not_before_ms <= to_ms(now);
    if (!due && fresh.empty()) {
      if (waiting.empty()) return LeaseAnswer{};
      return LeaseAnswer{.next_at = Timestamp(std::chrono::milliseconds(waiting.front().not_before_ms))};
    }
    Flight flight{.job = &job->second, .host = &host, .lane = lane};
    flight.offset = due ? waiting.front().offset : fresh.front();
    flight.tries = due ? waiting.front().tries : 0;
    MAGPIE_TRY(const FrontierRecord record, log_.read(flight.offset, storage_));
    if (due) waiting.pop();
    else fresh.pop();

    Lease out{.signature = signature_of(record.job, record.url), .tries = flight.tries};
    out.url = {.url = std::string(record.url), .kind = record.kind, .depth = record.depth, .job = record.job};
    --flight.job->counts.queued;
    ++flight.job->counts.in_flight;
    ++host.in_flight;
    flights_.emplace(out.signature, flight);
    return LeaseAnswer{.lease = std::move(out)};
  }

  Result<void> acknowledge(std::span<const Acknowledgement> ended) {
    FrontierBatch batch;
    for (const Acknowledgement& one : ended) {
      if (flights_.contains(one.signature)) {
        batch.acknowledge(one.signature, one.cause);
      } else if (const std::uint8_t* state = table_.find(one.signature); one.signature == 0 || !state || *state == kOpen) {
        return fail(Code::kNotFound, "URL {} is not leased", to_hex(one.signature));
      }
    }
    if (batch.empty()) return {};
    if (const auto written = log_.append(batch); !written) return Failure(written.error());
    for (const Acknowledgement& one : ended) finish(one);
    return {};
  }

  Result<void> put_back(std::uint64_t signature, Timestamp not_before) {
    const auto found = flights_.find(signature);
    if (found == flights_.end()) return fail(Code::kNotFound, "URL {} is not leased", to_hex(signature));
    Flight& flight = found->second;
    FrontierBatch batch;
    batch.put_back(signature, to_ms(not_before), flight.tries + 1);
    if (const auto written = log_.append(batch); !written) return Failure(written.error());
    flight.host->put_back[static_cast<std::size_t>(flight.lane)].push(
        {.not_before_ms = to_ms(not_before), .offset = flight.offset, .tries = flight.tries + 1});
    ++flight.job->counts.queued;
    leave_flight(flight);
    wake(*flight.job, *flight.host);
    flights_.erase(found);
    return {};
  }

  Result<std::size_t> retry_failed(JobId id, std::span<const Cause> causes) {
    const auto wanted = [&](std::uint8_t state) {
      return state > done_state(Cause::kNone) && std::find(causes.begin(), causes.end(), cause_of(state)) != causes.end();
    };
    struct Again {
      std::uint64_t signature, offset;
      Lane lane;
      std::string host;
    };
    std::vector<Again> again;
    FrontierBatch batch;
    MAGPIE_TRY_DO(log_.scan([&](std::uint64_t offset, const FrontierRecord& record) {
      if (record.type != FrontierRecordType::kAdd || record.job != id) return;
      const std::uint64_t signature = signature_of(record.job, record.url);
      if (!wanted(*table_.find(signature))) return;
      again.push_back({signature, offset, lane_of(record.kind), std::string(host_of_url(record.url))});
      batch.retry(signature);
    }));
    if (again.empty()) return 0;
    if (const auto written = log_.append(batch); !written) return Failure(written.error());
    Job& job = jobs_[id];
    for (const Again& one : again) {
      std::uint8_t& state = *table_.find(one.signature);
      --job.counts.failed;
      --job.counts.failed_by_cause[cause_index(cause_of(state))];
      ++job.counts.queued;
      state = kOpen;
      HostQueues& host = host_of(job, one.host);
      --host.failed;
      host.fresh[static_cast<std::size_t>(one.lane)].push(one.offset);
      wake(job, host);
    }
    return again.size();
  }

  std::vector<std::string> take_woken_hosts(JobId id) {
    std::vector<std::string> names;
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) return names;
    names.reserve(job->second.woken.size());
    for (HostQueues* host : job->second.woken) {
      host->woken = false;
      names.push_back(host->name);
    }
    job->second.woken.clear();
    return names;
  }

  FrontierCounts counts(JobId id) const {
    const auto job = jobs_.find(id);
    return job == jobs_.end() ? FrontierCounts{} : job->second.counts;
  }

  HostCounts host_counts(const QueueKey& queue) const {
    if (const auto job = jobs_.find(queue.job); job != jobs_.end()) {
      if (const auto host = job->second.hosts.find(queue.host); host != job->second.hosts.end()) return host->second->counts();
    }
    return {.host = std::string(queue.host)};
  }

  std::vector<HostCounts> hosts(JobId id) const {
    std::vector<HostCounts> out;
    if (const auto job = jobs_.find(id); job != jobs_.end()) {
      for (const auto& [name, host] : job->second.hosts) out.push_back(host->counts());
    }
    std::sort(out.begin(), out.end(), [](const HostCounts& a, const HostCounts& b) { return a.host < b.host; });
    return out;
  }

  std::optional<UrlStatus> status(JobId job, std::string_view url) const {
    const std::uint64_t signature = signature_of(job, url);
    const std::uint8_t* state = table_.find(signature);
    if (!state) return std::nullopt;
    if (*state != kOpen) return UrlStatus{UrlState::kDone, cause_of(*state)};
    return UrlStatus{flights_.contains(signature) ? UrlState::kInFlight : UrlState::kQueued, Cause::kNone};
  }

  Result<void> sync() const { return log_.sync(); }

 private:
  struct Fresh {
    const UrlRecord* url;
    std::uint64_t signature;
    std::size_t at;  // in the batch
  };

  std::uint64_t signature_of(JobId job, std::string_view url) const {
    // The golden ratio's bits spread job numbers over the seed; 0 means an empty slot in the table.
    const std::uint64_t signature = signature64(url, seed_ + job * 0x9E3779B97F4A7C15u);
    return signature == 0 ? 1 : signature;
  }

  HostQueues& host_of(Job& job, std::string_view name) {
    auto found = job.hosts.find(name);
    if (found == job.hosts.end()) {
      auto host = std::make_unique<HostQueues>();
      host->name = name;
      found = job.hosts.emplace(std::string(name), std::move(host)).first;
    }
    return *found->second;
  }

  static void wake(Job& job, HostQueues& host) {
    if (host.woken) return;
    host.woken = true;
    job.woken.push_back(&host);
  }

  void forget(const std::vector<Fresh>& fresh) {
    for (const Fresh& one : fresh) table_.erase(one.signature);
  }

  static void leave_flight(const Flight& flight) {
    --flight.job->counts.in_flight;
    --flight.host->in_flight;
  }

  static void count_done(Job& job, HostQueues& host, Lane lane, Cause cause) {
    if (cause == Cause::kNone) {
      ++job.counts.done;
      ++(lane == Lane::kImages ? host.done_images : host.done_pages);
    } else {
      ++job.counts.failed;
      ++job.counts.failed_by_cause[cause_index(cause)];
      ++host.failed;
    }
  }

  void finish(const Acknowledgement& one) {
    const auto found = flights_.find(one.signature);
    if (found == flights_.end()) return;  // had ended before
    *table_.find(one.signature) = done_state(one.cause);
    leave_flight(found->second);
    count_done(*found->second.job, *found->second.host, found->second.lane, one.cause);
    flights_.erase(found);
  }

  void replay_state(const FrontierRecord& record, std::unordered_map<std::uint64_t, FrontierRecord>& put_back) {
    if (record.type == FrontierRecordType::kAdd) {
      table_.insert(signature_of(record.job, record.url), kOpen);
      return;
    }
    std::uint8_t* state = record.signature == 0 ? nullptr : table_.find(record.signature);
    if (!state) return;
    if (record.type == FrontierRecordType::kPutBack) {
      put_back.insert_or_assign(record.signature, record);
      return;
    }
    put_back.erase(record.signature);
    *state = record.type == FrontierRecordType::kAcknowledge ? done_state(record.cause) : kOpen;
  }

  void replay_queue(std::uint64_t offset, const FrontierRecord& record, const std::unordered_map<std::uint64_t, FrontierRecord>& put_back) {
    if (record.type != FrontierRecordType::kAdd) return;
    const std::uint64_t signature = signature_of(record.job, record.url);
    Job& job = jobs_[record.job];
    HostQueues& host = host_of(job, host_of_url(record.url));
    ++job.counts.known;
    const Lane lane = lane_of(record.kind);
    if (const std::uint8_t state = *table_.find(signature); state != kOpen) return count_done(job, host, lane, cause_of(state));
    ++job.counts.queued;
    wake(job, host);
    if (const auto waits = put_back.find(signature); waits != put_back.end()) {
      host.put_back[static_cast<std::size_t>(lane)].push(
          {.not_before_ms = waits->second.not_before_ms, .offset = offset, .tries = waits->second.tries});
    } else {
      host.fresh[static_cast<std::size_t>(lane)].push(offset);
    }
  }

  FrontierLog log_;
  std::uint64_t seed_ = 0;
  SignatureTable table_;
  std::unordered_map<JobId, Job> jobs_;
  std::unordered_map<std::uint64_t, Flight> flights_;
  std::string storage_;  // for reads, so that leasing does not allocate
};

class EmbeddedFrontier final : public Frontier {
 private:
  template <class Use>
  auto with(Use&& use) const {
    return state_.with([&](const std::unique_ptr<State>& state) { return use(*state); });
  }

 public:
  explicit EmbeddedFrontier(std::unique_ptr<State> state) : state_(std::move(state)) {}

  Result<std::size_t> add(std::span<const UrlRecord> urls) override {
    return with([&](State& state) { return state.add(urls); });
  }
  Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now) override {
    return with([&](State& state) { return state.lease(queue, lane, now); });
  }
  using Frontier::acknowledge;
  Result<void> acknowledge(std::span<const Acknowledgement> ended) override {
    return with([&](State& state) { return state.acknowledge(ended); });
  }
  Result<void> put_back(std::uint64_t signature, Timestamp not_before) override {
    return with([&](State& state) { return state.put_back(signature, not_before); });
  }
  Result<std::size_t> retry_failed(JobId job, std::span<const Cause> causes) override {
    return with([&](State& state) { return state.retry_failed(job, causes); });
  }
  std::vector<std::string> take_woken_hosts(JobId job) override {
    return with([&](State& state) { return state.take_woken_hosts(job); });
  }
  FrontierCounts counts(JobId job) const override {
    return with([&](State& state) { return state.counts(job); });
  }
  HostCounts host_counts(const QueueKey& queue) const override {
    return with([&](State& state) { return state.host_counts(queue); });
  }
  std::vector<HostCounts> hosts(JobId job) const override {
    return with([&](State& state) { return state.hosts(job); });
  }
  std::optional<UrlStatus> status(JobId job, std::string_view canonical_url) const override {
    return with([&](State& state) { return state.status(job, canonical_url); });
  }
  Result<void> sync() override {
    return with([](State& state) { return state.sync(); });
  }

 private:
  mutable Guarded<std::unique_ptr<State>> state_;
};

}  // namespace

Result<std::unique_ptr<Frontier>> open_frontier(const std::filesystem::path& folder) {
  auto state = std::make_unique<State>();
  MAGPIE_TRY_DO(state->open(folder));
  return std::make_unique<EmbeddedFrontier>(std::move(state));
}

}  // namespace magpie
