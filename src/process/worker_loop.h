#pragma once
// The worker's side: one process, one socket, one request after the other. It is told by its first message what to load and how to lock
// itself in, answers "ready", and then answers requests until its socket ends, which is how its manager stops it. If the manager
// dies, the kernel kills the worker (PR_SET_PDEATHSIG).
//
//   int worker_command(int fd) {
//     return run_worker(fd, [](std::string_view config) -> Result<WorkerHandlers> { … load models … });
//   }
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"

namespace magpie {

/// Part of an open file that came with a request, for example a record in the archive. Borrowed for the handler's call.
struct FileSlice {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct WorkerRequest {
  std::uint32_t kind = 0;
  std::string_view payload;               // borrowed for the call
  FileSlice file;                         // fd -1: none came
  Deadline deadline = Deadline::never();  // the manager kills the worker when it passes; giving up a little before is cheaper
};

/// Answers one kind of request. An error is an answer too and travels to the caller as it is. Exceptions are caught by the loop:
/// std::bad_alloc becomes "out of memory" (and a new process), others kInternal.
using WorkerHandler = std::function<Result<std::string>(const WorkerRequest&)>;

struct WorkerHandlers {
  std::map<std::uint32_t, WorkerHandler> by_kind;
  /// Called once before the sandbox closes: touch whatever opens files or starts threads late (a dummy decode, a dummy inference).
  std::function<Result<void>()> warm_up;
};

/// Makes the handlers. `config` is the pool's WorkerPoolOptions::config, whatever the application put in it.
using WorkerSetup = std::function<Result<WorkerHandlers>(std::string_view config)>;

/// Runs until the socket `fd` ends. Returns the process's exit code: 0 after an orderly end, 3 when set-up failed (the manager has
/// been told why). Never call it in a process that should live on: it closes the door behind itself (process/sandbox.h).
int run_worker(int fd, const WorkerSetup& setup);

}  // namespace magpie
