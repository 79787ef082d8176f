#include "net/name_settings.h"

#include <algorithm>

namespace magpie {

Result<ResolverOptions> resolver_options(const NameSettings& settings) {
  ResolverOptions options;
  std::string_view rest = settings.resolvers();
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of(", \t");
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.empty()) continue;
    if (const auto server = check_name_server(word); !server) return fail(Code::kBadInput, "net.resolvers: {}", server.error().message);
    options.servers.emplace_back(word);
  }
  const auto seconds = [](Millis time) { return std::chrono::ceil<std::chrono::seconds>(time); };
  options.server_timeout = settings.timeout();
  options.ttl_min = seconds(settings.ttl_min());
  options.ttl_max = seconds(settings.ttl_max());
  options.negative_ttl = seconds(settings.negative_ttl());
  options.names_max = static_cast<std::size_t>(settings.names_max());
  return options;
}

}  // namespace magpie
