#include "process/worker_pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/log.h"
#include "base/metrics.h"
#include "process/child_process.h"
#include "process/exit_codes.h"
#include "process/frame.h"
#include "process/start_message.h"

namespace magpie {
namespace {

constexpr std::size_t kWorkersMax = 256;
constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::chrono::milliseconds kIdleCheck = 1'000ms;  // how soon a child that died unasked is replaced
constexpr std::chrono::milliseconds kEndTimeMax = 2'000ms;
constexpr std::chrono::milliseconds kPauseMin = 50ms;
constexpr std::chrono::milliseconds kPauseMax = 5'000ms;
constexpr int kFreeFailures = 2;    // deaths in a row that cost no pause
constexpr int kHopelessStarts = 3;  // failed starts in a row after which requests are refused

struct Job {
  WorkRequest request;
  WorkerPool::Done done;
};

// A child that has said it is ready.
struct Worker {
  ChildProcess process;
  std::uint64_t requests = 0;
};

// What went wrong in a row with the children of one thread; both end with the next success of their kind.
struct Streak {
  int deaths = 0;
  int failed_starts = 0;
};

Error death_error(const ChildProcess::End& end) {
  if (!end.by_signal && end.value == kExitOutOfMemory) return {Code::kTooLarge, "out of memory"};
  if (end.by_signal && end.value == SIGKILL && !end.by_us) return {Code::kTooLarge, "out of memory (the system killed the worker)"};
  if (end.by_signal) return {Code::kInternal, fmt::format("worker crashed: {}", signal_name(end.value))};
  return {Code::kInternal, fmt::format("worker crashed: exited with {}", end.value)};
}

// What other threads may know about the children, and how they wait for it.
class Roster {
 public:
  void came(pid_t pid) {
    change([&] { pids_.insert(pid), trouble_.clear(); });
  }
  void went(pid_t pid) {
    change([&] { pids_.erase(pid); });
  }
  void troubled(std::string words) {
    change([&] { trouble_ = std::move(words); });
  }
  std::string trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
  }
  std::vector<pid_t> pids() const {
    const std::lock_guard lock(mutex_);
    return {pids_.begin(), pids_.end()};
  }
  Result<void> wait_for(std::size_t count, Deadline deadline) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, deadline.left(), [&] { return pids_.size() >= count || !trouble_.empty(); });
    if (!trouble_.empty()) return fail(Code::kUnavailable, "{}", trouble_);
    if (pids_.size() < count) return fail(Code::kTimeout, "{} of {} workers are ready", pids_.size(), count);
    return {};
  }

 private:
  template <class Change>
  void change(Change&& change) {
    {
      const std::lock_guard lock(mutex_);
      change();
    }
    changed_.notify_all();
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<pid_t> pids_;
  std::string trouble_;
};

struct Counts {
  Counter* answers = nullptr;
  Counter* failures = nullptr;
  Counter* deaths = nullptr;
  Histogram* seconds = nullptr;
};

Counts make_counts(MetricsRegistry* metrics) {
  if (metrics == nullptr) return {};
  return {&metrics->counter("magpie_worker_answers_total", "Requests that worker processes answered, errors included."),
          &metrics->counter("magpie_worker_failures_total", "Requests that cost their worker process its life."),
          &metrics->counter("magpie_worker_deaths_total", "Worker processes that ended other than by order."),
          &metrics->histogram("magpie_worker_request_seconds", "Time from giving a request to a worker to its answer.")};
}

}  // namespace

struct WorkerPool::State {
  explicit State(WorkerPoolOptions given) : options(std::move(given)), waiting(options.waiting_max), counts(make_counts(options.metrics)) {}

  const WorkerPoolOptions options;
  BoundedQueue<std::shared_ptr<Job>> waiting;
  Roster roster;
  Counts counts;
  std::atomic<bool> ending{false};
  std::mutex pause_mutex;
  std::condition_variable pause_over;
  std::vector<std::jthread> threads;  // last: they use all of the above

  void look_after_one();
  Result<Worker> start();
  Result<void> greet(ChildProcess& process);
  bool ready(std::optional<Worker>& worker, Streak& streak);
  void run(std::optional<Worker>& worker, Job& job, Streak& streak);
  Result<std::string> exchange(Worker& worker, const WorkRequest& request, bool& lost);
  Failure bury(Worker& worker, const Error& symptom);
  void retire_if_worn(std::optional<Worker>& worker);
  void dismiss(std::optional<Worker>& worker);
  void refuse_waiting(const Error& reason);
  void pause(int failures);
};

