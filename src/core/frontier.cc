#include "core/frontier.h"

namespace magpie {

std::string_view host_of_url(std::string_view canonical_url) {
  const std::size_t scheme_end = canonical_url.find("://");
  if (scheme_end == std::string_view::npos) return {};
  std::string_view rest = canonical_url.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = rest.rfind('@');
  return at == std::string_view::npos ? rest : rest.substr(at + 1);
}

}  // namespace magpie
