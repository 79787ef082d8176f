#pragma once
// How a worker process says why it ended. Seen only by its own manager.

namespace magpie {

inline constexpr int kExitFailed = 3;        // set-up failed; the reason went over the socket
inline constexpr int kExitOutOfMemory = 44;  // over SandboxOptions::memory_bytes

}  // namespace magpie
