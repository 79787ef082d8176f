#include "signals.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"

namespace magpie::cmd {
namespace {

volatile std::sig_atomic_t g_seen = 0;
int g_writer = -1;

extern "C" void note_signal(int) {
  g_seen = g_seen + 1;
  if (g_seen > 2) ::_exit(130);
  const char byte = 1;
  [[maybe_unused]] const ssize_t put = ::write(g_writer, &byte, 1);
}

}  // namespace

StopSignals::StopSignals() {
  int ends[2];
  MAGPIE_CHECK(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "a pipe for signals");
  reader_ = UniqueFd(ends[0]);
  g_writer = ends[1];
  g_seen = 0;
  std::signal(SIGINT, note_signal);
  std::signal(SIGTERM, note_signal);
}

StopSignals::~StopSignals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  ::close(g_writer);
  g_writer = -1;
}

bool StopSignals::wait(Deadline deadline) {
  pollfd ready{reader_.get(), POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(deadline.left().count())) <= 0) return false;
  char bytes[16];
  while (::read(reader_.get(), bytes, sizeof bytes) > 0) {}
  return true;
}

}  // namespace magpie::cmd
