#include "net/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/address_guard.h"

namespace magpie {
namespace {

constexpr int kBacklog = 1'024;

/// An address of either family with its length, as bind() wants it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

SocketAddress tcp_address(const IpAddress& ip, std::uint16_t port) {
  SocketAddress address;
  if (ip.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.bytes().data(), 4);
    address.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, ip.bytes().data(), 16);
    address.size = sizeof v6;
  }
  return address;
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  address.size = sizeof local;
  return address;
}

UniqueFd new_socket(int family) { return UniqueFd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

Result<UniqueFd> bound_and_listening(UniqueFd fd, const SocketAddress& address, const std::string& name) {
  if (bind(fd.get(), address.get(), address.size) != 0 || listen(fd.get(), kBacklog) != 0) {
    if (errno == EADDRINUSE) return fail(Code::kBusy, "{} is in use by another program", name);
    return fail_errno("listening on " + name);
  }
  return fd;
}

bool somebody_listens(const SocketAddress& address) {
  const UniqueFd probe = new_socket(AF_UNIX);
  return connect(probe.get(), address.get(), address.size) == 0 || errno == EAGAIN;
}

}  // namespace

Result<UniqueFd> listen_on_tcp(const std::string& address, std::uint16_t port) {
  MAGPIE_TRY(const IpAddress ip, IpAddress::parse(address));
  UniqueFd fd = new_socket(ip.is_v4() ? AF_INET : AF_INET6);
  if (!fd) return fail_errno("a socket for " + address);
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return bound_and_listening(std::move(fd), tcp_address(ip, port), fmt::format("{} port {}", address, port));
}

Result<UniqueFd> listen_on_unix_socket(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return fail(Code::kBadInput, "the socket path '{}' is longer than 107 bytes", path);
  const SocketAddress address = unix_address(path);
  if (somebody_listens(address)) return fail(Code::kBusy, "{} is in use by another program", path);
  unlink(path.c_str());
  UniqueFd fd = new_socket(AF_UNIX);
  if (!fd) return fail_errno("a socket for " + path);
  fchmod(fd.get(), 0600);  // on Linux the path is made with the socket's mode: there is no moment at which others could connect
  return bound_and_listening(std::move(fd), address, path);
}

std::uint16_t port_of(const UniqueFd& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port) : 0;
}

}  // namespace magpie
