#include "serve/request_guard.h"

#include <algorithm>

#include "base/utf8.h"
#include "net/url.h"

namespace magpie {
namespace {

/// A Host header as the host of a URL: lower case, no default port. Nothing when it is none.
std::optional<Url> url_of_host(std::string_view host) {
  if (host.empty() || host.find_first_of("/\\?#@ \t") != std::string_view::npos) return std::nullopt;
  auto url = Url::parse(fmt::format("http://{}/", host));
  if (!url) return std::nullopt;
  return *std::move(url);
}

bool is_ours(const Url& url, const std::vector<std::string>& host_names) {
  const std::string_view name = url.hostname();
  return url.has_ip_host() || name == "localhost" || name.ends_with(".localhost") ||
         std::find(host_names.begin(), host_names.end(), name) != host_names.end();
}

bool is_read(HttpMethod method) { return method == HttpMethod::kGet || method == HttpMethod::kHead; }

/// Compares without the scheme: behind a proxy that speaks TLS the browser says https and we are asked by http.
bool comes_from_itself(std::string_view origin, std::string_view host) {
  const auto from = Url::parse(origin);
  if (!from || !from->is_http()) return false;
  const auto to = Url::parse(fmt::format("{}//{}/", from->protocol(), host));
  return to && to->host() == from->host();
}

}  // namespace

std::optional<Problem> judge_request(const HttpServerRequest& request, const std::vector<std::string>& host_names) {
  if (request.on_unix_socket) return std::nullopt;
  const std::string_view host = request.header("host");
  const auto url = url_of_host(host);
  if (!url || !is_ours(*url, host_names)) {
    return Problem{421, "host_refused",
                   fmt::format("this server is not known as '{}'; add the name to serve.host_names if it is its own",
                               to_valid_utf8(utf8_prefix(host, 200)))};
  }
  if (is_read(request.method)) return std::nullopt;
  const std::string_view origin = request.header("origin");
  const bool other_site = request.header("sec-fetch-site") == "cross-site";
  if (other_site || (!origin.empty() && !comes_from_itself(origin, host))) {
    return Problem{403, "origin_refused", "a page of another site may not do this"};
  }
  return std::nullopt;
}

}  // namespace magpie
