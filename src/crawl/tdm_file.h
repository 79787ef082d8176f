#pragma once
// One origin's tdmrep.json over time: whether it must be read, or may be used. Pure: it is told answers and times. Unlike robots.txt it
// forbids no request, so one that cannot be reached reserves nothing, and what was known before stays. Redirects are followed within the
// registrable domain, as the owner is one there: five in a row.
#include "core/records.h"
#include "crawl/host_state.h"
#include "crawl/tdm_rules.h"
#include "net/http_client.h"

namespace magpie::crawl {

class TdmFile {
 public:
  /// @param tdm_url  where the file of an origin is.
  explicit TdmFile(Url tdm_url) : home_(tdm_url), next_(std::move(tdm_url)) {}

  /// What has to happen before a page of this origin is fetched.
  enum class Need { kNothing, kRead, kWaitForAnswer };
  Need need(SteadyTime now) const {
    if (reading_) return Need::kWaitForAnswer;
    return now < good_until_ ? Need::kNothing : Need::kRead;
  }
  /// The address to ask now: the file's own, or where that redirected to.
  const Url& next_url() const { return next_; }
  void reading() { reading_ = true; }
  /// @param ttl  until it is asked for again, as robots.txt is, whatever this answer was: one bad answer costs a host one request.
  void answered(const HttpResponse& response, Millis ttl, SteadyTime now);
  /// robots.txt lets nobody read it: nothing is reserved.
  void forbidden(Millis ttl, SteadyTime now) { settle({}, ttl, now); }
  /// The request came to nothing without an answer (a shutdown).
  void abandoned() { reading_ = false; }

  const TdmRules& rules() const { return rules_; }

 private:
  static constexpr std::uint32_t kRedirectsMax = 5;
  void settle(TdmRules rules, Millis ttl, SteadyTime now);
  bool follow(const HttpResponse& response);

  Url home_, next_;
  std::uint32_t redirects_ = 0;
  bool reading_ = false;
  SteadyTime good_until_{};
  TdmRules rules_;
};

}  // namespace magpie::crawl