// The life of one of the pool's threads: keep a child ready, give it the next request, mourn it.
void WorkerPool::State::look_after_one() {
  std::optional<Worker> worker;
  Streak streak;
  while (!ending) {
    if (!ready(worker, streak)) continue;
    const std::optional<std::shared_ptr<Job>> job = waiting.pop_until(Deadline::after(kIdleCheck));
    if (!job) continue;
    // A child may have died while it waited; the request must not suffer from one failed start.
    while (!ending && !ready(worker, streak) && streak.failed_starts < kHopelessStarts) {}
    if (ending) {
      (*job)->done(fail(Code::kCancelled, "the worker pool is closing"));
    } else if (worker) {
      run(worker, **job, streak);
    } else {
      (*job)->done(fail(Code::kUnavailable, "{}", roster.trouble()));
    }
  }
  dismiss(worker);
  refuse_waiting({Code::kCancelled, "the worker pool is closing"});
}

// True when `worker` lives. One attempt to start it otherwise, with the pause that earlier failures have earned.
bool WorkerPool::State::ready(std::optional<Worker>& worker, Streak& streak) {
  if (worker && worker->process.alive()) return true;
  if (worker) {
    log::warn("worker.died_idle", {{"pid", worker->process.pid()}});
    dismiss(worker);
    ++streak.deaths;
  }
  pause(streak.deaths + streak.failed_starts);
  if (ending) return false;
  Result<Worker> started = start();
  if (started) {
    streak.failed_starts = 0;
    roster.came(started->process.pid());
    worker.emplace(std::move(*started));
    return true;
  }
  ++streak.failed_starts;
  roster.troubled(started.error().message);
  log::warn_every(10s, "worker.start_failed", {{"reason", started.error().message}, {"failures", streak.failed_starts}});
  if (streak.failed_starts >= kHopelessStarts && roster.pids().empty()) refuse_waiting({Code::kUnavailable, started.error().message});
  return false;
}

Result<Worker> WorkerPool::State::start() {
  MAGPIE_TRY(ChildProcess process, ChildProcess::start(options.command));
  if (auto greeted = greet(process); !greeted) {
    const ChildProcess::End end = process.finish(Deadline::after(kEndTimeMax));
    if (greeted.error().code != Code::kCorrupt) return Failure(std::move(greeted).error());
    return fail(Code::kUnavailable, "a worker ended before it was ready ({})", death_error(end).message);
  }
  return Worker{std::move(process)};
}

// kCorrupt when the child says nothing sensible, its own error when it cannot work.
Result<void> WorkerPool::State::greet(ChildProcess& process) {
  const Deadline deadline = Deadline::after(options.start_time_max);
  const std::string message = encode_start({::getpid(), options.sandbox, options.config});
  if (!send_frame(process.socket(), {.kind = kFrameStart}, message, -1, deadline)) return fail(Code::kCorrupt, "it does not listen");
  Result<std::optional<Frame>> reply = receive_frame(process.socket(), kConfigBytesMax, deadline);
  if (!reply && reply.error().code == Code::kTimeout) return fail(Code::kUnavailable, "a worker was not ready in time");
  if (!reply || !*reply) return fail(Code::kCorrupt, "it went away");
  if ((*reply)->header.kind == kFrameReady) return {};
  if ((*reply)->header.kind == kFrameError) return Failure(decode_error((*reply)->payload));
  return fail(Code::kCorrupt, "it answers nonsense");
}

void WorkerPool::State::run(std::optional<Worker>& worker, Job& job, Streak& streak) {
  const auto begun = Deadline::Clock::now();
  bool lost = false;
  Result<std::string> answer = exchange(*worker, job.request, lost);
  if (counts.answers != nullptr) {
    (lost ? counts.failures : counts.answers)->add();
    counts.seconds->observe(std::chrono::duration<double>(Deadline::Clock::now() - begun).count());
  }
  streak.deaths = lost ? streak.deaths + 1 : 0;
  if (lost) {
    worker.reset();
  } else {
    retire_if_worn(worker);
  }
  job.done(std::move(answer));
}

// Sets `lost` when the child is gone afterwards.
Result<std::string> WorkerPool::State::exchange(Worker& worker, const WorkRequest& request, bool& lost) {
  const Deadline deadline = Deadline::after(request.time_max);
  FrameHeader header{.kind = request.kind, .file_offset = request.file_offset, .file_size = request.file_size};
  header.time_max_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(request.time_max.count(), 1, UINT32_MAX));
  const int file = request.file ? request.file->get() : -1;
  ++worker.requests;
  auto sent = send_frame(worker.process.socket(), header, request.payload, file, deadline);
  Result<std::optional<Frame>> reply = sent ? receive_frame(worker.process.socket(), options.answer_bytes_max, deadline)
                                            : Result<std::optional<Frame>>(Failure(sent.error()));
  if (reply && *reply && (*reply)->header.kind == kFrameAnswer) return std::move((*reply)->payload);
  if (reply && *reply && (*reply)->header.kind == kFrameError) return Failure(decode_error((*reply)->payload));
  lost = true;
  if (reply && *reply && (*reply)->header.kind == kFrameLastError) {
    bury(worker, {});
    return Failure(decode_error((*reply)->payload));
  }
  if (!reply) return bury(worker, reply.error());
  return bury(worker, {Code::kCorrupt, *reply ? fmt::format("an answer of kind {}", (*reply)->header.kind) : "its socket closed"});
}

