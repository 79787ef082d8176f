#include "process/worker_pool.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
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
constexpr int kFreeFailures = 2;  // deaths in a row that cost no pause
constexpr std::size_t kTogetherMax = 8;
constexpr std::size_t kTogetherBytesMax = 64 << 10;    // less than a socket holds, so that sending never waits for a child that answers
constexpr std::uint64_t kRequestsPerMemoryCheck = 64;  // of quick requests
constexpr int kHopelessStarts = 3;                     // failed starts in a row after which requests are refused

struct Job {
  WorkRequest request;
  WorkerPool::Done done;
};

// A child that has said it is ready.
struct Worker {
  explicit Worker(ChildProcess child) : process(std::move(child)), reader(process.socket()) {}
  ChildProcess process;
  FrameReader reader;
  std::uint64_t requests = 0;  // sent, numbered from 1
  std::uint64_t answered = 0;
};

// How a child stands after it was asked for an answer.
enum class Fate {
  kLives,
  kLost,   // it died of the request, or had to
  kStray,  // it answered an earlier request again, and had to die; the request is still to be answered
};

using Jobs = std::deque<std::shared_ptr<Job>>;

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
  Result<void> greet(Worker& worker);
  bool ready(std::optional<Worker>& worker, Streak& streak);
  void take_more(Jobs& jobs);
  void run(std::optional<Worker>& worker, Jobs& jobs, Streak& streak);
  Result<void> send_all(Worker& worker, const Jobs& jobs);
  Result<std::string> receive_answer(Worker& worker, Deadline deadline, Fate& fate);
  void refuse(Jobs& jobs, const Error& reason);
  Failure bury(Worker& worker, const Error& symptom);
  void retire_if_worn(std::optional<Worker>& worker, bool quick);
  void dismiss(std::optional<Worker>& worker);
  void refuse_waiting(const Error& reason);
  void pause(int failures);
};

// The life of one of the pool's threads: keep a child ready, give it what waits, mourn it.
void WorkerPool::State::look_after_one() {
  std::optional<Worker> worker;
  Streak streak;
  Jobs jobs;
  while (!ending) {
    if ((worker || options.start_at_once || streak.failed_starts > 0) && !ready(worker, streak)) continue;
    std::optional<std::shared_ptr<Job>> job = waiting.pop_until(Deadline::after(kIdleCheck));
    if (!job) continue;
    jobs.push_back(std::move(*job));
    take_more(jobs);
    // What a dead child has left unanswered goes to the next one. A child may also have died while it waited; requests must not suffer
    // from one failed start.
    while (!jobs.empty()) {
      while (!ending && !ready(worker, streak) && streak.failed_starts < kHopelessStarts) {}
      if (ending) refuse(jobs, {Code::kCancelled, "the worker pool is closing"});
      else if (worker) run(worker, jobs, streak);
      else refuse(jobs, {Code::kUnavailable, roster.trouble()});
    }
  }
  dismiss(worker);
  refuse_waiting({Code::kCancelled, "the worker pool is closing"});
}

// This child's share of the quick requests that wait behind a quick one. A request that is not quick goes last.
void WorkerPool::State::take_more(Jobs& jobs) {
  const std::size_t share = std::min(kTogetherMax, waiting.size() / options.workers + 1);
  std::size_t bytes = jobs.back()->request.payload.size();
  while (jobs.size() < share && jobs.back()->request.quick && bytes < kTogetherBytesMax / 2) {
    std::optional<std::shared_ptr<Job>> job = waiting.try_pop();
    if (!job) return;
    bytes += (*job)->request.payload.size();
    jobs.push_back(std::move(*job));
  }
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
  Worker worker(std::move(process));
  if (auto greeted = greet(worker); !greeted) {
    const ChildProcess::End end = worker.process.finish(Deadline::after(kEndTimeMax));
    if (greeted.error().code != Code::kCorrupt) return Failure(std::move(greeted).error());
    return fail(Code::kUnavailable, "a worker ended before it was ready ({})", death_error(end).message);
  }
  return worker;
}

