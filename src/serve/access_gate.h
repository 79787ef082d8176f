#pragma once
// Who may do what: asked for each request of the API, behind request_guard.h.
//   on the collection's Unix socket      everything: it is its owner's
//   on loopback (unless serve.keys says) everything
//   else                                 with a key (access_keys.h), as `Authorization: Bearer KEY`, or as the cookie `magpie_key`, since
//                                        pictures and event streams of a page carry no header of ours; serve.open lets anybody read.
//                                        The cookie is the server's (session_routes.cc): HttpOnly, so that no script can read it
// A page of another site can use neither: it does not get the cookie (SameSite=Strict), and request_guard.h refuses its Origin.
#include <chrono>

#include "core/clock.h"
#include "net/http_server.h"
#include "serve/access_keys.h"
#include "serve/problem.h"
#include "serve/rate_limit.h"

namespace magpie {

struct AccessOptions {
  fs::path key_file{};
  bool keys_needed = false;
  bool open_to_read = false;  // nobody needs a key for KeyScope::kSearch
  RateLimit limit{};          // of one key, or of one address without; only while keys are needed
};

inline constexpr std::string_view kKeyCookie = "magpie_key";
/// The key that a request carries, in its header or else in its cookie; empty when it carries none. A view into the request.
std::string_view key_of(const HttpServerRequest& request);

/// Thread-safe.
class AccessGate {
 public:
  /// The clock must outlive it.
  AccessGate(const AccessOptions& options, const Clock& clock)
      : options_(options), clock_(clock), keys_(options.key_file), limiter_(options.limit) {}

  /// Nothing when the request may pass; else 401 key_missing, key_unknown or key_expired, 403 scope_missing, 429 too_many_requests.
  /// `cost`: requests that it counts for.
  std::optional<Problem> judge(const HttpServerRequest& request, KeyScope needed, double cost) const;
  /// Whose key this is: 401 key_unknown or key_expired, 429. Asking costs the caller as in judge(), so that it is no way to guess keys.
  Outcome<AccessKey> find(std::string_view key, const HttpServerRequest& request, double cost = 1) const;

 private:
  std::optional<Problem> limit(const std::string& caller, double cost) const;
  const AccessOptions options_;
  const Clock& clock_;
  const AccessKeys keys_;
  mutable RateLimiter limiter_;
};

}  // namespace magpie
