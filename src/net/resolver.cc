#include "net/resolver.h"

#include <ares.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <unordered_set>

#include "base/check.h"
#include "base/files.h"
#include "base/metrics.h"
#include "net/hosts_file.h"
#include "net/name_cache.h"

namespace magpie {
namespace {

using Clock = Deadline::Clock;

constexpr std::chrono::seconds kSystemFilesEvery{10};   // between two looks at /etc/hosts and /etc/resolv.conf
constexpr std::chrono::seconds kTroubledFor{30};        // a server that was silent or broken is asked behind the others
constexpr std::chrono::seconds kFailureTtl{5};          // RFC 2308 §7 allows five minutes; servers recover sooner
constexpr std::chrono::milliseconds kOtherFamily{300};  // that an address waits for those of the other family
constexpr int kUdpBytes = 1'232;                        // that no path cuts (DNS flag day 2020)

struct ChannelDeleter {
  void operator()(ares_channel channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelDeleter>;

/// "192.0.2.1" and "2001:db8::1" get the port that stands for them; kBadInput for anything else but an address with a port.
Result<std::string> server_with_port(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) { return fmt::format("{}:53", address->to_host()); }
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos) {
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool whole = error == std::errc() && end == digits.data() + digits.size() && port > 0;
    const std::string_view host = text.substr(0, colon);
    const auto address = IpAddress::parse(host);
    if (whole && address && address->is_v4() != host.starts_with('[')) return fmt::format("{}:{}", address->to_host(), port);
  }
  return fail(Code::kBadInput, "'{}' is no name server; give its address, as 192.0.2.1, 192.0.2.1:5353 or [2001:db8::1]:5353", text);
}

/// Those of /etc/resolv.conf, as libraries read it; 127.0.0.1 when it names none.
std::vector<std::string> system_servers() {
  ares_channel raw = nullptr;
  if (ares_init(&raw) != ARES_SUCCESS) return {"127.0.0.1:53"};
  const Channel channel(raw);
  ares_addr_port_node* list = nullptr;
  if (ares_get_servers_ports(channel.get(), &list) != ARES_SUCCESS) return {"127.0.0.1:53"};
  std::vector<std::string> servers;
  for (const ares_addr_port_node* node = list; node != nullptr; node = node->next) {
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(node->family);
    if (node->family == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_addr = node->addr.addr4;
    else
      std::copy_n(reinterpret_cast<const std::uint8_t*>(&node->addr.addr6), 16, reinterpret_cast<sockaddr_in6&>(storage).sin6_addr.s6_addr);
    const auto address = IpAddress::from(reinterpret_cast<const sockaddr&>(storage));
    if (!address) continue;
    servers.push_back(fmt::format("{}:{}", address->to_host(), node->udp_port > 0 ? node->udp_port : 53));
  }
  ares_free_data(list);
  return servers;
}

/// Whether an interface has an IPv6 address that is not only this machine's or this link's: what getaddrinfo's AI_ADDRCONFIG asks.
bool machine_has_ipv6() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = list; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET6 || (one->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const auto address = IpAddress::from(*one->ifa_addr);
    found = address && !(address->bytes()[0] == 0xFE && (address->bytes()[1] & 0xC0) == 0x80);
  }
  freeifaddrs(list);
  return found;
}

bool is_in_domain(std::string_view name, std::string_view domain) {
  return name == domain || (name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.');
}

/// Answers that no name server is asked for.
std::optional<NameCache::Addresses> own_answer(std::string_view name) {
  if (is_in_domain(name, "localhost")) return std::vector<IpAddress>{*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
  if (is_in_domain(name, "invalid") || is_in_domain(name, "onion"))
    return fail(Code::kNotFound, "there is no name '{}' (RFC 6761, 7686)", name);
  return std::nullopt;
}

/// What an operator sees; all null without a registry.
struct Metrics {
  Counter* hits = nullptr;
  Counter* misses = nullptr;
  Counter* failures = nullptr;
  Histogram* seconds = nullptr;
};

Metrics make_metrics(MetricsRegistry* registry) {
  if (registry == nullptr) return {};
  return {&registry->counter("magpie_dns_hits_total", "Names whose addresses were known, or being looked up."),
          &registry->counter("magpie_dns_misses_total", "Names that name servers were asked for."),
          &registry->counter("magpie_dns_failures_total", "Look-ups that ended without an address."),
          &registry->histogram("magpie_dns_seconds", "Time of a look-up, from the question to its answer or end.")};
}

struct Server {
  std::string address;  // with its port
  Clock::time_point troubled_until{};
};

/// One name under way, and the question a server is being asked now.
struct LookUp {
  /// Addresses of one family.
  struct Family {
    int status = ARES_SUCCESS;
    bool asked = false, done = false;
    std::vector<IpAddress> addresses;
    std::chrono::seconds ttl = std::chrono::seconds::max();
  };

  std::string name;
  Clock::time_point started{}, ends{};
  std::vector<std::string> servers;  // to be asked, in this order
  std::size_t next_server = 0;
  std::string trouble;  // what the servers before did

  Channel channel;
  Clock::time_point attempt_ends{};
  std::array<Family, 2> families;  // IPv6, IPv4

  const std::string& server() const { return servers[next_server - 1]; }
  bool all_done() const {
    return std::all_of(families.begin(), families.end(), [](const Family& one) { return one.done || !one.asked; });
  }
  bool any_address() const {
    return std::any_of(families.begin(), families.end(), [](const Family& one) { return !one.addresses.empty(); });
  }
  /// A server's word that there is nothing, of all families that were asked for.
  bool none_there() const {
    return std::all_of(families.begin(), families.end(), [](const Family& one) {
      return !one.asked || (one.done && (one.status == ARES_ENOTFOUND || one.status == ARES_ENODATA || one.status == ARES_EBADNAME));
    });
  }
};

void on_addresses(void* user, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(found, &ares_freeaddrinfo);
  if (status == ARES_EDESTRUCTION) return;
  auto& family = *static_cast<LookUp::Family*>(user);
  family.done = true;
  family.status = status;
  if (status != ARES_SUCCESS || !owned) return;
  const auto keep_shorter = [&](int ttl) { family.ttl = std::min(family.ttl, std::chrono::seconds(std::max(ttl, 0))); };
  for (const ares_addrinfo_cname* alias = owned->cnames; alias != nullptr; alias = alias->next) keep_shorter(alias->ttl);
  for (const ares_addrinfo_node* node = owned->nodes; node != nullptr && family.addresses.size() < Resolver::kAddressesMax;
       node = node->ai_next) {
    const auto address = IpAddress::from(*node->ai_addr);
    if (!address) continue;
    family.addresses.push_back(*address);
    keep_shorter(node->ai_ttl);
  }
  if (family.addresses.empty()) family.status = ARES_ENODATA;
}

class CaresResolver final : public Resolver {
 public:
  explicit CaresResolver(ResolverOptions options)
      : options_(std::move(options)),
        hosts_(options_.hosts_file),
        cache_(options_.names_max),
        metrics_(make_metrics(options_.metrics)),
        slots_(kLookUpsMax) {}

  Result<void> open() {
    epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) return fail_errno("epoll");
    for (const std::string& text : options_.servers) {
      MAGPIE_TRY(std::string address, server_with_port(text));
      servers_.push_back({.address = std::move(address)});
    }
    return {};
  }

  std::optional<NameAnswer> look_up(std::string_view name) override {
    const Clock::time_point now = options_.now();
    refresh_system(now);
    const std::string_view bare = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
    auto known = known_answer(bare, now);
    const bool fresh = !known && under_way_.emplace(name).second;
    ++(fresh ? counts_.misses : counts_.hits);
    if (Counter* counter = fresh ? metrics_.misses : metrics_.hits) counter->add();
    if (known) return NameAnswer{std::string(name), std::move(*known)};
    if (fresh) {
      waiting_.push_back({std::string(name), now});
      start_waiting(now);
    }
    return std::nullopt;
  }

  std::vector<NameAnswer> work() override {
    read_sockets();
    const Clock::time_point now = options_.now();
    for (auto& slot : slots_) {
      if (slot) advance(slot, now);
    }
    start_waiting(now);
    return std::exchange(answers_, {});
  }

  int fd() const override { return epoll_.get(); }

  Clock::time_point next_timeout() const override {
    if (!answers_.empty()) return Clock::time_point::min();
    Clock::time_point next = Clock::time_point::max();
    for (const auto& slot : slots_) {
      if (slot) next = std::min({next, slot->attempt_ends, slot->ends});
    }
    return next;
  }

  ResolverCounts counts() const override { return counts_; }

 private:
  struct Waiting {
    std::string name;
    Clock::time_point since;
  };

  // ---- what is known without asking ----

  void refresh_system(Clock::time_point now) {
    if (system_read_ && now - *system_read_ < kSystemFilesEvery) return;
    system_read_ = now;
    hosts_.refresh();
    has_ipv6_ = options_.ipv6.value_or(machine_has_ipv6());
    if (!options_.servers.empty()) return;
    std::vector<Server> fresh;
    for (std::string& address : system_servers()) {
      const auto known = std::find_if(servers_.begin(), servers_.end(), [&](const Server& one) { return one.address == address; });
      fresh.push_back(known == servers_.end() ? Server{.address = std::move(address)} : *known);
    }
    servers_ = std::move(fresh);
  }

  std::optional<NameCache::Addresses> known_answer(std::string_view name, Clock::time_point now) {
    if (auto own = own_answer(name)) return own;
    if (const auto written = hosts_.find(name); !written.empty()) return std::vector<IpAddress>(written.begin(), written.end());
    if (const NameCache::Addresses* kept = cache_.find(name, now)) return *kept;
    return std::nullopt;
  }

  // ---- look-ups ----

  void start_waiting(Clock::time_point now) {
    while (!waiting_.empty()) {
      const auto free = std::find(slots_.begin(), slots_.end(), nullptr);
      if (free == slots_.end()) return;
      Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      *free = std::make_unique<LookUp>();
      (*free)->name = std::move(next.name);
      (*free)->started = next.since;
      (*free)->ends = now + options_.total_max;
      (*free)->servers = servers_in_turn(now);
      ask_next_server(*free, now);
    }
  }

  // Explicit ones share the load, so each name begins with another. The system's first one is meant to be asked first.
  std::vector<std::string> servers_in_turn(Clock::time_point now) {
    std::vector<std::string> order, troubled;
    const std::size_t first = options_.servers.empty() || servers_.empty() ? 0 : turn_++ % servers_.size();
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      const Server& server = servers_[(first + i) % servers_.size()];
      (server.troubled_until > now ? troubled : order).push_back(server.address);
    }
    order.insert(order.end(), troubled.begin(), troubled.end());
    const std::size_t count = order.size();
    for (int round = 1; round < options_.rounds; ++round) {
      for (std::size_t i = 0; i < count; ++i) order.push_back(std::string(order[i]));
    }
    return order;
  }

  void ask_next_server(std::unique_ptr<LookUp>& slot, Clock::time_point now) {
    LookUp& look_up = *slot;
    look_up.channel.reset();
    look_up.families = {};
    if (look_up.next_server == look_up.servers.size()) return settle_without_answer(slot, now);
    ++look_up.next_server;
    look_up.attempt_ends = now + options_.server_timeout;
    look_up.channel = open_channel(look_up.server(), static_cast<std::uint32_t>(&slot - slots_.data()));
    ask_family(look_up, 0, AF_INET6, has_ipv6_);
    ask_family(look_up, 1, AF_INET, true);
    if (look_up.all_done()) look_up.attempt_ends = now;  // it failed at once, and no socket will tell
  }

  static void ask_family(LookUp& look_up, std::size_t place, int family, bool wanted) {
    LookUp::Family& answer = look_up.families[place];
    answer.asked = wanted;
    if (!wanted) return;
    const ares_addrinfo_hints hints{.ai_flags = ARES_AI_NOSORT, .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_protocol = 0};
    ares_getaddrinfo(look_up.channel.get(), look_up.name.c_str(), nullptr, &hints, &on_addresses, &answer);
  }

  // Every option is given, so that no file is read. Its own retries and times are off: those are ours.
  Channel open_channel(const std::string& server, std::uint32_t slot) {
    char lookups[] = "b";
    in_addr placeholder{htonl(INADDR_LOOPBACK)};  // until the server's own address is set below
    ares_options options{};
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS;
    options.timeout = 600'000;
    options.tries = 1;
    options.ndots = 1;
    options.servers = &placeholder;
    options.nservers = 1;
    options.lookups = lookups;
    options.ednspsz = kUdpBytes;
    options.sock_state_cb = &CaresResolver::on_socket;
    options.sock_state_cb_data = this;
    opening_slot_ = slot;
    ares_channel raw = nullptr;
    const int status =
        ares_init_options(&raw, &options,
                          ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
                              ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB | ARES_OPT_EDNSPSZ | ARES_OPT_NOROTATE);
    MAGPIE_CHECK(status == ARES_SUCCESS, "c-ares does not start: {}", ares_strerror(status));
    Channel channel(raw);
    const int set = ares_set_servers_ports_csv(channel.get(), server.c_str());
    MAGPIE_CHECK(set == ARES_SUCCESS, "c-ares refuses the server {}: {}", server, ares_strerror(set));
    return channel;
  }

  static void on_socket(void* user, ares_socket_t fd, int readable, int writable) {
    auto& self = *static_cast<CaresResolver*>(user);
    if (!readable && !writable) {
      epoll_ctl(self.epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
      return;
    }
    epoll_event event{};
    event.events = (readable ? std::uint32_t{EPOLLIN} : 0u) | (writable ? std::uint32_t{EPOLLOUT} : 0u);
    event.data.u64 = std::uint64_t{self.opening_slot_} << 32 | static_cast<std::uint32_t>(fd);
    if (epoll_ctl(self.epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) epoll_ctl(self.epoll_.get(), EPOLL_CTL_MOD, fd, &event);
  }

  void read_sockets() {
    std::array<epoll_event, 2 * kLookUpsMax> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto fd = static_cast<ares_socket_t>(event.data.u64 & 0xFFFF'FFFF);
      opening_slot_ = static_cast<std::uint32_t>(event.data.u64 >> 32);
      const auto& slot = slots_[opening_slot_];
      if (!slot || !slot->channel) continue;
      const bool readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
      const bool writable = (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
      ares_process_fd(slot->channel.get(), readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
    }
  }

  // ---- what becomes of an answer, or of its absence ----

  void advance(std::unique_ptr<LookUp>& slot, Clock::time_point now) {
    LookUp& look_up = *slot;
    const bool over = now >= look_up.attempt_ends || now >= look_up.ends;
    if (look_up.any_address()) {
      if (look_up.all_done() || over) return settle_with_addresses(slot, now);
      look_up.attempt_ends = std::min(look_up.attempt_ends, now + kOtherFamily);
      return;
    }
    if (!look_up.all_done() && !over) return;
    if (look_up.none_there()) {
      return settle(slot, fail(Code::kNotFound, "the name has no address: {} says '{}'", look_up.server(), words_of(look_up)),
                    now + options_.negative_ttl, now);
    }
    note_trouble(look_up, now);
    if (now >= look_up.ends) return settle_without_answer(slot, now);
    ask_next_server(slot, now);
  }

  std::string words_of(const LookUp& look_up) const {
    for (const LookUp::Family& family : look_up.families) {
      if (family.asked && family.done && family.status != ARES_SUCCESS && family.status != ARES_ENODATA)
        return ares_strerror(family.status);
    }
    if (look_up.all_done()) return ares_strerror(ARES_ENODATA);
    return fmt::format("no answer in {} ms", options_.server_timeout.count());
  }

  void note_trouble(LookUp& look_up, Clock::time_point now) {
    constexpr std::size_t kWordsMax = 500;
    const std::string& address = look_up.server();
    if (look_up.trouble.size() < kWordsMax)
      look_up.trouble += fmt::format("{}{}: {}", look_up.trouble.empty() ? "" : "; ", address, words_of(look_up));
    for (Server& server : servers_) {
      if (server.address == address) server.troubled_until = now + kTroubledFor;
    }
  }

  void settle_with_addresses(std::unique_ptr<LookUp>& slot, Clock::time_point now) {
    std::vector<IpAddress> addresses;
    std::chrono::seconds ttl = options_.ttl_max;
    for (const LookUp::Family& family : slot->families) {
      addresses.insert(addresses.end(), family.addresses.begin(), family.addresses.end());
      if (!family.addresses.empty()) ttl = std::min(ttl, family.ttl);
    }
    if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
    for (Server& server : servers_) {
      if (server.address == slot->server()) server.troubled_until = {};
    }
    settle(slot, std::move(addresses), now + std::max(ttl, std::min(options_.ttl_min, options_.ttl_max)), now);
  }

  void settle_without_answer(std::unique_ptr<LookUp>& slot, Clock::time_point now) {
    const std::string why = slot->trouble.empty() ? "there is no name server to ask; set net.resolvers" : slot->trouble;
    settle(slot, fail(Code::kUnavailable, "its name could not be looked up: {}", why), now + std::min(kFailureTtl, options_.negative_ttl),
           now);
  }

  void settle(std::unique_ptr<LookUp>& slot, NameCache::Addresses addresses, Clock::time_point until, Clock::time_point now) {
    const std::unique_ptr<LookUp> ended = std::move(slot);
    slot.reset();
    NameAnswer answer{ended->name, std::move(addresses), std::chrono::ceil<std::chrono::microseconds>(now - ended->started)};
    counts_.waited += answer.took;
    if (!answer.addresses) ++counts_.failures;
    if (metrics_.seconds != nullptr) {
      metrics_.seconds->observe(std::chrono::duration<double>(answer.took).count());
      if (!answer.addresses) metrics_.failures->add();
    }
    under_way_.erase(ended->name);
    const std::string_view name = ended->name;
    cache_.put(std::string(name.ends_with('.') ? name.substr(0, name.size() - 1) : name), answer.addresses, until);
    answers_.push_back(std::move(answer));
  }

  const ResolverOptions options_;
  HostsFile hosts_;
  NameCache cache_;
  std::vector<Server> servers_;
  bool has_ipv6_ = false;
  std::optional<Clock::time_point> system_read_;
  std::size_t turn_ = 0;
  std::deque<Waiting> waiting_;
  std::unordered_set<std::string> under_way_;  // names that wait or are asked for
  std::vector<NameAnswer> answers_;
  ResolverCounts counts_;
  Metrics metrics_;
  std::uint32_t opening_slot_ = 0;  // whose sockets are being opened or read
  UniqueFd epoll_;                  // outlives the channels, which take their sockets out of it
  std::vector<std::unique_ptr<LookUp>> slots_;
};

}  // namespace

Result<void> check_name_server(std::string_view text) {
  const auto server = server_with_port(text);
  return server ? Result<void>() : Result<void>(Failure(server.error()));
}

Result<std::unique_ptr<Resolver>> Resolver::make(ResolverOptions options) {
  static const int status = ares_library_init(ARES_LIB_INIT_ALL);
  if (status != ARES_SUCCESS) return fail(Code::kInternal, "c-ares does not start: {}", ares_strerror(status));
  auto resolver = std::make_unique<CaresResolver>(std::move(options));
  MAGPIE_TRY_DO(resolver->open());
  return std::unique_ptr<Resolver>(std::move(resolver));
}

}  // namespace magpie
