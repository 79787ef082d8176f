#pragma once
// What a user has given a crawl to be let in with: passwords and cookies, each bound to its origin or domain.
#include "crawl/cookie_file.h"
#include "crawl/logins.h"
#include "crawl/settings.h"

namespace magpie::crawl {

/// A value; reading is thread-safe.
struct Credentials {
  Logins logins;
  CookieFile cookies;

  /// Whether an answer from there may be meant for this user alone. A host counts with all its ports, as cookies do.
  bool concern(const Url& url) const { return logins.know(url) || cookies.knows(url); }
};

/// Reads the files of crawl.logins and crawl.cookie_file, where they are set. Errors name the setting and never what stands in a file:
/// kForbidden when others may read it, kBadInput (also for a form without crawl.cookies), kNotFound, kTooLarge.
Result<Credentials> load_credentials(const CrawlSettings& settings);

}  // namespace magpie::crawl
