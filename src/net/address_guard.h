#pragma once
// Which network addresses a crawler may connect to. A page can link to anything, also to a router, a database on this machine
// or a cloud's metadata service, and a name can change its address between check and use (DNS rebinding). So this is asked
// about each address at the moment a socket is opened for it, whatever name or redirect led there.
// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates).
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sockaddr;

namespace magpie {

/// An IPv4 or IPv6 address, without port or zone.
class IpAddress {
 public:
  /// "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". Only the plain dotted form of IPv4. kBadInput otherwise.
  static Result<IpAddress> parse(std::string_view text);
  /// Nothing for families other than AF_INET and AF_INET6.
  static std::optional<IpAddress> from(const sockaddr& address);

  bool is_v4() const { return v4_; }
  /// The address in network order, in the first 4 or in all 16 bytes.
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  std::string to_string() const;
  /// As it stands in a URL: an IPv6 address in brackets.
  std::string to_host() const;
  /// The IPv4 address inside an IPv4-mapped (::ffff:0:0/96), IPv4-compatible (::/96), NAT64 (64:ff9b::/96, RFC 6052) or 6to4
  /// (2002::/16) address.
  std::optional<IpAddress> embedded_v4() const;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v4_ = true;
};

/// What a job lets through beyond the public internet.
struct AddressPolicy {
  bool allow_loopback = false;  // 127.0.0.0/8, ::1
  bool allow_private = false;   // 10/8, 172.16/12, 192.168/16, 100.64/10 (CGNAT), fc00::/7; never link-local or metadata
};

/// The reason an address is refused ("loopback", "private", "link-local", "multicast", …), or "" when it is allowed.
/// Addresses with an IPv4 address inside are judged by that one, too. Thread-safe, no heap.
std::string_view address_refusal(const IpAddress& address, const AddressPolicy& policy);

/// address_refusal() as a Result: kForbidden, "the address 127.0.0.1 is loopback".
Result<void> check_address(const IpAddress& address, const AddressPolicy& policy);

}  // namespace magpie
