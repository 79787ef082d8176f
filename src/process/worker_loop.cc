#include "process/worker_loop.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <new>

#include "base/log.h"
#include "process/exit_codes.h"
#include "process/frame.h"
#include "process/sandbox.h"
#include "process/start_message.h"

namespace magpie {
namespace {

constexpr std::size_t kStartBytesMax = 2 << 20;
constexpr std::size_t kRoomProbeBytes = 16 << 20;

// A library that gets no memory often crashes instead of saying so. When there is no room for 16 MiB more, that is what happened.
// Only system calls here: this runs on the stack of a crash.
void on_crash(int signal) {
  void* room = ::mmap(nullptr, kRoomProbeBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) ::_exit(kExitOutOfMemory);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
alignas(16) std::array<char, 64 << 10> crash_stack;

void watch_for_crashes() {
  stack_t stack{};
  stack.ss_sp = crash_stack.data();
  stack.ss_size = crash_stack.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGILL, SIGFPE}) ::sigaction(signal, &action, nullptr);
}
#else
void watch_for_crashes() { (void)on_crash; }  // the sanitizer's own report is worth more
#endif

// A sanitizer that looks for leaks at exit needs ptrace, which the sandbox denies.
int leave(int code) {
#if defined(__SANITIZE_ADDRESS__)
  ::_exit(code);
#endif
  return code;
}

// Ctrl-C reaches the whole process group; the manager decides when its workers end, by closing their sockets.
void obey_the_manager_only() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

Result<StartMessage> receive_start(FrameReader& reader) {
  MAGPIE_TRY(auto frame, reader.next(kStartBytesMax, Deadline::never()));
  if (!frame || frame->header.kind != kFrameStart) return fail(Code::kCancelled, "the manager is gone");
  MAGPIE_TRY(StartMessage start, decode_start(frame->payload));
  // The manager may have died before PR_SET_PDEATHSIG was set; then nobody would ever end this process.
  if (::getppid() != start.manager) return fail(Code::kCancelled, "the manager is gone");
  return start;
}

Result<WorkerHandlers> prepare(const StartMessage& start, const WorkerSetup& setup) {
  MAGPIE_TRY(WorkerHandlers handlers, setup(start.config));
  if (handlers.warm_up) MAGPIE_TRY_DO(handlers.warm_up());
  MAGPIE_TRY_DO(enter_sandbox(start.sandbox));
  return handlers;
}

struct Answer {
  Result<std::string> result;
  bool leaving = false;  // this process is not to be trusted with another request
};

Answer answer(const WorkerHandlers& handlers, const Frame& frame) {
  const auto handler = handlers.by_kind.find(frame.header.kind);
  if (handler == handlers.by_kind.end())
    return {fail(Code::kInternal, "this worker has no handler for requests of kind {}", frame.header.kind)};
  WorkerRequest request{
      frame.header.kind, frame.payload, {frame.file.get(), frame.header.file_offset, frame.header.file_size}, Deadline::never()};
  if (frame.header.time_max_ms > 0) request.deadline = Deadline::after(std::chrono::milliseconds(frame.header.time_max_ms));
  try {
    return {handler->second(request)};
  } catch (const std::bad_alloc&) { return {fail(Code::kTooLarge, "out of memory"), true}; } catch (const std::exception& error) {
    return {fail(Code::kInternal, "exception in the worker: {}", error.what()), true};
  }
}

Result<void> send(int socket, const Answer& answer, std::uint64_t request = 0) {
  if (answer.result) return send_frame(socket, {.kind = kFrameAnswer, .request = request}, *answer.result, -1, Deadline::never());
  const std::uint32_t kind = answer.leaving ? kFrameLastError : kFrameError;
  return send_frame(socket, {.kind = kind, .request = request}, encode_error(answer.result.error()), -1, Deadline::never());
}

int serve(int socket, FrameReader& reader, const WorkerHandlers& handlers) {
  while (true) {
    Result<std::optional<Frame>> frame = reader.next(kFramePayloadBytesMax, Deadline::never());
    if (!frame || !*frame) return 0;
    const Answer reply = answer(handlers, **frame);
    if (!send(socket, reply, (*frame)->header.request)) return 0;
    if (reply.leaving) return kExitOutOfMemory;
  }
}

}  // namespace

int run_worker(int fd, const WorkerSetup& setup) {
  obey_the_manager_only();
  watch_for_crashes();
  FrameReader reader(fd);
  Result<StartMessage> start = receive_start(reader);
  if (!start) {
    log::error("worker.start", {{"reason", start.error().message}});
    return kExitFailed;
  }
  Result<WorkerHandlers> handlers = prepare(*start, setup);
  if (!handlers) {
    (void)send(fd, {Failure(handlers.error())});
    return kExitFailed;
  }
  if (!send_frame(fd, {.kind = kFrameReady}, {}, -1, Deadline::never())) return kExitFailed;
  return leave(serve(fd, reader, *handlers));
}

}  // namespace magpie
