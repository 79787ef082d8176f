#pragma once
// Politeness towards one host, as a value with no clock and no queue: it is told what happened and says when the next request may
// start. Steady time throughout. The ledger counts what really happened, so that it can be shown to the site's owner.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"

namespace magpie::crawl {

using SteadyTime = std::chrono::steady_clock::time_point;
using Millis = std::chrono::milliseconds;

struct PolitenessLimits {
  Millis delay{1'000};        // least pause between starts
  Millis delay_max{300'000};  // a robots Crawl-delay above counts as this
  std::uint32_t parallel_max = 1;
  Millis backoff_first{60'000};  // doubles with each trouble in a row
  Millis backoff_max{86'400'000};
  Millis forgiven_after{1'800'000};  // quiet time after which the doubling starts anew
  double delay_factor = 0;           // times the last answer's time, kept free behind it
  std::uint32_t backoffs_max = 5;    // in a row, without a good answer between them: then the host is given up
  std::uint32_t failures_max = 20;   // requests in a row that reached nobody: the same
};

/// What an answer means for its host, beyond the one URL.
enum class HostSignal : std::uint8_t {
  kFine,         // it answered, whatever it said of the URL
  kThrottled,    // 429, 503
  kTimeout,      // two in a row rest the host
  kUnreachable,  // no name, no connection, no TLS
  kNeutral,      // says nothing about the host
};
/// "fine", "throttled", "timeout", "unreachable", "neutral".
std::string_view to_string(HostSignal signal);

/// One time that the whole host was left alone.
struct Backoff {
  SteadyTime at{};
  Millis rest{0};
  HostSignal reason = HostSignal::kThrottled;
  bool asked = false;  // the server named the time in Retry-After
};

struct HostLedger {
  static constexpr std::size_t kBackoffsKeptMax = 100;

  std::uint64_t requests = 0;
  std::optional<SteadyTime> first_start, last_start;
  std::optional<Millis> gap_min;  // smallest pause between two starts
  std::uint32_t parallel_peak = 0;
  std::uint64_t backoffs = 0;
  std::vector<Backoff> backoffs_kept;  // the latest ones, oldest first
};

class HostState {
 public:
  explicit HostState(const PolitenessLimits& limits) : limits_(limits) {}

  /// The pause in force: the larger of the setting and Crawl-delay.
  Millis delay() const;
  void set_crawl_delay(std::optional<double> seconds);
  /// The same for one of several hosts that share this state: the largest counts.
  void raise_crawl_delay(std::optional<double> seconds);

  /// Whether a request may start now; if not, next_start_at() says when, unless all slots are taken.
  bool may_start(SteadyTime now) const { return has_slot() && now >= next_start_at(); }
  bool has_slot() const { return in_flight_ < limits_.parallel_max; }
  SteadyTime next_start_at() const { return std::max(spaced_until_, held_until_); }

  void started(SteadyTime now);
  /// @param reached_after  time from the start until the connection stood: the server's clock begins there.
  /// @param retry_after    what the answer asks for, from its Retry-After.
  /// @param jitter         0..1, spreads back-offs by up to a tenth.
  void ended(SteadyTime started, SteadyTime now, HostSignal signal, Millis reached_after, std::optional<Millis> retry_after, double jitter);
  /// An answer that ended as a good one was none: it asked for a captcha, or to slow down. Rests the host as a throttled one. Such rests
  /// stay in a row, whatever came between them, until they are forgiven.
  void throttled_after_all(SteadyTime now, double jitter);
  /// Nothing starts before.
  void hold_until(SteadyTime when);
  /// The same for a rest that an earlier run began.
  void go_on_resting(SteadyTime until);

  /// Whether trouble, and not the delay alone, keeps the next request back.
  bool resting(SteadyTime now) const { return now < rest_until_; }
  /// Whether that rest is one the server asked for.
  bool rest_was_asked() const { return rest_was_asked_; }
  /// Back-offs since the last good answer.
  std::uint32_t backoffs_in_row() const { return backoffs_in_row_; }
  /// The kind of trouble that has gone on for too long; nothing while there is hope.
  std::optional<HostSignal> hopeless() const;

  std::uint32_t in_flight() const { return in_flight_; }
  const HostLedger& ledger() const { return ledger_; }

 private:
  void back_off(SteadyTime now, HostSignal reason, std::optional<Millis> retry_after, double jitter);
  void note_signal(HostSignal signal);

  PolitenessLimits limits_;
  Millis crawl_delay_{0};
  SteadyTime reached_at_{};    // by the last request
  SteadyTime spaced_until_{};  // by the delay between two requests
  SteadyTime held_until_{};    // by everything else
  std::optional<SteadyTime> last_trouble_;
  std::uint32_t in_flight_ = 0;
  std::uint32_t troubles_ = 0;  // back-offs in a row
  std::uint32_t timeouts_ = 0;  // in a row
  std::uint32_t failures_in_row_ = 0;
  std::uint32_t backoffs_in_row_ = 0;
  std::uint32_t late_backoffs_ = 0;  // by throttled_after_all(), since the last quiet time
  HostSignal last_reason_ = HostSignal::kThrottled;
  SteadyTime rest_until_{};
  bool rest_was_asked_ = false;
  HostLedger ledger_;
};

/// Retry-After (RFC 9110 §10.2.3): seconds, or an HTTP date against `now`. Nothing when unreadable; never negative.
std::optional<Millis> parse_retry_after(std::string_view value, Timestamp now);
/// An HTTP date (RFC 9110 §5.6.7) in any of its three forms. Nothing when unreadable.
std::optional<Timestamp> parse_http_date(std::string_view text);
/// When a sitemap's or feed's date is over: W3C date and time ("2026", "2026-11", "2026-11-22", "2026-11-22T05:19+01:00", …; the note
/// "Date and Time Formats" of 1997), or an HTTP date. A date without a time gives its last moment, since the change may have come any
/// time before. Nothing when unreadable.
std::optional<Timestamp> parse_lastmod(std::string_view text);

}  // namespace magpie::crawl
