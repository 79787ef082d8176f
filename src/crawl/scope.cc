#include "crawl/scope.h"

#include "net/domain.h"

namespace magpie::crawl {
namespace {

// "www.a.test" and "a.test" are one shop to everybody but a parser.
std::string_view without_www(std::string_view host) {
  constexpr std::string_view kWww = "www.";
  if (host.starts_with(kWww) && host.find('.', kWww.size()) != std::string_view::npos) host.remove_prefix(kWww.size());
  return host;
}

}  // namespace

Scope::Scope(const std::vector<Url>& seeds, ScopeOptions options) : options_(options) {
  for (const Url& seed : seeds) {
    hosts_.emplace(without_www(seed.host()));
    if (options_.same_site) sites_.insert(site_of_host(seed.hostname()));
  }
}

bool Scope::contains_host(const Url& url) const {
  if (hosts_.contains(std::string(without_www(url.host())))) return true;
  return options_.same_site && sites_.contains(site_of_host(url.hostname()));
}

bool Scope::allows(const Url& url, UrlKind kind) const {
  if (!url.is_http()) return false;
  return (kind == UrlKind::kImage && options_.images_off_host) || contains_host(url);
}

}  // namespace magpie::crawl
