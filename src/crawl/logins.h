#pragma once
// Names and passwords that a crawl may use, each for one origin. They are in a file that only its owner can read, or in environment
// variables which that file names; never on a command line, in a log, in the catalog or in the archive.
//
//   [{"origin": "https://shop.example", "user": "me", "password": "…"},
//    {"origin": "https://staging.example:8443", "user": "me", "password_env": "STAGING_PASSWORD"}]
//
// They go out as HTTP Basic (RFC 7617), with the first request, to this very scheme, host and port: what is given for https is not sent
// over http, and a redirect to elsewhere does not take it along.
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/url.h"

namespace magpie::crawl {

/// A value; reading is thread-safe.
class Logins {
 public:
  static constexpr std::size_t kBytesMax = 1024 * 1024;
  static constexpr std::size_t kLoginsMax = 10'000;

  Logins() = default;
  /// kBadInput, with the entry's number and never its words, for what is not as above; kNotFound for an environment variable that is not
  /// set.
  static Result<Logins> parse(std::string_view json);

  /// The value of the Authorization header for a request; "" for none.
  std::string_view authorization_for(const Url& url) const;
  std::size_t size() const { return by_origin_.size(); }

 private:
  std::map<std::string, std::string> by_origin_;  // "https://a.test" -> "Basic …"
};

}  // namespace magpie::crawl
