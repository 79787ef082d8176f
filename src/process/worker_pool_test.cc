#include "process/worker_pool.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <future>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "process/misbehaving_worker_for_test.h"

namespace magpie {
namespace {

using test::Misdeed;
using testing::HasSubstr;
using testing::StartsWith;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

WorkerPoolOptions one_worker() {
  WorkerPoolOptions options;
  options.command = {MAGPIE_TEST_WORKER};
  options.workers = 1;
  options.sandbox.memory_bytes = 256ull << 20;
  return options;
}

Result<std::string> ask(WorkerPool& pool, Misdeed what, std::string payload = "", std::chrono::milliseconds time_max = 20s) {
  return pool.call({.kind = what, .payload = std::move(payload), .time_max = time_max});
}

// After whatever happened before, the pool still answers.
void expect_alive(WorkerPool& pool) {
  const Result<std::string> answer = ask(pool, test::kEcho, "still here");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "still here");
}

TEST(WorkerPool, AnswersAreTheHandlersBytes) {
  WorkerPool pool(one_worker());
  const std::string bytes("\0\xff magpie", 9);
  EXPECT_EQ(*ask(pool, test::kEcho, bytes), bytes);
  EXPECT_EQ(*ask(pool, test::kEcho, ""), "");
}

TEST(WorkerPool, LargePayloadsGoThereAndBack) {
  WorkerPool pool(one_worker());
  const std::string bytes(9 << 20, 'm');
  const Result<std::string> answer = ask(pool, test::kEcho, bytes);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(*answer == bytes);
}

TEST(WorkerPool, OneProcessServesManyRequests) {
  WorkerPool pool(one_worker());
  const std::string first = *ask(pool, test::kProcessId);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(*ask(pool, test::kProcessId), first);
  EXPECT_EQ(pool.pids(), std::vector<pid_t>{static_cast<pid_t>(std::stol(first))});
}

TEST(WorkerPool, ASliceOfAFileIsReadFromItsDescriptor) {
  WorkerPool pool(one_worker());
  const std::string path = testing::TempDir() + "/magpie_slice_" + std::to_string(::getpid());
  ASSERT_TRUE(write_file_atomic(path, "0123456789"));
  auto file = std::make_shared<const UniqueFd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ::unlink(path.c_str());
  const Result<std::string> answer = pool.call({.kind = test::kReadSlice, .file = file, .file_offset = 3, .file_size = 4});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, "3456");
}

struct Misfortune {
  Misdeed what;
  std::string payload;
  Code code;
  std::string words;
};

class WorkerPoolSurvives : public testing::TestWithParam<Misfortune> {};

TEST_P(WorkerPoolSurvives, AndSaysWhatHappened) {
  const Misfortune& misfortune = GetParam();
  if (kSanitized && (misfortune.what == test::kAllocate || misfortune.what == test::kAllocateAsC || misfortune.what == test::kCrash)) {
    GTEST_SKIP() << "a sanitizer takes the signal and has no memory limit";
  }
  WorkerPool pool(one_worker());
  const Result<std::string> answer = ask(pool, misfortune.what, misfortune.payload);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, misfortune.code);
  EXPECT_THAT(answer.error().message, HasSubstr(misfortune.words));
  expect_alive(pool);
}

INSTANTIATE_TEST_SUITE_P(Misdeeds, WorkerPoolSurvives,
                         testing::Values(Misfortune{test::kCrash, "", Code::kInternal, "worker crashed: SIGSEGV"},
                                         Misfortune{test::kAbort, "", Code::kInternal, "worker crashed: SIGABRT"},
                                         Misfortune{test::kAllocate, "", Code::kTooLarge, "out of memory"},
                                         Misfortune{test::kAllocateAsC, "", Code::kTooLarge, "out of memory"},
                                         Misfortune{test::kKillSelf, "", Code::kTooLarge, "out of memory (the system"},
                                         Misfortune{test::kExit, "7", Code::kInternal, "exited with 7"},
                                         Misfortune{test::kGarbage, "", Code::kCorrupt, "garbled answer"},
                                         Misfortune{test::kLongAnswer, "70000000", Code::kCorrupt, "garbled answer"},
                                         Misfortune{test::kThrow, "", Code::kInternal, "on purpose"},
                                         Misfortune{test::kTrace, "", Code::kInternal, "worker crashed: SIGSYS"}),
                         [](const auto& one) { return fmt::format("Misdeed{}", static_cast<int>(one.param.what)); });

TEST(WorkerPool, AHangingWorkerIsKilledAtItsDeadline) {
  WorkerPool pool(one_worker());
  const Result<std::string> answer = ask(pool, test::kHang, "", 100ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kTimeout);
  expect_alive(pool);
}

