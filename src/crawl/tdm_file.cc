#include "crawl/tdm_file.h"

namespace magpie::crawl {

void TdmFile::settle(TdmRules rules, Millis ttl, SteadyTime now) {
  reading_ = false;
  rules_ = std::move(rules);
  good_until_ = now + ttl;
}

void TdmFile::answered(const HttpResponse& response, Millis ttl, SteadyTime now) {
  if (response.complete() && response.status >= 200 && response.status < 300) return settle(TdmRules::parse(response.body), ttl, now);
  const bool absent = response.complete() && response.status >= 300 && response.status < 500 && response.status != 429;
  if (absent || response.cause == HttpCause::kTooLarge) return settle({}, ttl, now);
  settle(std::move(rules_), ttl, now);
}

}  // namespace magpie::crawl
