#include "crawl/robots_state.h"

#include <algorithm>

namespace magpie::crawl {

RobotsState::Need RobotsState::need(SteadyTime now) const {
  if (phase_ == Phase::kReading) return Need::kWaitForAnswer;
  if (phase_ == Phase::kUnread) return now < retry_at_ ? Need::kWaitUntil : Need::kRead;
  return now < good_until_ ? Need::kNothing : Need::kRead;
}

void RobotsState::settle(Phase phase, SteadyTime until) {
  phase_ = phase;
  good_until_ = until;
  next_ = home_;
  tries_ = redirects_ = 0;
}

void RobotsState::answered(const HttpResponse& response, const AnswerVerdict& verdict, std::string_view agent, const RobotsLimits& limits,
                           SteadyTime now, const std::function<bool(const Url&)>& follow) {
  if (response.complete() && response.status >= 300 && response.status < 400) {
    const auto target = redirect_target(response);
    if (target && *target && (*target)->is_http() && redirects_ < limits.redirects_max && follow(**target)) {
      ++redirects_;
      next_ = **target;
      phase_ = Phase::kUnread;
      retry_at_ = now;
      return;
    }
    rules_ = {};
    return settle(Phase::kAbsent, now + limits.ttl);
  }
  // A file over the limit counts as far as it was read.
  if (response.status >= 200 && response.status < 300 && (response.complete() || response.cause == HttpCause::kTooLarge)) {
    rules_ = RobotsRules::parse(response.body, agent);
    return settle(Phase::kRead, now + limits.ttl);
  }
  if (response.complete() && response.status >= 400 && response.status < 500 && response.status != 429) {
    rules_ = {};
    return settle(Phase::kAbsent, now + limits.ttl);
  }
  cause_ = response.complete() ? Cause::kRobots : verdict.cause;
  detail_ = "robots.txt could not be read: " + verdict.detail;
  const std::uint32_t retries_max = verdict.cause == Cause::kTimeout ? std::min(limits.retries_max, 1u) : limits.retries_max;
  const Millis pause = verdict.retry_after.value_or(limits.retry_delay * (std::int64_t{1} << (2 * tries_)));
  if (verdict.passing && tries_ < retries_max && (!verdict.retry_after || pause <= limits.retry_after_max)) {
    phase_ = Phase::kUnread;
    retry_at_ = now + pause;
    ++tries_;
    return;
  }
  settle(Phase::kUnreachable, now + limits.unreachable_ttl);
}

std::string_view RobotsState::phase_name() const {
  switch (phase_) {
    case Phase::kUnread:
    case Phase::kReading: return "unread";
    case Phase::kRead: return "read";
    case Phase::kAbsent: return "none";
    case Phase::kUnreachable: return "unreachable";
  }
  return "unread";
}

}  // namespace magpie::crawl
