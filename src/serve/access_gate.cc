#include "serve/access_gate.h"

#include "base/ascii.h"

namespace magpie {
namespace {

constexpr std::size_t kKeyBytesMax = 512;

}  // namespace

std::string_view key_of(const HttpServerRequest& request) {
  const std::string_view authorization = request.header("authorization");
  if (authorization.size() > 7 && ascii_same(authorization.substr(0, 7), "bearer ")) return authorization.substr(7);
  std::string_view cookies = request.header("cookie");
  while (!cookies.empty()) {
    const std::string_view one = cookies.substr(0, cookies.find(';'));
    if (one.starts_with(kKeyCookie) && one.substr(kKeyCookie.size()).starts_with('=')) return one.substr(kKeyCookie.size() + 1);
    cookies.remove_prefix(std::min(cookies.size(), one.size() + 1));
    while (cookies.starts_with(' ')) cookies.remove_prefix(1);
  }
  return {};
}

std::optional<Problem> AccessGate::limit(const std::string& caller, double cost) const {
  const auto wait = limiter_.take(caller, cost, clock_.steady());
  if (!wait) return std::nullopt;
  return Problem{429, "too_many_requests",
                 fmt::format("more requests than this server answers one caller; ask again in {} s", wait->count()),
                 static_cast<int>(wait->count())};
}

Outcome<AccessKey> AccessGate::find(std::string_view key, const HttpServerRequest& request, double cost) const {
  std::optional<AccessKey> known = key.size() <= kKeyBytesMax ? keys_.find(key) : std::nullopt;
  if (!known) {
    if (auto over = limit("address " + request.peer, cost)) return tl::unexpected(*std::move(over));
    return problem(401, "key_unknown", "this key is not known, or was revoked");
  }
  if (known->expires_at && *known->expires_at <= clock_.now())
    return problem(401, "key_expired", "the key '{}' has expired; magpie keys add makes another", known->name);
  if (auto over = limit("key " + known->name, cost)) return tl::unexpected(*std::move(over));
  return *std::move(known);
}

std::optional<Problem> AccessGate::judge(const HttpServerRequest& request, KeyScope needed, double cost) const {
  if (!options_.keys_needed || request.on_unix_socket) return std::nullopt;
  const std::string_view key = key_of(request);
  if (key.empty()) {
    // Before the answer, so that guessing costs, too.
    if (auto over = limit("address " + request.peer, cost)) return over;
    if (options_.open_to_read && needed == KeyScope::kSearch) return std::nullopt;
    return Problem{401, "key_missing", "send a key as 'Authorization: Bearer KEY'; magpie keys add makes one"};
  }
  const Outcome<AccessKey> known = find(key, request, cost);
  if (!known) return known.error();
  if (needed == KeyScope::kManage && known->scope != KeyScope::kManage)
    return Problem{403, "scope_missing", fmt::format("the key '{}' may search; this needs one with the scope manage", known->name)};
  return std::nullopt;
}

}  // namespace magpie
