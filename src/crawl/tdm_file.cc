#include "crawl/tdm_file.h"

#include "base/log.h"
#include "net/domain.h"

namespace magpie::crawl {

void TdmFile::settle(TdmRules rules, Millis ttl, SteadyTime now) {
  reading_ = false;
  rules_ = std::move(rules);
  good_until_ = now + ttl;
  next_ = home_;
  redirects_ = 0;
}

/// Whether the file is to be read where the answer sends.
bool TdmFile::follow(const HttpResponse& response) {
  const auto target = redirect_target(response);
  if (!response.complete() || !target || !*target || !(*target)->is_http() || redirects_ >= kRedirectsMax) return false;
  if (site_of_host((*target)->hostname()) != site_of_host(home_.hostname())) return false;
  ++redirects_;
  next_ = (*target)->without_fragment();
  reading_ = false;
  return true;
}

void TdmFile::answered(const HttpResponse& response, Millis ttl, SteadyTime now) {
  if (follow(response)) return;
  if (response.complete() && response.status >= 200 && response.status < 300) {
    TdmRules rules = TdmRules::parse(response.body);
    if (!rules.readable()) log::debug("crawl.tdm_unreadable", {{"site", home_.origin()}, {"body_bytes", response.body.size()}});
    return settle(std::move(rules), ttl, now);
  }
  const bool absent = response.complete() && response.status >= 300 && response.status < 500 && response.status != 429;
  if (absent || response.cause == HttpCause::kTooLarge) return settle({}, ttl, now);
  settle(std::move(rules_), ttl, now);
}

}  // namespace magpie::crawl
