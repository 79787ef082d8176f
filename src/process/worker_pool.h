#pragma once
// The manager's side: keeps `workers` child processes warm and gives each one request after the other; small ones may travel together.
// Whatever a child does, it costs the request it is at only: a crash, an endless loop, too much memory, a garbled answer all become that
// request's error, and a new child takes its place (with a growing pause when children die one after the other).
//
//   WorkerPool pool({.command = {"/proc/self/exe", "worker"}, .workers = 2, .config = settings_as_json});
//   pool.submit({.kind = kAnalyse, .payload = bytes, .time_max = 20s}, [&](Result<std::string> answer) { results.push(…); });
//   Result<std::string> answer = pool.call({.kind = kExtract, .payload = page});
//
// Threads: submit() and call() from any thread. One thread of the pool looks after each child and runs its callbacks, outside every
// lock; a callback that waits (on a full BoundedQueue) holds up its own child only, which is the back-pressure wanted.
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/files.h"
#include "base/result.h"
#include "process/sandbox.h"

namespace magpie {

class MetricsRegistry;

struct WorkerPoolOptions {
  std::vector<std::string> command;  // program and first arguments; the pool adds "--fd" "3"
  std::size_t workers = 2;           // child processes, 1..256
  bool start_at_once = true;         // false: each child with the first request that it is to answer
  std::size_t waiting_max = 64;      // requests not yet with a child; submit() waits beyond
  std::string config;                // handed to WorkerSetup in the child, up to 1 MiB
  SandboxOptions sandbox;
  std::chrono::milliseconds start_time_max{30'000};  // a child must say it is ready within this
  std::uint64_t requests_max = 20'000;               // a child is replaced after so many, against slow leaks
  std::uint64_t resident_bytes_max = 768ull << 20;   // … and after an answer that leaves it larger than this
  std::uint64_t answer_bytes_max = 64ull << 20;      // a longer answer counts as garbled
  MetricsRegistry* metrics = nullptr;                // magpie_worker_*; must outlive the pool
};

struct WorkRequest {
  std::uint32_t kind = 0;
  std::string payload;                        // up to 256 MiB; large bytes better come as `file`
  std::shared_ptr<const UniqueFd> file = {};  // opened for reading only; the child sees all of it. Null: none
  std::uint64_t file_offset = 0;
  std::uint64_t file_size = 0;
  std::chrono::milliseconds time_max{20'000};  // from when a child takes it; then the child is killed
  /// Quick ones without a file are sent several at a time while many wait, which halves the cost of a page's hand-over. An answer may
  /// then come as late as those of the up to seven before it.
  bool quick = false;
};

class WorkerPool {
 public:
  using Done = std::function<void(Result<std::string>)>;

  /// Children start in the background (start_at_once).
  explicit WorkerPool(WorkerPoolOptions options);
  /// Requests with children are finished (within their time), waiting ones get kCancelled; then all children have ended.
  ~WorkerPool();

  /// Waits for room, then returns; `done` is called exactly once, on a thread of the pool. Errors it may see:
  ///   the handler's own; kInternal "worker crashed: SIGSEGV" (a signal's name, or "exited with 1"); kTimeout; kTooLarge "out of
  ///   memory"; kCorrupt for a garbled answer; kUnavailable when no child can be started, with its reason; kCancelled at the end.
  void submit(WorkRequest request, Done done);
  /// The same, waiting for the answer. Not from a callback of this pool.
  Result<std::string> call(WorkRequest request);

  /// Empty while all is well, else why children cannot be started ("sandbox: …"). For `doctor` and /readyz.
  std::string trouble() const;
  /// Process ids of the children that are ready now, for status pages and tests.
  std::vector<pid_t> pids() const;
  /// Waits until every child is ready, which those of a pool that does not start at once never are. kTimeout, or why one cannot be started.
  Result<void> wait_ready(Deadline deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace magpie
