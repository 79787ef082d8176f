#include "net/domain.h"

#include <libpsl.h>

#include <memory>

#include "net/url.h"

namespace magpie {
namespace {

struct PslDeleter {
  void operator()(psl_ctx_t* list) const { psl_free(list); }
};

/// The newest list there is: the one of Debian's publicsuffix package, or the one compiled into libpsl. Read once, then only
/// looked at, which libpsl allows from any thread.
const psl_ctx_t* suffix_list() {
  static const std::unique_ptr<psl_ctx_t, PslDeleter> list(psl_latest(nullptr));
  return list ? list.get() : psl_builtin();
}

bool is_address(std::string_view host) {
  return host.front() == '[' ||
         (host.back() >= '0' && host.back() <= '9' && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool has_empty_label(std::string_view host) { return host.front() == '.' || host.find("..") != std::string_view::npos; }

}  // namespace

std::optional<std::string> registrable_domain(std::string_view host) {
  if (host.empty() || has_empty_label(host)) return std::nullopt;
  Result<std::string> name = normalise_host(host);
  if (!name) return std::nullopt;
  if (name->back() == '.') name->pop_back();
  if (name->empty() || has_empty_label(*name) || is_address(*name)) return std::nullopt;
  const char* domain = psl_registrable_domain(suffix_list(), name->c_str());
  if (domain == nullptr) return std::nullopt;
  return std::string(domain);
}

std::string site_of_host(std::string_view host) {
  if (std::optional<std::string> domain = registrable_domain(host)) return *std::move(domain);
  Result<std::string> name = normalise_host(host);
  return name ? *std::move(name) : std::string(host);
}

}  // namespace magpie