// kCorrupt when the child says nothing sensible, its own error when it cannot work.
Result<void> WorkerPool::State::greet(Worker& worker) {
  const Deadline deadline = Deadline::after(options.start_time_max);
  const std::string message = encode_start({::getpid(), options.sandbox, options.config});
  if (!send_frame(worker.process.socket(), {.kind = kFrameStart}, message, -1, deadline)) return fail(Code::kCorrupt, "it does not listen");
  Result<std::optional<Frame>> reply = worker.reader.next(kConfigBytesMax, deadline);
  if (!reply && reply.error().code == Code::kTimeout) return fail(Code::kUnavailable, "a worker was not ready in time");
  if (!reply || !*reply) return fail(Code::kCorrupt, "it went away");
  if ((*reply)->header.kind == kFrameReady) return {};
  if ((*reply)->header.kind != kFrameError) return fail(Code::kCorrupt, "it answers nonsense");
  Error own = decode_error((*reply)->payload);
  if (own.code == Code::kCorrupt) own.code = Code::kUnavailable;  // a damaged model, say, and no nonsense
  return Failure(std::move(own));
}

// Gives the child what can travel together, from the front of `jobs`, and takes its answers. When it dies, what it has not answered
// stays in `jobs`, but for the one it died of.
void WorkerPool::State::run(std::optional<Worker>& worker, Jobs& jobs, Streak& streak) {
  Jobs sent;
  std::size_t bytes = 0;
  do {
    bytes += jobs.front()->request.payload.size();
    sent.push_back(std::move(jobs.front()));
    jobs.pop_front();
  } while (!jobs.empty() && sent.back()->request.quick && jobs.front()->request.quick &&
           bytes + jobs.front()->request.payload.size() <= kTogetherBytesMax);
  const auto sending = send_all(*worker, sent);
  while (!sent.empty() && worker) {
    const std::shared_ptr<Job> job = std::move(sent.front());
    sent.pop_front();
    const auto begun = Deadline::Clock::now();
    Fate fate = sending ? Fate::kLives : Fate::kLost;
    Result<std::string> answer = fail(Code::kInternal, "");
    if (sending) answer = receive_answer(*worker, Deadline::after(job->request.time_max), fate);
    else answer = bury(*worker, sending.error());
    const bool lost = fate != Fate::kLives;
    if (counts.answers != nullptr && fate != Fate::kStray) {
      (lost ? counts.failures : counts.answers)->add();
      counts.seconds->observe(std::chrono::duration<double>(Deadline::Clock::now() - begun).count());
    }
    streak.deaths = lost ? streak.deaths + 1 : 0;
    if (lost) worker.reset();
    else if (sent.empty()) retire_if_worn(worker, job->request.quick);
    if (fate == Fate::kStray) sent.push_front(job);
    else job->done(std::move(answer));
  }
  jobs.insert(jobs.begin(), sent.begin(), sent.end());
}

Result<void> WorkerPool::State::send_all(Worker& worker, const Jobs& jobs) {
  const auto header_of = [&](const WorkRequest& request) {
    FrameHeader header{
        .kind = request.kind, .file_offset = request.file_offset, .file_size = request.file_size, .request = ++worker.requests};
    header.time_max_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(request.time_max.count(), 1, UINT32_MAX));
    return header;
  };
  const WorkRequest& first = jobs.front()->request;
  const Deadline deadline = Deadline::after(first.time_max);
  if (jobs.size() == 1) {
    const int file = first.file ? first.file->get() : -1;
    return send_frame(worker.process.socket(), header_of(first), first.payload, file, deadline);
  }
  std::string frames;
  for (const auto& job : jobs) append_frame(frames, header_of(job->request), job->request.payload);
  return send_frames(worker.process.socket(), frames, deadline);
}

// The answer to the oldest request that has none yet. The child is gone afterwards unless it lives.
Result<std::string> WorkerPool::State::receive_answer(Worker& worker, Deadline deadline, Fate& fate) {
  Result<std::optional<Frame>> reply = worker.reader.next(options.answer_bytes_max, deadline);
  const std::uint64_t expected = ++worker.answered;
  if (reply && *reply && (*reply)->header.request != expected) {
    fate = (*reply)->header.request < expected && expected > 1 ? Fate::kStray : Fate::kLost;
    return bury(worker, {Code::kCorrupt, "an answer that nobody asked for"});
  }
  if (reply && *reply && (*reply)->header.kind == kFrameAnswer) return std::move((*reply)->payload);
  if (reply && *reply && (*reply)->header.kind == kFrameError) return Failure(decode_error((*reply)->payload));
  fate = Fate::kLost;
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

void WorkerPool::State::retire_if_worn(std::optional<Worker>& worker, bool quick) {
  if (quick && worker->requests % kRequestsPerMemoryCheck >= kTogetherMax && worker->requests < options.requests_max) return;
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

void WorkerPool::State::refuse(Jobs& jobs, const Error& reason) {
  for (const auto& job : jobs) job->done(Failure(reason));
  jobs.clear();
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
