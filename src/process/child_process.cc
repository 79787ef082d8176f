#include "process/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ;

namespace magpie {
namespace {

constexpr int kChildSocket = 3;
// Nothing else of the environment reaches a process that handles foreign bytes.
constexpr std::array<std::string_view, 12> kKeptVariables = {"MAGPIE_",
                                                             "LANG=",
                                                             "LC_",
                                                             "TZ=",
                                                             "LD_LIBRARY_PATH=",
                                                             "ASAN_OPTIONS=",
                                                             "TSAN_OPTIONS=",
                                                             "UBSAN_OPTIONS=",
                                                             "LLVM_PROFILE_FILE=",
                                                             "XDG_DATA_DIRS=",
                                                             "FONTCONFIG_",
                                                             "PATH="};

std::vector<char*> kept_environment() {
  std::vector<char*> kept;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    for (const std::string_view prefix : kKeptVariables) {
      if (std::string_view(*variable).starts_with(prefix)) kept.push_back(*variable);
    }
  }
  kept.push_back(nullptr);
  return kept;
}

// posix_spawn's two option objects, freed with the scope.
class SpawnOptions {
 public:
  SpawnOptions() {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  /// Descriptors 0 and 1 nowhere, 2 as ours, 3 the socket, nothing beyond; signals as a fresh program expects them.
  int fill(int socket, const ChildOptions& child) {
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    const int last = kChildSocket + (child.socket_twice ? 1 : 0);
    const int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (child.own_group ? POSIX_SPAWN_SETPGROUP : 0);
    int error = ::posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0) error = ::posix_spawn_file_actions_addopen(&files_, 1, "/dev/null", O_WRONLY, 0);
    if (error == 0 && !child.errors_to.empty())
      error = ::posix_spawn_file_actions_addopen(&files_, 2, child.errors_to.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (error == 0) error = ::posix_spawn_file_actions_adddup2(&files_, socket, kChildSocket);
    if (error == 0 && child.socket_twice) error = ::posix_spawn_file_actions_adddup2(&files_, kChildSocket, last);
    if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(&files_, last + 1);
    if (error == 0) error = ::posix_spawnattr_setsigdefault(&attributes_, &all);
    if (error == 0) error = ::posix_spawnattr_setsigmask(&attributes_, &none);
    if (error == 0 && child.own_group) error = ::posix_spawnattr_setpgroup(&attributes_, 0);
    if (error == 0) error = ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    return error;
  }
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

Result<pid_t> spawn(const std::vector<std::string>& command, const ChildOptions& child, int socket) {
  const std::string number = std::to_string(kChildSocket);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  if (child.told_descriptor) {
    for (const char* word : {"--fd", number.c_str()}) arguments.push_back(const_cast<char*>(word));
  }
  arguments.push_back(nullptr);
  std::vector<char*> environment = kept_environment();
  for (const std::string& variable : child.variables) environment.insert(environment.begin(), const_cast<char*>(variable.c_str()));
  SpawnOptions options;
  pid_t pid = -1;
  int error = options.fill(socket, child);
  if (error == 0) error = ::posix_spawn(&pid, arguments[0], options.files(), options.attributes(), arguments.data(), environment.data());
  if (error != 0) return fail(Code::kUnavailable, "{} cannot be started: {}", command[0], std::strerror(error));
  return pid;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command, const ChildOptions& options) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail_errno("socketpair");
  // The pool sends up to 64 KB before it reads; a system's default may be less.
  constexpr int kSocketBytes = 256 << 10;
  for (const int end : pair) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes);
  UniqueFd ours(pair[0]);
  const UniqueFd theirs(pair[1]);
  MAGPIE_TRY(pid_t pid, spawn(command, options, theirs.get()));
  UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const bool has_handle = static_cast<bool>(handle);
  const int reason = errno;
  ChildProcess child(pid, options.own_group, std::move(ours), std::move(handle));
  if (!has_handle) return fail(Code::kUnavailable, "pidfd_open: {}", std::strerror(reason));
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      own_group_(other.own_group_),
      socket_(std::move(other.socket_)),
      handle_(std::move(other.handle_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    abandon();
    pid_ = std::exchange(other.pid_, -1);
    own_group_ = other.own_group_;
    socket_ = std::move(other.socket_);
    handle_ = std::move(other.handle_);
  }
  return *this;
}

ChildProcess::~ChildProcess() { abandon(); }

void ChildProcess::abandon() {
  if (pid_ >= 0) finish(Deadline::after(0ms));
}

bool ChildProcess::alive() const {
  pollfd one{handle_.get(), POLLIN, 0};
  return pid_ >= 0 && ::poll(&one, 1, 0) == 0;
}

std::uint64_t ChildProcess::resident_bytes() const {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/statm", pid_), 4'096);
  if (!text) return 0;
  const std::size_t space = text->find(' ');
  if (space == std::string::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

ChildProcess::End ChildProcess::finish(Deadline deadline) {
  socket_.reset();
  pollfd one{handle_.get(), POLLIN, 0};
  int ready = 0;
  do { ready = handle_ ? ::poll(&one, 1, static_cast<int>(deadline.left().count())) : 0; } while (ready < 0 && errno == EINTR);
  End end;
  if (ready <= 0) {
    end.by_us = true;
    ::kill(pid_, SIGKILL);
  }
  if (own_group_) ::kill(-pid_, SIGKILL);  // before it is reaped, so that the number is still its own
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = -1;
  end.by_signal = WIFSIGNALED(status);
  end.value = end.by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

}  // namespace magpie