// Reaps a child that broke its promise and finds the words for what it did.
Failure WorkerPool::State::bury(Worker& worker, const Error& symptom) {
  const pid_t pid = worker.process.pid();
  const bool late = symptom.code == Code::kTimeout;
  const ChildProcess::End end = worker.process.finish(Deadline::after(late ? 0ms : kEndTimeMax));
  roster.went(pid);
  if (counts.deaths != nullptr) counts.deaths->add();
  Error error = death_error(end);
  if (late) error = {Code::kTimeout, "worker took too long and was killed"};
  // It was still alive, or left in order, after nonsense: the nonsense is the cause.
  if (!late && (end.by_us || (!end.by_signal && end.value == 0)))
    error = {Code::kCorrupt, "garbled answer from a worker: " + symptom.message};
  log::debug("worker.lost", {{"pid", pid}, {"reason", error.message}});
  return Failure(std::move(error));
}

void WorkerPool::State::retire_if_worn(std::optional<Worker>& worker) {
  if (worker->requests < options.requests_max && worker->process.resident_bytes() <= options.resident_bytes_max) return;
  log::debug("worker.retired", {{"pid", worker->process.pid()}, {"requests", worker->requests}});
  dismiss(worker);
}

void WorkerPool::State::dismiss(std::optional<Worker>& worker) {
  if (!worker) return;
  roster.went(worker->process.pid());
  worker->process.finish(Deadline::after(kEndTimeMax));
  worker.reset();
}

void WorkerPool::State::refuse_waiting(const Error& reason) {
  while (std::optional<std::shared_ptr<Job>> job = waiting.try_pop()) (*job)->done(Failure(reason));
}

void WorkerPool::State::pause(int failures) {
  if (failures <= kFreeFailures) return;
  const auto wait = std::min(kPauseMax, kPauseMin * (1 << std::min(failures - kFreeFailures - 1, 10)));
  std::unique_lock lock(pause_mutex);
  pause_over.wait_for(lock, wait, [&] { return ending.load(); });
}

WorkerPool::WorkerPool(WorkerPoolOptions options) {
  MAGPIE_CHECK(!options.command.empty(), "a worker pool needs a program to start");
  MAGPIE_CHECK(options.workers >= 1 && options.workers <= kWorkersMax, "{} workers", options.workers);
  MAGPIE_CHECK(options.config.size() <= kConfigBytesMax, "worker configuration of {} bytes", options.config.size());
  state_ = std::make_unique<State>(std::move(options));
  for (std::size_t i = 0; i < state_->options.workers; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->look_after_one(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(state_->pause_mutex);
    state_->ending = true;
  }
  state_->pause_over.notify_all();
  state_->waiting.close();
  state_->threads.clear();  // joins
}

void WorkerPool::submit(WorkRequest request, Done done) {
  MAGPIE_CHECK(request.kind < kFrameStart, "request kind {} belongs to the machinery", request.kind);
  if (request.payload.size() > kFramePayloadBytesMax) {
    return done(fail(Code::kTooLarge, "a request of {} bytes", request.payload.size()));
  }
  auto job = std::make_shared<Job>(Job{std::move(request), std::move(done)});
  if (!state_->waiting.push(job)) job->done(fail(Code::kCancelled, "the worker pool is closing"));
}

Result<std::string> WorkerPool::call(WorkRequest request) {
  // Shared: set_value() may still be running when get() has returned.
  const auto answered = std::make_shared<std::promise<Result<std::string>>>();
  std::future<Result<std::string>> answer = answered->get_future();
  submit(std::move(request), [answered](Result<std::string> result) { answered->set_value(std::move(result)); });
  return answer.get();
}

std::string WorkerPool::trouble() const { return state_->roster.trouble(); }
std::vector<pid_t> WorkerPool::pids() const { return state_->roster.pids(); }
Result<void> WorkerPool::wait_ready(Deadline deadline) { return state_->roster.wait_for(state_->options.workers, deadline); }

}  // namespace magpie
