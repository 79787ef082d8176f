#pragma once
// What a worker process may still do once it has everything open: compute, read files for reading (fonts, modules), answer on its
// socket. It cannot write a file, open a network socket, start a program or a process, or touch another process. Three walls:
//   rlimits   private memory, descriptors, no core file
//   seccomp   an allow-list of system calls (libseccomp); others fail with EPERM, the ones only an attacker wants kill the process
//   landlock  where the kernel has it (5.13+): files outside `readable` cannot even be read (by threads started from then on)
// Works as root in a container and as a plain user, because no_new_privs is all the privilege it needs.
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

struct SandboxOptions {
  bool enabled = true;                      // false: rlimits only (setting worker.sandbox = off)
  std::uint64_t memory_bytes = 1ull << 30;  // private writable memory (RLIMIT_DATA), libraries' own share included; 0: no limit
  std::vector<fs::path> readable = {"/usr", "/etc/fonts", "/var/cache/fontconfig"};  // for landlock; missing ones are passed over
};

/// Shuts the door behind the calling process and all its threads; there is no way back.
/// Load libraries, models and fonts before. kUnavailable, naming what the kernel or container refuses, when seccomp cannot be had.
Result<void> enter_sandbox(const SandboxOptions& options);

struct SandboxSupport {
  bool seccomp = false;
  bool landlock = false;
  std::string words;  // one sentence for `magpie doctor`
};
/// What this kernel and container offer: two system calls.
SandboxSupport probe_sandbox();

}  // namespace magpie
