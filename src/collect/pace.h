#pragma once
// How often one source may be asked: its own limit, what its answers say of a quota, and rests after trouble. A value without a clock.
#include <chrono>
#include <string>

#include "collect/description.h"
#include "core/records.h"
#include "net/http_client.h"

namespace magpie::collect {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What an answer is good for.
enum class Verdict : std::uint8_t {
  kGood,
  kAgain,     // passing trouble: the same call again, not before next_at()
  kListEnds,  // this call will never do (404, a redirect, not allowed); others may
  kGiveUp,    // the source has not answered well for limits.retries times and one more
};

class Pace {
 public:
  explicit Pace(const Limits& limits);

  /// When the next call may start; the caller judges whether that is too far away.
  SteadyTime next_at() const { return next_at_; }
  void started(SteadyTime now) { next_at_ = std::max(next_at_, now + gap_); }
  /// Why an answer is not good: in why(). A good one that reads is confirmed by read_well().
  Verdict answered(const HttpResponse& response, SteadyTime now, Timestamp wall);
  void read_well() { failures_ = 0; }
  /// A good answer turned out not to be one: it counts as passing trouble.
  Verdict misread(std::string why, SteadyTime now);
  const std::string& why() const { return why_; }

 private:
  Verdict trouble(std::optional<std::chrono::milliseconds> asked, SteadyTime now);
  void note_quota(const HttpResponse& response, SteadyTime now, Timestamp wall);

  Limits limits_;
  std::chrono::milliseconds gap_;
  SteadyTime next_at_{};
  int failures_ = 0;  // in a row
  std::string why_;
};

/// How long until a quota is full again: seconds from now ("12", "0.5"), seconds or milliseconds since 1970, or a date (ISO 8601, HTTP).
/// Nothing for what is none of these.
std::optional<std::chrono::milliseconds> parse_reset(std::string_view value, Timestamp now);

}  // namespace magpie::collect
