#pragma once
// The hosts a job may ask. By default the seeds' own hosts (with port), where "www.a.test" and "a.test" count as one.
#include <string>
#include <unordered_set>
#include <vector>

#include "core/records.h"
#include "net/url.h"

namespace magpie::crawl {

struct ScopeOptions {
  bool same_site = false;        // registrable domains instead of hosts (net/domain.h)
  bool images_off_host = false;  // pictures may lie anywhere
};

/// A value; reading is thread-safe.
class Scope {
 public:
  Scope(const std::vector<Url>& seeds, ScopeOptions options);
  /// Whether the job may fetch this. http and https only. No heap in the usual case.
  bool allows(const Url& url, UrlKind kind) const;

 private:
  bool contains_host(const Url& url) const;
  ScopeOptions options_;
  std::unordered_set<std::string> hosts_;  // without "www."
  std::unordered_set<std::string> sites_;
};

}  // namespace magpie::crawl
