#pragma once
// What the misbehaving worker (tests/worker/misbehaving_worker.cc) does on request. Shared with the tests that start it.
#include <cstdint>

namespace magpie::test {

enum Misdeed : std::uint32_t {
  kEcho = 1,  // none: answers the payload
  kCrash,     // writes through a null pointer
  kAbort,
  kHang,         // computes for ever
  kAllocate,     // new until it throws
  kAllocateAsC,  // malloc until it gives nothing, then uses the nothing
  kExit,         // leaves with the payload's number
  kGarbage,      // bytes that are no frame
  kLongAnswer,   // as many bytes as the payload says
  kThrow,
  kKillSelf,    // SIGKILL, as the system does when memory is short
  kGrow,        // keeps as many bytes as the payload says, and answers
  kOpenSocket,  // these and the following answer 0 when they were let, else errno
  kWriteFile,
  kOpenForReading,  // the payload's path
  kFork,
  kRunProgram,
  kSignalParent,
  kStartThread,
  kTrace,       // ptrace: deadly
  kReadSlice,   // answers the bytes of the file's slice
  kTwoAnswers,  // one more than asked for
  kProcessId,
};

}  // namespace magpie::test
