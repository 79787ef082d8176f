#pragma once
// One origin's robots.txt over time: whether it must be read, may be used, or could not be reached. Pure: it is told answers and times.
// Source: RFC 9309 §2.3.1: 4xx means no rules; 5xx and no answer mean no access; up to five redirects are followed; kept for a day.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/records.h"
#include "crawl/answer.h"
#include "crawl/host_state.h"
#include "crawl/robots.h"
#include "net/http_client.h"

namespace magpie::crawl {

struct RobotsLimits {
  Millis ttl{86'400'000};
  Millis unreachable_ttl{3'600'000};  // how long "no access" is kept before the file is asked for again
  Millis retry_delay{5'000};          // before the first new try; four times as long before each further one
  std::uint32_t retries_max = 2;      // one after a time-out
  Millis retry_after_max{30'000};     // a server that wants a longer pause is unreachable for now
  std::uint32_t redirects_max = 5;
};

class RobotsState {
 public:
  enum class Phase { kUnread, kReading, kRead, kAbsent, kUnreachable };

  explicit RobotsState(Url robots_url) : home_(robots_url), next_(std::move(robots_url)) {}

  /// What has to happen before a URL of this origin can be judged.
  enum class Need { kNothing, kRead, kWaitForAnswer, kWaitUntil };
  Need need(SteadyTime now) const;
  SteadyTime wait_until() const { return retry_at_; }

  /// The address to ask now: robots.txt, or where it redirected to.
  const Url& next_url() const { return next_; }
  const Url& home_url() const { return home_; }
  void reading() { phase_ = Phase::kReading; }

  /// @param follow  whether a redirect target may be asked (scope).
  void answered(const HttpResponse& response, const AnswerVerdict& verdict, std::string_view agent, const RobotsLimits& limits,
                SteadyTime now, const std::function<bool(const Url&)>& follow);
  /// The request came to nothing without an answer (a shutdown): it is unread again.
  void abandoned() { phase_ = Phase::kUnread; }

  Phase phase() const { return phase_; }
  const RobotsRules& rules() const { return rules_; }
  /// Of kUnreachable: why, for the URLs that are given up because of it.
  Cause cause() const { return cause_; }
  const std::string& detail() const { return detail_; }
  std::string_view phase_name() const;

 private:
  void settle(Phase phase, SteadyTime until);

  Url home_, next_;
  Phase phase_ = Phase::kUnread;
  RobotsRules rules_;
  SteadyTime good_until_{};  // of kRead, kAbsent and kUnreachable
  SteadyTime retry_at_{};    // of kUnread
  std::uint32_t tries_ = 0, redirects_ = 0;
  Cause cause_ = Cause::kNone;
  std::string detail_;
};

}  // namespace magpie::crawl
