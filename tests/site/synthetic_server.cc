#include "synthetic_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace magpie::synthetic {
namespace {

constexpr std::size_t kHeadBytesMax = 64 << 10;
constexpr std::size_t kWaitingBytesMax = 1 << 20;  // answers not yet taken; a client that pipelines more is read again when they are
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_named(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' && strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view value_of(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
  return line;
}

/// What of a request head an answer depends on. A target with scheme and host, as proxies are sent it, is not understood and gives 404.
Request parse(std::string_view head) {
  Request request;
  std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t method_end = line.find(' '), path_end = line.rfind(' ');
  request.method = line.substr(0, method_end);
  if (method_end != line.npos && path_end > method_end) request.path = line.substr(method_end + 1, path_end - method_end - 1);
  request.keep_alive = line.ends_with("HTTP/1.1");
  for (head.remove_prefix(line.size()); head.starts_with("\r\n"); head.remove_prefix(line.size())) {
    head.remove_prefix(2);
    line = head.substr(0, head.find("\r\n"));
    if (is_named(line, "Host")) request.host = value_of(line);
    else if (is_named(line, "If-None-Match")) request.if_none_match = value_of(line);
    else if (is_named(line, "If-Modified-Since")) request.if_modified_since = value_of(line);
    else if (is_named(line, "Connection")) {
      const std::string_view word = value_of(line);
      if (strncasecmp(word.data(), "close", std::min<std::size_t>(word.size(), 5)) == 0) request.keep_alive = false;
      if (word.size() == 10 && strncasecmp(word.data(), "keep-alive", 10) == 0) request.keep_alive = true;
    }
  }
  return request;
}

}  // namespace

// ---- log ------------------------------------------------------------------------------------------------------------

Result<AccessLog> AccessLog::open(const std::string& path, std::uint64_t bytes_max) {
  AccessLog log;
  log.bytes_left_ = bytes_max;
  if (path.empty()) return log;
  log.file_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.file_) return fail_errno(path);
  return log;
}

void AccessLog::add(std::string_view host, std::string_view path, int status) {
  if (!file_ || full_) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::size_t before = waiting_.size();
  fmt::format_to(std::back_inserter(waiting_), "{} {} {} {}\n", std::chrono::duration_cast<std::chrono::microseconds>(now).count(),
                 host.substr(0, host.find(':')), path, status);
  const std::size_t bytes = waiting_.size() - before;
  full_ = bytes > bytes_left_;
  if (full_) waiting_.replace(before, bytes, "full\n");
  else bytes_left_ -= bytes;
}

Result<void> AccessLog::flush() {
  if (waiting_.empty()) return {};
  MAGPIE_TRY_DO(write_all(file_.get(), waiting_));
  waiting_.clear();
  return {};
}

// ---- connections ----------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Server>> Server::listen(std::uint16_t port) {
  auto server = std::make_unique<Server>();
  server->listener_ = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  server->epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!server->listener_ || !server->epoll_) return fail_errno("a socket");
  const int on = 1, listener = server->listener_.get();
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_ANY)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener, 4'096) != 0)
    return fail_errno(fmt::format("port {}", port));
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  server->port_ = ntohs(address.sin_port);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  if (::epoll_ctl(server->epoll_.get(), EPOLL_CTL_ADD, listener, &event) != 0) return fail_errno("epoll");
  return server;
}

void Server::accept_all() {
  while (true) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    UniqueFd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    if (ntohl(peer.sin_addr.s_addr) >> 24 != 127) continue;
    const int on = 1, fd = socket.get();
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) continue;
    Connection& connection = connections_[fd];
    connection.socket = std::move(socket);
    connection.serial = ++serial_;
  }
}

void Server::let_go(Connection& connection) {
  const int fd = connection.socket.get();
  if (connection.resetting) {  // a close with nothing to linger for is a reset
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  connections_.erase(fd);
}

void Server::watch_for_room(Connection& connection, bool on) {
  if (connection.watched_for_room == on) return;
  connection.watched_for_room = on;
  epoll_event event{.events = on ? EPOLLOUT : EPOLLIN, .data = {.fd = connection.socket.get()}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Server::receive(Connection& connection, Web& web, AccessLog& log) {
  std::array<char, 16 << 10> buffer;
  const ssize_t got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return let_go(connection);
  connection.in.append(buffer.data(), static_cast<std::size_t>(got));
  answer_all(connection, web, log);
  to_send_.push_back(connection.socket.get());
}

void Server::answer_all(Connection& connection, Web& web, AccessLog& log) {
  std::size_t at = 0;
  while (!connection.held && !connection.closing && connection.out.size() < kWaitingBytesMax) {
    const std::size_t end = connection.in.find(kHeadEnd, at);
    if (end == connection.in.npos) break;
    const Request request = parse(std::string_view(connection.in).substr(at, end - at));
    at = end + kHeadEnd.size();
    const Outcome outcome = web.answer(request, connection.out);
    log.add(request.host, request.path, outcome.status);
    connection.resetting = outcome.status == 0;
    connection.closing = connection.resetting || !request.keep_alive;
    if (outcome.delay.count() > 0) hold(connection, outcome.delay);
  }
  connection.in.erase(0, at);
  if (connection.in.size() > kHeadBytesMax && connection.in.find(kHeadEnd) == connection.in.npos) connection.closing = true;
}

void Server::send(int socket) {
  const auto found = connections_.find(socket);
  if (found == connections_.end() || found->second.held) return;
  Connection& connection = found->second;
  while (connection.sent < connection.out.size()) {
    const ssize_t done = ::send(socket, connection.out.data() + connection.sent, connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) return watch_for_room(connection, true);
    if (done < 0) return let_go(connection);
    connection.sent += static_cast<std::size_t>(done);
  }
  connection.out.clear();
  connection.sent = 0;
  if (connection.closing) return let_go(connection);
  watch_for_room(connection, false);
}

// ---- time -----------------------------------------------------------------------------------------------------------

void Server::hold(Connection& connection, std::chrono::milliseconds delay) {
  connection.held = true;
  held_.emplace(SteadyClock::now() + delay, std::pair(connection.socket.get(), connection.serial));
}

void Server::release_held(Web& web, AccessLog& log) {
  const auto now = SteadyClock::now();
  while (!held_.empty() && held_.begin()->first <= now) {
    const auto [socket, serial] = held_.begin()->second;
    held_.erase(held_.begin());
    const auto found = connections_.find(socket);
    if (found == connections_.end() || found->second.serial != serial) continue;
    found->second.held = false;
    send(socket);
    const auto left = connections_.find(socket);
    if (left == connections_.end()) continue;
    answer_all(left->second, web, log);
    to_send_.push_back(socket);
  }
}

int Server::wait_milliseconds() const {
  if (held_.empty()) return 200;  // how soon a stop is seen when its signal came between two waits
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(held_.begin()->first - SteadyClock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 200));
}

Result<void> Server::run(Web& web, AccessLog& log, const volatile std::sig_atomic_t& stop) {
  std::array<epoll_event, 512> events;
  while (stop == 0) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), wait_milliseconds());
    release_held(web, log);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener_.get()) {
        accept_all();
        continue;
      }
      const auto found = connections_.find(socket);
      if (found == connections_.end()) continue;
      if (events[static_cast<std::size_t>(i)].events & EPOLLOUT) {
        to_send_.push_back(socket);
        answer_all(found->second, web, log);
      } else {
        receive(found->second, web, log);
      }
    }
    MAGPIE_TRY_DO(log.flush());
    for (const int socket : to_send_) send(socket);
    to_send_.clear();
  }
  return {};
}

}  // namespace magpie::synthetic
