#include "embedded/frontier.h"

#include <chrono>
#include <mutex>
#include <thread>

#include "base/bounded_queue.h"
#include "base/guarded.h"
#include "base/log.h"
#include "embedded/frontier_checkpoint.h"
#include "embedded/frontier_forget.h"
#include "embedded/frontier_state.h"

namespace magpie {
namespace {

constexpr std::size_t kCandidatesAtOnce = 4'096;  // of retry_failed(), between which others get the lock

class EmbeddedFrontier final : public Frontier {
 private:
  template <class Use>
  auto with(Use&& use) const {
    return state_.with([&](const std::shared_ptr<FrontierState>& state) { return use(*state); });
  }
  // For calls that write: the log may have grown enough for a checkpoint.
  template <class Use>
  auto with_writing(Use&& use) {
    bool due = false;
    auto out = with([&](FrontierState& state) {
      auto result = use(state);
      due = is_due(state, options_.checkpoint_bytes);
      return result;
    });
    if (due) due_.try_push(due);
    return out;
  }

 public:
  EmbeddedFrontier(std::shared_ptr<FrontierState> state, fs::path folder, const FrontierOptions& options)
      : state_(std::move(state)), checkpoint_(folder / "checkpoint.mfc"), options_(options) {
    writer_ = std::jthread([this] {
      while (due_.pop()) write_checkpoint(options_.checkpoint_bytes);
    });
  }
  ~EmbeddedFrontier() override {
    due_.close();
    writer_.join();
    write_checkpoint(options_.close_bytes);
  }

  Result<std::size_t> add(std::span<const UrlRecord> urls) override {
    return with_writing([&](FrontierState& state) { return state.add(urls); });
  }
  Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now) override {
    return with([&](FrontierState& state) { return state.lease(queue, lane, now); });
  }
  using Frontier::acknowledge;
  Result<void> acknowledge(std::span<const Acknowledgement> ended) override {
    return with_writing([&](FrontierState& state) { return state.acknowledge(ended); });
  }
  Result<void> put_back(std::uint64_t signature, Timestamp not_before) override {
    return with_writing([&](FrontierState& state) { return state.put_back(signature, not_before); });
  }
  Result<void> release(std::uint64_t signature) override {
    return with([&](FrontierState& state) { return state.release(signature); });
  }
  Result<std::size_t> revisit(std::span<const UrlRecord> urls) override {
    return with_writing([&](FrontierState& state) { return state.revisit(urls); });
  }

  // The log is read without the lock: what is in it never changes.
  Result<std::size_t> retry_failed(JobId job, std::span<const Cause> causes, std::string_view host) override {
    MAGPIE_TRY(const FrontierMapping mapping, with([](FrontierState& state) { return state.log().map(); }));
    std::vector<FrontierState::Candidate> candidates;
    std::size_t queued = 0;
    const auto queue = [&]() -> Result<void> {
      MAGPIE_TRY(const std::size_t some, with_writing([&](FrontierState& state) { return state.queue_failed(job, candidates, causes); }));
      queued += some;
      candidates.clear();
      return {};
    };
    Result<void> read;
    const std::uint64_t end =
        FrontierLog::scan(mapping.bytes(), FrontierLog::kHeaderBytes, [&](const FrontierRecord& record) -> Result<void> {
          if (!record.has_urls()) return {};
          read = record.each_entry([&](std::uint64_t offset, const FrontierEntry& entry) {
            if (entry.job == job && (host.empty() || host_of_url(entry.url) == host)) candidates.push_back({offset, entry});
          });
          if (read && candidates.size() >= kCandidatesAtOnce) read = queue();
          return read;
        });
    MAGPIE_TRY_DO(std::move(read));
    MAGPIE_TRY_DO(queue());
    if (end < mapping.bytes().size())
      log::error("frontier.damaged", {{"offset", end}, {"next", "what lies behind it cannot be tried again"}});
    return queued;
  }

