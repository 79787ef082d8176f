#pragma once
// What a user can set about looking names up.
#include "base/settings.h"
#include "net/resolver.h"

namespace magpie {

struct NameSettings {
  Setting<std::string> resolvers{
      "net.resolvers", "", {}, "Name servers, as 192.0.2.1 or 192.0.2.1:53, with commas; used in turn. Empty: those of /etc/resolv.conf."};
  Setting<Millis> timeout{
      "net.dns_timeout",
      Millis(2'000),
      {Millis(50), Millis(30'000)},
      "What a name server has for an answer before the next one is asked; each is asked twice, for at most 10 s in all."};
  Setting<Millis> ttl_min{"net.dns_ttl_min",
                          Millis(30'000),
                          {Millis(0), Millis(86'400'000)},
                          "Addresses are kept for the time their name server says, but at least this long."};
  Setting<Millis> ttl_max{
      "net.dns_ttl_max", Millis(86'400'000), {Millis(0), Millis(7 * 86'400'000)}, "And at most this long, net.dns_ttl_min included."};
  Setting<Millis> negative_ttl{"net.dns_negative_ttl",
                               Millis(60'000),
                               {Millis(0), Millis(10'800'000)},
                               "How long a name without an address is not asked for again."};
  Setting<std::int64_t> names_max{"net.dns_names_max", 65'536, {16, 10'000'000}, "Names whose addresses are kept."};

  template <class Visitor>
  void visit(Visitor&& each) {
    each(resolvers), each(timeout), each(ttl_min), each(ttl_max), each(negative_ttl), each(names_max);
  }
};

/// kBadInput, naming the setting, for a server that is no address.
Result<ResolverOptions> resolver_options(const NameSettings& settings);

}  // namespace magpie
