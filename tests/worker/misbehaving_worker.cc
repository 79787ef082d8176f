// A worker that does on request what a decoder taken over by a hostile picture might do (process/misbehaving_worker_for_test.h).
//   misbehaving_worker --fd N             as the pool starts it
//   misbehaving_worker --manage COMMAND   a manager that starts one worker, sets it to hang, prints its process id, and is killed
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <list>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "process/frame.h"
#include "process/misbehaving_worker_for_test.h"
#include "process/worker_loop.h"
#include "process/worker_pool.h"

namespace magpie::test {
namespace {

std::list<std::string> kept;  // kGrow
std::uint64_t requests = 0;   // as the pool numbers them

std::string verdict(bool allowed) { return std::to_string(allowed ? 0 : errno); }

Result<std::string> crash() {
  volatile int* nothing = nullptr;
  *nothing = 1;
  return std::string();
}

Result<std::string> hang() {
  volatile bool for_ever = true;
  while (for_ever) {}
  return std::string();
}

Result<std::string> allocate() {
  std::list<std::vector<char>> all;
  while (true) all.emplace_back(8 << 20, 'x');
}

Result<std::string> allocate_as_c() {
  while (true) {
    void* room = std::malloc(1 << 20);
    std::memset(room, 1, 1 << 20);
  }
}

Result<std::string> garbage() {
  const std::string noise(1'000, '#');
  (void)!::write(3, noise.data(), noise.size());
  return std::string("late");
}

// What it returns is the second; the first is sent behind the loop's back, and alone long enough to be read alone.
Result<std::string> two_answers() {
  (void)send_frame(3, {.kind = kFrameAnswer, .request = requests}, "first", -1, Deadline::never());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return std::string("second");
}

Result<std::string> start_process() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const std::string answer = verdict(child > 0);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return answer;
}

Result<std::string> run_program() {
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  ::execv(name, arguments);
  return verdict(false);
}

Result<std::string> start_thread() {
  std::thread([] {}).join();
  return std::string("0");
}

Result<std::string> misbehave(const WorkerRequest& request) {
  const std::string payload(request.payload);
  ++requests;
  switch (static_cast<Misdeed>(request.kind)) {
    case kEcho: return payload;
    case kCrash: return crash();
    case kAbort: std::abort();
    case kHang: return hang();
    case kAllocate: return allocate();
    case kAllocateAsC: return allocate_as_c();
    case kExit: ::_exit(std::stoi(payload));
    case kGarbage: return garbage();
    case kTwoAnswers: return two_answers();
    case kLongAnswer: return std::string(std::stoul(payload), 'y');
    case kThrow: throw std::runtime_error("on purpose");
    case kKillSelf: ::raise(SIGKILL); return payload;
    case kGrow: kept.emplace_back(std::stoul(payload), 'z'); return payload;
    case kOpenSocket: return verdict(::socket(AF_INET, SOCK_STREAM, 0) >= 0);
    case kWriteFile: return verdict(::open(payload.c_str(), O_WRONLY | O_CREAT, 0600) >= 0);
    case kOpenForReading: return verdict(::open(payload.c_str(), O_RDONLY) >= 0);
    case kFork: return start_process();
    case kRunProgram: return run_program();
    case kSignalParent: return verdict(::kill(::getppid(), 0) == 0);
    case kStartThread: return start_thread();
    case kTrace: return verdict(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0);
    case kReadSlice: return read_at(request.file.fd, request.file.offset, request.file.size);
    case kProcessId: return std::to_string(::getpid());
  }
  return fail(Code::kInternal, "no such misdeed");
}

Result<WorkerHandlers> set_up(std::string_view config) {
  if (config == "refuse") return fail(Code::kNotFound, "no model in nowhere");
  if (config == "die") ::_exit(9);
  WorkerHandlers handlers;
  for (std::uint32_t kind = kEcho; kind <= kProcessId; ++kind) handlers.by_kind[kind] = misbehave;
  return handlers;
}

int manage(const std::string& command) {
  WorkerPool pool({.command = {command}, .workers = 1});
  const Result<std::string> pid = pool.call({.kind = kProcessId});
  pool.submit({.kind = kHang, .time_max = std::chrono::hours(1)}, [](const Result<std::string>&) {});
  if (pid) std::fprintf(stdout, "%s\n", pid->c_str());
  std::fflush(stdout);
  ::raise(SIGKILL);
  return 0;
}

}  // namespace
}  // namespace magpie::test

int main(int count, char** words) {
  if (count == 3 && std::string(words[1]) == "--manage") return magpie::test::manage(words[2]);
  if (count == 3 && std::string(words[1]) == "--fd") return magpie::run_worker(std::atoi(words[2]), magpie::test::set_up);
  std::fprintf(stderr, "usage: %s --fd N | --manage PROGRAM\n", words[0]);
  return 2;
}
