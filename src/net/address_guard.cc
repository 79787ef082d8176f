#include "net/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace magpie {
namespace {

enum class Kind : std::uint8_t { kRefused, kLoopback, kPrivate };

/// One row of the special-purpose registries: the leading `bits` of `prefix` make an address this.
struct Range {
  std::array<std::uint8_t, 16> prefix;
  int bits;
  Kind kind;
  std::string_view name;
};

// IANA IPv4 Special-Purpose Address Registry, and multicast. Metadata services (169.254.169.254 of most clouds) are link-local;
// the ones that are not have their own rows, before the range they lie in.
constexpr Range kV4Ranges[] = {
    {{0}, 8, Kind::kRefused, "unspecified"},
    {{100, 100, 100, 200}, 32, Kind::kRefused, "a cloud's metadata service"},
    {{127}, 8, Kind::kLoopback, "loopback"},
    {{10}, 8, Kind::kPrivate, "private"},
    {{172, 16}, 12, Kind::kPrivate, "private"},
    {{192, 168}, 16, Kind::kPrivate, "private"},
    {{100, 64}, 10, Kind::kPrivate, "shared (carrier-grade NAT)"},
    {{168, 63, 129, 16}, 32, Kind::kRefused, "a cloud's metadata service"},
    {{169, 254}, 16, Kind::kRefused, "link-local"},
    {{192, 0, 0}, 24, Kind::kRefused, "reserved for protocols"},
    {{192, 0, 2}, 24, Kind::kRefused, "documentation"},
    {{198, 51, 100}, 24, Kind::kRefused, "documentation"},
    {{203, 0, 113}, 24, Kind::kRefused, "documentation"},
    {{192, 88, 99}, 24, Kind::kRefused, "a 6to4 relay"},
    {{198, 18}, 15, Kind::kRefused, "benchmarking"},
    {{224}, 4, Kind::kRefused, "multicast"},
    {{240}, 4, Kind::kRefused, "reserved"},  // with 255.255.255.255, broadcast
};

// IANA IPv6 Special-Purpose Address Registry. Only 2000::/3 is global unicast; everything else is refused by the last test of
// refusal_of_v6(), the rows before give it a name.
constexpr Range kV6Ranges[] = {
    {{0}, 128, Kind::kRefused, "unspecified"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, Kind::kLoopback, "loopback"},
    {{0xFD, 0x00, 0x0E, 0xC2}, 32, Kind::kRefused, "a cloud's metadata service"},
    {{0xFD, 0x20, 0x00, 0xCE}, 32, Kind::kRefused, "a cloud's metadata service"},
    {{0xFC}, 7, Kind::kPrivate, "private"},
    {{0xFE, 0x80}, 10, Kind::kRefused, "link-local"},
    {{0xFE, 0xC0}, 10, Kind::kRefused, "site-local"},
    {{0xFF}, 8, Kind::kRefused, "multicast"},
    {{0x20, 0x01, 0x0D, 0xB8}, 32, Kind::kRefused, "documentation"},
    {{0x3F, 0xFF}, 20, Kind::kRefused, "documentation"},
    {{0x20, 0x01, 0x00, 0x00}, 32, Kind::kRefused, "a Teredo tunnel"},
    {{0x20, 0x01}, 23, Kind::kRefused, "reserved for protocols"},
    {{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48, Kind::kRefused, "a local NAT64 prefix"},
};
constexpr Range kGlobalV6 = {{0x20}, 3, Kind::kRefused, "global unicast"};
constexpr Range kMappedV4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96, Kind::kRefused, "IPv4-mapped"};
constexpr Range kCompatibleV4 = {{0}, 96, Kind::kRefused, "IPv4-compatible"};
constexpr Range kNat64 = {{0x00, 0x64, 0xFF, 0x9B}, 96, Kind::kRefused, "NAT64"};
constexpr Range k6to4 = {{0x20, 0x02}, 16, Kind::kRefused, "6to4"};

bool lies_in(const std::array<std::uint8_t, 16>& address, const Range& range) {
  const int whole = range.bits / 8;
  if (!std::equal(address.begin(), address.begin() + whole, range.prefix.begin())) return false;
  const int rest = range.bits % 8;
  return rest == 0 || (address[whole] >> (8 - rest)) == (range.prefix[whole] >> (8 - rest));
}

bool lets_through(Kind kind, const AddressPolicy& policy) {
  switch (kind) {
    case Kind::kLoopback: return policy.allow_loopback;
    case Kind::kPrivate: return policy.allow_private;
    case Kind::kRefused: return false;
  }
  return false;
}

template <std::size_t N>
const Range* first_match(const std::array<std::uint8_t, 16>& address, const Range (&ranges)[N]) {
  const auto* found = std::find_if(std::begin(ranges), std::end(ranges), [&](const Range& range) { return lies_in(address, range); });
  return found == std::end(ranges) ? nullptr : found;
}

std::string_view refusal_of_v6(const IpAddress& address, const AddressPolicy& policy) {
  if (const Range* range = first_match(address.bytes(), kV6Ranges)) return lets_through(range->kind, policy) ? "" : range->name;
  if (const auto inner = address.embedded_v4()) return address_refusal(*inner, policy);
  return lies_in(address.bytes(), kGlobalV6) ? "" : "not global unicast";
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  std::string plain(text);
  if (plain.size() > 2 && plain.front() == '[' && plain.back() == ']') plain = plain.substr(1, plain.size() - 2);
  IpAddress address;
  if (inet_pton(AF_INET, plain.c_str(), address.bytes_.data()) == 1) return address;
  address.v4_ = false;
  if (inet_pton(AF_INET6, plain.c_str(), address.bytes_.data()) == 1) return address;
  return fail(Code::kBadInput, "'{}' is no IP address", plain);
}

std::optional<IpAddress> IpAddress::from(const sockaddr& address) {
  IpAddress ip;
  if (address.sa_family == AF_INET) {
    std::memcpy(ip.bytes_.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return ip;
  }
  if (address.sa_family != AF_INET6) return std::nullopt;
  ip.v4_ = false;
  std::memcpy(ip.bytes_.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  return ip;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::string IpAddress::to_host() const { return v4_ ? to_string() : fmt::format("[{}]", to_string()); }

std::optional<IpAddress> IpAddress::embedded_v4() const {
  if (v4_) return std::nullopt;
  std::size_t at = 12;
  if (lies_in(bytes_, k6to4)) {
    at = 2;
  } else if (!lies_in(bytes_, kMappedV4) && !lies_in(bytes_, kNat64) && !lies_in(bytes_, kCompatibleV4)) {
    return std::nullopt;
  }
  IpAddress inner;
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), 4, inner.bytes_.begin());
  return inner;
}

std::string_view address_refusal(const IpAddress& address, const AddressPolicy& policy) {
  if (!address.is_v4()) return refusal_of_v6(address, policy);
  const Range* range = first_match(address.bytes(), kV4Ranges);
  return range == nullptr || lets_through(range->kind, policy) ? "" : range->name;
}

Result<void> check_address(const IpAddress& address, const AddressPolicy& policy) {
  const std::string_view refusal = address_refusal(address, policy);
  if (!refusal.empty()) return fail(Code::kForbidden, "the address {} is {}", address.to_string(), refusal);
  return {};
}

}  // namespace magpie
