#pragma once
// Port: the frontier, the crawl's memory of addresses. It knows every URL ever added, hands out those that wait, host by host,
// and forgets nothing: whatever a call that writes has returned from survives kill -9. When and whether a host may be asked is not
// decided here; src/crawl owns that policy and chooses the host.
//
//   frontier.add(records)                        // known ones are dropped
//   LeaseAnswer answer = *frontier.lease({job, "a.test"}, Lane::kPages, clock.now());
//   ... fetch answer.lease->url, store what came, add its links ...
//   frontier.acknowledge({{answer.lease->signature, Cause::kNone}});
//
// One URL has one entry per job, whatever its kind: the first add() wins, and the answer's content says what it really was. Job
// numbers are the caller's; using the same number again continues that crawl, a new number fetches everything anew.
//
// Order. Hosts are the caller's choice. Of one host and lane, what was put back and is due goes first; then a URL of a better
// priority always goes before one of a worse. Within one priority the order is random over all that waits, so that a host's load
// and what is found spread over the whole site: URLs of one add() leave in shuffled order, and which add() is next is drawn by
// about how many URLs it still has waiting. Nothing keeps the order of discovery; who wants shallow pages first gives them a
// better priority (as crawl/rules.h does).
//
// Implementations: src/embedded/frontier.h (append log on the local disk). A cluster's implementation keeps (job, host) together
// on one node, which is why every question names both. Contract: tests/contract/frontier_contract_test.cc.
#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// The part of a host's queue a lease is taken from, so that a host over its page limit still gives its pictures.
enum class Lane : std::uint8_t { kPages = 0, kImages = 1 };  // pages: kPage and kSitemap; images: kImage
constexpr Lane lane_of(UrlKind kind) { return kind == UrlKind::kImage ? Lane::kImages : Lane::kPages; }

/// Names one queue. `host` is a URL's host with its port when that is not the scheme's own ("a.test", "127.0.0.1:8080").
struct QueueKey {
  JobId job = 0;
  std::string_view host;
};

/// The queue's host of a canonical URL, a view into it; user name and password are skipped. "" for what has no host.
std::string_view host_of_url(std::string_view canonical_url);

/// One URL on its way. It belongs to whoever took it until acknowledge() or put_back(), or until the process ends.
struct Lease {
  std::uint64_t signature = 0;  // names it; stable for the life of the frontier, also over restarts
  UrlRecord url;
  std::uint32_t tries = 0;  // put_back() calls so far
};

struct LeaseAnswer {
  std::optional<Lease> lease;
  /// Without a lease: when the earliest URL that was put back is due. Neither: the lane has nothing to hand out.
  std::optional<Timestamp> next_at;
};

/// The end of a lease: kNone for a success, else why not.
struct Acknowledgement {
  std::uint64_t signature = 0;
  Cause cause = Cause::kNone;
};

inline constexpr std::size_t kCauseCount = 32;  // room for causes to come

struct FrontierCounts {
  std::uint64_t known = 0;
  std::uint64_t queued = 0;                                  // waiting, put back ones included
  std::uint64_t in_flight = 0;                               // leased
  std::uint64_t done = 0;                                    // acknowledged with kNone
  std::uint64_t failed = 0;                                  // acknowledged with another cause
  std::array<std::uint64_t, kCauseCount> failed_by_cause{};  // index: the Cause's number
};

struct HostCounts {
  std::string host;
  std::uint64_t queued_pages = 0, queued_images = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t done_pages = 0, done_images = 0;
  std::uint64_t failed = 0;
  std::uint64_t queued() const { return queued_pages + queued_images; }
};

enum class UrlState : std::uint8_t { kQueued, kInFlight, kDone };
struct UrlStatus {
  UrlState state = UrlState::kQueued;
  Cause cause = Cause::kNone;  // of kDone
};

/// Thread-safe: every call may come from any thread. Errors of all that write: kUnavailable (disk), kTooLarge (a URL over
/// Frontier::kUrlBytesMax); after an error nothing of the call is remembered.
class Frontier {
 public:
  static constexpr std::size_t kUrlBytesMax = 16 * 1024;

  virtual ~Frontier() = default;

  /// Remembers what is new and queues it; known URLs are dropped, whatever their priority. Returns how many were new. URLs must be
  /// canonical; a priority over kUrlPriorityLast counts as that.
  virtual Result<std::size_t> add(std::span<const UrlRecord> urls) = 0;

  /// Takes the next URL of a lane that may go out at `now`, in the order described above.
  virtual Result<LeaseAnswer> lease(const QueueKey& queue, Lane lane, Timestamp now) = 0;

  /// Ends leases for good. kNotFound for a signature that is not leased; one that has ended already is left as it is.
  virtual Result<void> acknowledge(std::span<const Acknowledgement> ended) = 0;
  Result<void> acknowledge(std::uint64_t signature, Cause cause) {
    const Acknowledgement one{signature, cause};
    return acknowledge(std::span(&one, 1));
  }

  /// Returns a lease to its queue, to be handed out again not before that time, with `tries` one higher. kNotFound unless leased.
  virtual Result<void> put_back(std::uint64_t signature, Timestamp not_before) = 0;

  /// Returns a lease as if it had not been taken: `tries` stays, and it may go out at once. For what was not asked for after all, as
  /// when a crawl stops. kNotFound unless leased. Writes nothing, as after a restart no URL is leased.
  virtual Result<void> release(std::uint64_t signature) = 0;

  /// Queues again what failed for one of these causes, `tries` from 0, of one host or (host "") of all; how many. Cost: one pass over
  /// all that was ever added; others' calls go in between. After an error some may have been queued.
  virtual Result<std::size_t> retry_failed(JobId job, std::span<const Cause> causes, std::string_view host = {}) = 0;

  /// Queues finished URLs, fetched or failed, once more, `tries` from 0, with the depth, kind and priority given here. Those that
  /// wait or are leased, and those never added, are left as they are. Returns how many were queued. The caller decides when a URL
  /// is due; the frontier keeps nothing for it. Cost as add(): the URLs are written again, and so a host's lie side by side.
  virtual Result<std::size_t> revisit(std::span<const UrlRecord> urls) = 0;

  /// Forgets every address, of whatever job and state, that `gone` names, and the hosts that have none left; how many entries went. All
  /// else is as after a restart: what was leased waits again. An address that is added anew is new: who must not have it asks
  /// core/refusals.h. Without `really` it only counts. Cost: one pass over all that was ever added, which is written anew. After an error
  /// nothing has changed.
  virtual Result<std::uint64_t> forget(const std::function<bool(std::string_view url)>& gone, bool really) = 0;

  /// Hosts whose queue of this job has got something to hand out since the last call, each once; the first call after opening
  /// gives all that have. For one consumer per job, which keeps its own list of hosts by the time they may be asked.
  virtual std::vector<std::string> take_woken_hosts(JobId job) = 0;

  virtual FrontierCounts counts(JobId job) const = 0;
  /// One host's counts; zeros for an unknown one. O(1).
  virtual HostCounts host_counts(const QueueKey& queue) const = 0;
  /// All hosts of the job, by name. Cost: proportional to the hosts.
  virtual std::vector<HostCounts> hosts(JobId job) const = 0;
  /// Nothing for a URL never added to that job.
  virtual std::optional<UrlStatus> status(JobId job, std::string_view canonical_url) const = 0;

  /// Returns once everything before is on the disk itself, so that a power cut loses nothing either. Costs an fsync.
  virtual Result<void> sync() = 0;
};

}  // namespace magpie
