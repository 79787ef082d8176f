#pragma once
// Sockets that listen, made by plain system calls for the sake of clear errors.
#include <cstdint>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

/// Listens on an address and port (0: any free one). kBusy when it is in use, kBadInput for what is no address.
Result<UniqueFd> listen_on_tcp(const std::string& address, std::uint16_t port);
/// Listens on a path, for this user only; replaces a socket there that nobody listens on. kBusy when somebody does, kBadInput
/// for a path over 107 bytes.
Result<UniqueFd> listen_on_unix_socket(const std::string& path);
/// The port a TCP socket is bound to.
std::uint16_t port_of(const UniqueFd& socket);

}  // namespace magpie
