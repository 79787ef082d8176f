#pragma once
// HTTP/1.1 for a synthetic web on one thread and epoll: keep-alive, pipelined requests, delays that hold up one connection only, and an
// access log. Made to cost far less than any crawler, so that a benchmark measures the crawler.
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "synthetic_pages.h"

namespace magpie::synthetic {

/// A line a request: "MICROSECONDS HOST PATH STATUS", in order of arrival, written before the answers of the same round are sent.
/// MICROSECONDS are of the epoch; STATUS 0 is a connection that was reset. HOST is as the Host header has it, without port.
class AccessLog {
 public:
  /// Appends to `path`; an empty path logs nothing. Stops at `bytes_max` with a last line "full". kUnavailable when it cannot be opened.
  static Result<AccessLog> open(const std::string& path, std::uint64_t bytes_max);
  void add(std::string_view host, std::string_view path, int status);
  /// Hands what was added to the kernel; the errors of a full disk.
  Result<void> flush();

 private:
  UniqueFd file_;
  std::string waiting_;
  std::uint64_t bytes_left_ = 0;
  bool full_ = false;
};

class Server {
 public:
  /// Listens on `port` of all addresses (0: a free one, see port()), so that each of 127.0.0.0/8 is a host; connections that do not come
  /// from this machine are closed unread. kUnavailable when the port is taken.
  static Result<std::unique_ptr<Server>> listen(std::uint16_t port);
  std::uint16_t port() const { return port_; }

  /// Answers until `stop` is not 0, as a signal handler may make it. Fails when the log cannot be written: a test that counts must not
  /// count too few.
  Result<void> run(Web& web, AccessLog& log, const volatile std::sig_atomic_t& stop);

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Connection {
    UniqueFd socket;
    std::uint64_t serial = 0;  // a descriptor comes again, this does not
    std::string in, out;
    std::size_t sent = 0;
    bool closing = false;  // once `out` is sent
    bool resetting = false;
    bool held = false;  // an answer waits for its time; nothing behind it is read
    bool watched_for_room = false;
  };

  void accept_all();
  void receive(Connection& connection, Web& web, AccessLog& log);
  void answer_all(Connection& connection, Web& web, AccessLog& log);
  void hold(Connection& connection, std::chrono::milliseconds delay);
  void release_held(Web& web, AccessLog& log);
  void send(int socket);
  void watch_for_room(Connection& connection, bool on);
  void let_go(Connection& connection);
  int wait_milliseconds() const;

  UniqueFd listener_, epoll_;
  std::uint16_t port_ = 0;
  std::uint64_t serial_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::multimap<SteadyClock::time_point, std::pair<int, std::uint64_t>> held_;  // socket and serial
  std::vector<int> to_send_;
};

}  // namespace magpie::synthetic