// Quick requests travel together, and must not die together.
class WorkerPoolCrash : public testing::TestWithParam<bool> {};

TEST_P(WorkerPoolCrash, CostsItsOwnRequestOnly) {
  WorkerPoolOptions options = one_worker();
  options.workers = 2;
  options.waiting_max = GetParam() ? 40 : 4;  // submitting waits, nothing is dropped
  BoundedQueue<std::pair<int, bool>> done(100);
  WorkerPool pool(options);
  for (int i = 0; i < 40; ++i) {
    const Misdeed what = i % 8 == 3 ? test::kAbort : test::kEcho;
    pool.submit({.kind = what, .payload = std::to_string(i), .quick = GetParam()}, [&done, i](Result<std::string> answer) {
      done.push({i, answer && *answer == std::to_string(i)});
    });
  }
  std::vector<int> lost;
  for (int i = 0; i < 40; ++i) {
    const auto one = done.pop_until(Deadline::after(60s));
    ASSERT_TRUE(one);
    if (!one->second) lost.push_back(one->first);
  }
  std::sort(lost.begin(), lost.end());
  EXPECT_EQ(lost, (std::vector<int>{3, 11, 19, 27, 35}));
}

INSTANTIATE_TEST_SUITE_P(OneByOneAndTogether, WorkerPoolCrash, testing::Bool(),
                         [](const auto& one) { return one.param ? "Together" : "OneByOne"; });

TEST(WorkerPool, QuickRequestsAreAnsweredInTheirOrder) {
  WorkerPoolOptions options = one_worker();
  options.waiting_max = 200;
  BoundedQueue<std::string> done(200);
  WorkerPool pool(options);  // ends first: its last answer may still be on its way out of push()
  for (int i = 0; i < 200; ++i) {
    // Short ones, some that do not fit beside others, and one that takes another way in between.
    const std::string payload = std::to_string(i) + std::string(i % 7 == 0 ? 60'000 : 10, '.');
    pool.submit({.kind = test::kEcho, .payload = payload, .quick = i != 100}, [&done, payload](Result<std::string> answer) {
      done.push(answer && *answer == payload ? payload.substr(0, payload.find('.')) : "wrong");
    });
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(done.pop_until(Deadline::after(60s)), std::to_string(i));
}

TEST(WorkerPool, AnAnswerTooManyIsNotTakenForTheNextRequests) {
  WorkerPool pool(one_worker());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ask(pool, test::kTwoAnswers).value_or("none"), "first");
    EXPECT_EQ(ask(pool, test::kEcho, "mine").value_or("none"), "mine");
  }
}

TEST(WorkerPool, AWorkerKilledWhileIdleIsReplaced) {
  WorkerPool pool(one_worker());
  const std::string first = *ask(pool, test::kProcessId);
  const auto pid = static_cast<pid_t>(std::stol(first));
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ::kill(pid, SIGKILL);
  pollfd one{handle.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&one, 1, 10'000), 1);
  const Result<std::string> second = ask(pool, test::kProcessId);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(*second, first);
}

TEST(WorkerPool, AWornWorkerIsReplaced) {
  WorkerPoolOptions options = one_worker();
  options.requests_max = 3;
  WorkerPool pool(options);
  const std::string first = *ask(pool, test::kProcessId);
  EXPECT_EQ(*ask(pool, test::kProcessId), first);
  EXPECT_EQ(*ask(pool, test::kProcessId), first);
  EXPECT_NE(*ask(pool, test::kProcessId), first);
}

TEST(WorkerPool, AWorkerThatGrewIsReplaced) {
  WorkerPoolOptions options = one_worker();
  options.resident_bytes_max = kSanitized ? 512ull << 20 : 64ull << 20;
  WorkerPool pool(options);
  const std::string first = *ask(pool, test::kProcessId);
  EXPECT_TRUE(ask(pool, test::kGrow, kSanitized ? "600000000" : "100000000"));
  EXPECT_NE(*ask(pool, test::kProcessId), first);
}

TEST(WorkerPool, MayStartWithTheFirstRequest) {
  WorkerPoolOptions options = one_worker();
  options.workers = 2;
  options.start_at_once = false;
  WorkerPool pool(options);
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(pool.pids().empty());
  const Result<std::string> first = ask(pool, test::kProcessId);
  ASSERT_TRUE(first);
  EXPECT_EQ(pool.pids().size(), 1u);
  options.config = "refuse";
  WorkerPool hopeless(options);
  EXPECT_EQ(hopeless.trouble(), "");
  EXPECT_EQ(ask(hopeless, test::kEcho).error().code, Code::kUnavailable);
  EXPECT_THAT(hopeless.trouble(), HasSubstr("no model in nowhere"));
}

TEST(WorkerPool, SaysWhyWorkersCannotStart) {
  WorkerPoolOptions options = one_worker();
  options.config = "refuse";
  WorkerPool pool(options);
  const Result<std::string> answer = ask(pool, test::kEcho);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("no model in nowhere"));
  EXPECT_THAT(pool.trouble(), HasSubstr("no model in nowhere"));
  EXPECT_FALSE(pool.wait_ready(Deadline::after(10s)));
}

