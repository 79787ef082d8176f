#pragma once
// Names to addresses, without blocking: /etc/hosts, then name servers asked over UDP (TCP for what does not fit), several in turn, behind
// a cache that keeps to the answers' own times. libcurl's own look-up is a thread a name that asks the system's one resolver and forgets
// how long an answer holds.
// Sources: RFC 1035 and 2308 (answers, and answers that there is none), RFC 6761 and 7686 (names that are no matter of name servers),
// RFC 8305 §3 (how long one family waits for the other). The wire format is c-ares'.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "net/address_guard.h"

namespace magpie {

class MetricsRegistry;

struct ResolverOptions {
  /// "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353"; asked in turn, each name beginning with another. Empty: those
  /// of /etc/resolv.conf, always beginning with the first, and read again every ten seconds that names are looked up.
  std::vector<std::string> servers{};
  std::chrono::milliseconds server_timeout{2'000};  // what one server has for an answer, before the next is asked
  std::chrono::milliseconds total_max{10'000};      // for one name, whatever the servers do
  int rounds = 2;                                   // times that each server is asked
  std::chrono::seconds ttl_min{30};                 // shorter times of answers count as this
  std::chrono::seconds ttl_max{86'400};             // longer ones as this
  std::chrono::seconds negative_ttl{60};            // how long "there is no such name" is believed
  std::size_t names_max = 65'536;                   // kept; the one that was not asked for the longest makes room
  std::filesystem::path hosts_file = "/etc/hosts";
  std::optional<bool> ipv6{};          // ask for IPv6 addresses; nothing: when this machine has one that leads out
  MetricsRegistry* metrics = nullptr;  // magpie_dns_*; must outlive the resolver
  /// The time, for tests of what a cache forgets.
  std::function<Deadline::Clock::time_point()> now = &Deadline::Clock::now;
};

struct NameAnswer {
  std::string name;  // as it was asked for
  /// At least one address, at most 16, in the order to try them. kNotFound: the name does not exist or has no address; kBadInput: no
  /// name can be like this; kUnavailable: no server could say, with what each of them did.
  Result<std::vector<IpAddress>> addresses;
  std::chrono::microseconds took{0};  // 0 when it was known
};

/// Since the start.
struct ResolverCounts {
  std::uint64_t hits = 0;               // answered at once: the cache, /etc/hosts, names with an answer of their own
  std::uint64_t misses = 0;             // begun look-ups; further questions for a name that is being looked up count as hits
  std::uint64_t failures = 0;           // look-ups that ended without an address
  std::chrono::microseconds waited{0};  // all look-ups together
};

/// Used by one thread, and driven by its loop:
///
///   if (auto known = resolver->look_up("a.test")) use(*known);
///   … once resolver->fd() is readable, or resolver->next_timeout() has come:
///   for (NameAnswer& answer : resolver->work()) use(answer);
///
/// Each look-up has sockets of its own, so that their ports are as hard to guess as the question's number. Memory: names_max names of at
/// most 16 addresses; at most 64 look-ups at once, further ones wait in order.
class Resolver {
 public:
  static constexpr std::size_t kAddressesMax = 16;
  static constexpr std::size_t kLookUpsMax = 64;

  /// kBadInput for a server that is no address; kUnavailable when the system refuses an epoll.
  static Result<std::unique_ptr<Resolver>> make(ResolverOptions options);
  virtual ~Resolver() = default;

  /// What is known of the name. Otherwise nothing, and one answer for it will come out of work(), however often it is asked meanwhile.
  virtual std::optional<NameAnswer> look_up(std::string_view name) = 0;
  /// Reads what has come, asks the next server where one was silent for too long, and returns the names that are settled. Never blocks.
  virtual std::vector<NameAnswer> work() = 0;
  /// An epoll: readable when work() has something to read. Lives as long as this.
  virtual int fd() const = 0;
  /// When work() is due even if nothing comes; the clock's last moment when nothing is under way.
  virtual Deadline::Clock::time_point next_timeout() const = 0;
  virtual ResolverCounts counts() const = 0;
};

/// kBadInput unless the text is a server as ResolverOptions takes it.
Result<void> check_name_server(std::string_view text);

}  // namespace magpie
