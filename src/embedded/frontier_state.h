#pragma once
// What the embedded frontier does, behind its lock: queues and their log, kept in step. The calls are those of core/frontier.h.
// Not thread-safe.
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/frontier.h"
#include "embedded/frontier_log.h"
#include "embedded/frontier_memory.h"

namespace magpie {

class FrontierState {
 public:
  /// Opens the log, reads the checkpoint when it fits, and replays what came after. Errors as open_frontier().
  static Result<std::unique_ptr<FrontierState>> open(const fs::path& folder);

  Result<std::size_t> add(std::span<const UrlRecord> urls) { return queue(urls, FrontierRecordType::kAdd); }
  Result<std::size_t> revisit(std::span<const UrlRecord> urls) { return queue(urls, FrontierRecordType::kRevisit); }
  Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now);
  Result<void> acknowledge(std::span<const Acknowledgement> ended);
  Result<void> put_back(std::uint64_t signature, Timestamp not_before);
  Result<void> release(std::uint64_t signature);

  /// A URL that may have failed, for queue_failed(): where its entry lies, and what that says.
  struct Candidate {
    std::uint64_t offset = 0;
    FrontierEntry entry;
  };
  /// Queues again those of one job that have failed for one of the causes; how many.
  Result<std::size_t> queue_failed(JobId job, std::span<const Candidate> candidates, std::span<const Cause> causes);

  std::vector<std::string> take_woken_hosts(JobId job);
  FrontierCounts counts(JobId job) const;
  HostCounts host_counts(const QueueKey& queue) const;
  std::vector<HostCounts> hosts(JobId job) const;
  std::optional<UrlStatus> status(JobId job, std::string_view url) const;

  const FrontierLog& log() const { return log_; }
  const FrontierMemory& memory() const { return memory_; }
  /// The log's length that the last checkpoint stands for; 0 for none.
  std::uint64_t checkpoint_end() const { return checkpoint_end_; }
  void set_checkpoint_end(std::uint64_t end) { checkpoint_end_ = end; }

 private:
  struct Fresh {
    const UrlRecord* url = nullptr;
    std::uint64_t signature = 0;
    std::uint8_t before = 0;  // its state until now; 0: unknown
    FrontierJob* job = nullptr;
    std::uint64_t order = 0;   // host 32, group 3, random 29: a host's URLs of one group stand together, shuffled
    std::uint64_t offset = 0;  // in the batch
    HostId host() const { return static_cast<HostId>(order >> 32); }
    unsigned group() const { return static_cast<unsigned>(order >> 29) & 7; }
    bool same_run(const Fresh& other) const { return job == other.job && order >> 29 == other.order >> 29; }
  };
  struct Taken {
    std::uint64_t signature = 0, offset = 0;
    std::uint32_t tries = 0;
    FrontierEntry entry;
  };

  Result<std::size_t> queue(std::span<const UrlRecord> urls, FrontierRecordType type);
  std::vector<Fresh> take_fresh(std::span<const UrlRecord> urls, FrontierRecordType type);
  void place_on_hosts(std::vector<Fresh>& fresh);
  void forget(const std::vector<Fresh>& fresh);
  std::optional<Taken> take_from_runs(FrontierJob& job, HostId id, Lane lane);
  void drop_run(FrontierJob& job, HostId id, std::size_t at, Lane lane, const std::string& why);
  void leave_flight(std::uint64_t signature);
  void wait_again(const FrontierFlight& flight, WaitingUrl url);
  void finish(const Acknowledgement& one);
  const FrontierJob* find_job(JobId id) const;
  HostCounts counts_of(const FrontierJob& job, HostId id) const;
  std::uint64_t signature_of(JobId job, std::string_view url) const { return frontier_signature(log_.seed(), job, url); }
  void set_state(std::uint64_t signature, FrontierUrlState state) { memory_.table.find(signature)->set_state(state.byte()); }

  FrontierLog log_;
  FrontierMemory memory_;
  std::minstd_rand random_;
  std::string storage_;  // for reads, so that leasing does not allocate
  std::uint64_t checkpoint_end_ = 0;
};

}  // namespace magpie
