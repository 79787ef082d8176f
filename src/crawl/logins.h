#pragma once
// Names and passwords that a crawl may use, each for one origin. They are in a file that only its owner can read, or in environment
// variables which that file names; never on a command line, in a log, in the catalog or in the archive.
//
//   [{"origin": "https://shop.example", "user": "me", "password": "…"},
//    {"origin": "https://staging.example:8443", "user": "me", "password_env": "STAGING_PASSWORD"},
//    {"origin": "https://members.example", "form": "/login?lang=en", "user": "me", "password": "…", "user_field": "mail"}]
//
// Without "form" they go out as HTTP Basic (RFC 7617), with the first request. With it they are written into the form of that page of the
// origin before anything else of it is asked (form_logins.h); "user_field" and "password_field" name its fields where they are not found
// by themselves. One origin may have both. Either way they go to this very scheme, host and port: what is given for https is not sent over
// http, and a redirect to elsewhere does not take it along. An origin of plain http, other than this machine, needs "plain_http": true.
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crawl/login_form.h"
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
  /// Whether an origin of this host has an entry.
  bool know(const Url& url) const { return hosts_.contains(url.hostname()); }
  /// By origin.
  const std::map<std::string, FormLogin>& forms() const { return forms_; }

 private:
  std::map<std::string, std::string> basic_;  // "https://a.test" -> "Basic …"
  std::map<std::string, FormLogin> forms_;
  std::set<std::string, std::less<>> hosts_;  // names of all
};

}  // namespace magpie::crawl
