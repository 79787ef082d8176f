#pragma once
// One worker process as its manager sees it: a program started with one end of a socket pair as descriptor 3, and nothing else of
// ours open. The kernel kills it when the thread that started it ends, so that thread must look after it.
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/files.h"
#include "base/result.h"

namespace magpie {

/// How other programs than our own are started.
struct ChildOptions {
  bool told_descriptor = true;           // {"--fd", "3"} behind the command
  bool socket_twice = false;             // the socket is descriptor 4, too, for programs that read from one and write to another
  bool own_group = false;                // leads a process group, which ends with it
  fs::path errors_to{};                  // a file for its standard error; empty: ours
  std::vector<std::string> variables{};  // "NAME=value" beside what is kept of our environment
};

/// Not thread-safe; movable. The destructor kills and reaps.
class ChildProcess {
 public:
  /// Starts `command` + {"--fd", "3"}. Its environment keeps MAGPIE_*, language, and what loaders and sanitizers need; its standard
  /// input and output are /dev/null. kUnavailable with the reason.
  static Result<ChildProcess> start(const std::vector<std::string>& command, const ChildOptions& options = {});
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  int socket() const { return socket_.get(); }
  /// False once it has ended by whatever cause.
  bool alive() const;
  /// Bytes of memory it holds now; 0 when it cannot be told.
  std::uint64_t resident_bytes() const;

  struct End {
    bool by_signal = false;
    int value = 0;       // signal or exit code
    bool by_us = false;  // it had to be killed
  };
  /// Closes the socket and reaps the process, killing it at the deadline. Call once.
  End finish(Deadline deadline);

 private:
  ChildProcess(pid_t pid, bool own_group, UniqueFd socket, UniqueFd handle)
      : pid_(pid), own_group_(own_group), socket_(std::move(socket)), handle_(std::move(handle)) {}
  void abandon();

  pid_t pid_ = -1;
  bool own_group_ = false;
  UniqueFd socket_;
  UniqueFd handle_;  // pidfd: readable once the process has ended
};

/// "SIGSEGV" for 11; "signal 99" for what has no name.
std::string signal_name(int signal);

}  // namespace magpie