  // Everybody waits: what is in memory names places in the log, and those move.
  Result<std::uint64_t> forget(const std::function<bool(std::string_view url)>& gone, bool really) override {
    const std::lock_guard no_checkpoint(checkpointing_);
    return state_.with([&](std::shared_ptr<FrontierState>& state) -> Result<std::uint64_t> {
      const fs::path folder = checkpoint_.parent_path();
      MAGPIE_TRY(const std::uint64_t count, write_frontier_log_without(state->log(), gone, really));
      if (!really) return count;
      std::error_code ignored;
      fs::remove(folder / "log.mfl.damaged", ignored);
      if (count == 0) return count;
      // It does not fit the new log, and names hosts.
      fs::remove(checkpoint_, ignored);
      MAGPIE_TRY(state, FrontierState::open(folder));
      return count;
    });
  }

  std::vector<std::string> take_woken_hosts(JobId job) override {
    return with([&](FrontierState& state) { return state.take_woken_hosts(job); });
  }
  FrontierCounts counts(JobId job) const override {
    return with([&](const FrontierState& state) { return state.counts(job); });
  }
  HostCounts host_counts(const QueueKey& queue) const override {
    return with([&](const FrontierState& state) { return state.host_counts(queue); });
  }
  std::vector<HostCounts> hosts(JobId job) const override {
    return with([&](const FrontierState& state) { return state.hosts(job); });
  }
  std::optional<UrlStatus> status(JobId job, std::string_view canonical_url) const override {
    return with([&](const FrontierState& state) { return state.status(job, canonical_url); });
  }
  // Not under the lock, so that nobody waits for the disk but the caller.
  Result<void> sync() override { return held()->log().sync(); }

 private:
  /// Stays what it is, whatever forget() puts in its place.
  std::shared_ptr<const FrontierState> held() const {
    return state_.with([](const std::shared_ptr<FrontierState>& state) -> std::shared_ptr<const FrontierState> { return state; });
  }

  static bool is_due(const FrontierState& state, std::uint64_t bytes) {
    return state.log().size() - state.checkpoint_end() >= std::max(bytes, state.log().size() / 5);
  }

  void write_checkpoint(std::uint64_t bytes) {
    if (!with([&](const FrontierState& state) { return is_due(state, bytes); })) return;
    if (const auto written = try_write_checkpoint(); !written) {
      log::warn("frontier.checkpoint_failed", {{"file", checkpoint_.string()}, {"why", written.error().message}});
    }
  }

  Result<void> try_write_checkpoint() {
    const std::lock_guard one_at_a_time(checkpointing_);
    const auto begin = std::chrono::steady_clock::now();
    const auto passed_ms = [&] { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count(); };
    double stall_ms = 0;
    MAGPIE_TRY(FrontierCheckpointWriter writer, FrontierCheckpointWriter::make(checkpoint_));
    MAGPIE_TRY_DO(with([&](FrontierState& state) {
      const double began_ms = passed_ms();
      state.set_checkpoint_end(state.log().size());  // should it fail, the next is tried after as much again
      const auto written = writer.write(state.memory(), state.log());
      stall_ms = passed_ms() - began_ms;
      return written;
    }));
    MAGPIE_TRY_DO(writer.finish(held()->log()));
    log::debug("frontier.checkpoint", {{"bytes", writer.bytes()}, {"stall_ms", stall_ms}, {"took_ms", passed_ms()}});
    return {};
  }

  mutable Guarded<std::shared_ptr<FrontierState>> state_;
  std::mutex checkpointing_;  // held through the writing of a checkpoint, and while the log is replaced; taken before the state's lock
  const fs::path checkpoint_;
  const FrontierOptions options_;
  BoundedQueue<bool> due_{1};
  std::jthread writer_;
};

}  // namespace

Result<std::unique_ptr<Frontier>> open_frontier(const std::filesystem::path& folder, const FrontierOptions& options) {
  MAGPIE_TRY(auto state, FrontierState::open(folder));
  return std::make_unique<EmbeddedFrontier>(std::move(state), folder, options);
}

}  // namespace magpie