TEST(WorkerPool, NamesAProgramThatIsNotThereOrDiesAtOnce) {
  WorkerPoolOptions options = one_worker();
  options.command = {"/nowhere/magpie"};
  EXPECT_THAT(ask(*std::make_unique<WorkerPool>(options), test::kEcho).error().message, HasSubstr("/nowhere/magpie"));
  options = one_worker();
  options.config = "die";
  EXPECT_THAT(ask(*std::make_unique<WorkerPool>(options), test::kEcho).error().message, HasSubstr("exited with 9"));
}

TEST(WorkerPool, ClosingAnswersEverythingThatWaits) {
  std::promise<Code> last;
  {
    WorkerPool pool(one_worker());
    ASSERT_TRUE(pool.wait_ready(Deadline::after(30s)));
    pool.submit({.kind = test::kHang, .time_max = 300ms}, [](const Result<std::string>&) {});
    pool.submit({.kind = test::kEcho},
                [&](const Result<std::string>& answer) { last.set_value(answer ? Code::kInternal : answer.error().code); });
  }
  EXPECT_EQ(last.get_future().get(), Code::kCancelled);
}

TEST(WorkerPool, CountsAnswersAndFailures) {
  MetricsRegistry metrics;
  WorkerPoolOptions options = one_worker();
  options.metrics = &metrics;
  WorkerPool pool(options);
  (void)ask(pool, test::kEcho);
  (void)ask(pool, test::kAbort);
  EXPECT_THAT(metrics.text(), HasSubstr("magpie_worker_answers_total 1"));
  EXPECT_THAT(metrics.text(), HasSubstr("magpie_worker_failures_total 1"));
}

TEST(WorkerPool, NoWorkerOutlivesItsManager) {
  FILE* manager = ::popen((std::string(MAGPIE_TEST_WORKER) + " --manage " + MAGPIE_TEST_WORKER).c_str(), "r");
  ASSERT_NE(manager, nullptr);
  int pid = 0;
  EXPECT_EQ(std::fscanf(manager, "%d", &pid), 1);
  const UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (handle) {
    pollfd one{handle.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&one, 1, 10'000), 1) << "worker " << pid << " still runs";
  } else {
    EXPECT_EQ(errno, ESRCH);  // gone already
  }
  ::pclose(manager);
}

struct Attempt {
  Misdeed what;
  std::string payload;
  int result;  // errno, 0 for allowed
};

class Sandbox : public testing::TestWithParam<Attempt> {};

TEST_P(Sandbox, LetsAWorkerComputeAndNothingElse) {
  if (!probe_sandbox().seccomp) GTEST_SKIP() << "this kernel has no seccomp";
  WorkerPool pool(one_worker());
  const Result<std::string> answer = ask(pool, GetParam().what, GetParam().payload);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, std::to_string(GetParam().result));
}

INSTANTIATE_TEST_SUITE_P(Attempts, Sandbox,
                         testing::Values(Attempt{test::kOpenSocket, "", EPERM},
                                         Attempt{test::kWriteFile, "/tmp/magpie_must_not_exist", EPERM}, Attempt{test::kFork, "", EPERM},
                                         Attempt{test::kRunProgram, "", EPERM}, Attempt{test::kSignalParent, "", EPERM},
                                         Attempt{test::kStartThread, "", 0},
                                         Attempt{test::kOpenForReading, "/usr/share/common-licenses/GPL-2", 0}),
                         [](const auto& one) { return fmt::format("Misdeed{}", static_cast<int>(one.param.what)); });

TEST(SandboxFiles, OutsideTheReadableFoldersAreHiddenWhereTheKernelCan) {
  if (!probe_sandbox().landlock) GTEST_SKIP() << "this kernel has no landlock";
  WorkerPool pool(one_worker());
  EXPECT_EQ(*ask(pool, test::kOpenForReading, "/etc/passwd"), std::to_string(EACCES));
}

TEST(SandboxOff, LeavesTheMemoryLimitOnly) {
  WorkerPoolOptions options = one_worker();
  options.sandbox.enabled = false;
  WorkerPool pool(options);
  EXPECT_EQ(*ask(pool, test::kOpenSocket), "0");
  if (kSanitized) return;
  EXPECT_EQ(ask(pool, test::kAllocate).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace magpie
