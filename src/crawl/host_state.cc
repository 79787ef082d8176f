#include "crawl/host_state.h"

#include <algorithm>

namespace magpie::crawl {
namespace {

// Two requests that start a delay apart may arrive closer together, when the first is held up on its way. How long it was cannot be
// known, but no longer than its answer took; and a twentieth of the delay, at most 25 ms, is thought enough.
Millis margin_of(Millis delay) { return std::min<Millis>(delay / 20, Millis(25)); }

}  // namespace

std::string_view to_string(HostSignal signal) {
  switch (signal) {
    case HostSignal::kFine: return "fine";
    case HostSignal::kThrottled: return "throttled";
    case HostSignal::kTimeout: return "timeout";
    case HostSignal::kUnreachable: return "unreachable";
    case HostSignal::kNeutral: return "neutral";
  }
  return "neutral";
}

Millis HostState::delay() const { return std::max(limits_.delay, std::min(crawl_delay_, limits_.delay_max)); }

void HostState::raise_crawl_delay(std::optional<double> seconds) {
  const std::chrono::duration<double> now(crawl_delay_);
  set_crawl_delay(std::max(seconds.value_or(0), now.count()));
}

void HostState::set_crawl_delay(std::optional<double> seconds) {
  const double bounded = std::clamp(seconds.value_or(0), 0.0, std::chrono::duration<double>(limits_.delay_max).count());
  crawl_delay_ = std::chrono::ceil<Millis>(std::chrono::duration<double>(bounded));
  if (ledger_.last_start) spaced_until_ = std::max(spaced_until_, reached_at_ + delay() + margin_of(delay()));
}

void HostState::started(SteadyTime now) {
  if (ledger_.last_start) {
    const auto gap = std::chrono::floor<Millis>(now - *ledger_.last_start);
    ledger_.gap_min = std::min(ledger_.gap_min.value_or(gap), gap);
  }
  ledger_.last_start = now;
  if (!ledger_.first_start) ledger_.first_start = now;
  ++ledger_.requests;
  ledger_.parallel_peak = std::max(ledger_.parallel_peak, ++in_flight_);
  reached_at_ = now;  // at the soonest
  spaced_until_ = now + delay() + margin_of(delay());
}

void HostState::ended(SteadyTime started, SteadyTime now, HostSignal signal, Millis reached_after, std::optional<Millis> retry_after,
                      double jitter) {
  --in_flight_;
  // The server's clock for this request began when it was reached.
  if (ledger_.last_start == started) {
    reached_at_ = started + reached_after;
    spaced_until_ = reached_at_ + delay() + std::clamp<SteadyTime::duration>(now - reached_at_, Millis(0), margin_of(delay()));
  }
  if (limits_.delay_factor > 0) {
    const std::chrono::duration<double, std::milli> took = now - started;
    hold_until(now + std::min(std::chrono::ceil<Millis>(took * limits_.delay_factor), limits_.delay_max));
  }
  note_signal(signal);
  if (signal == HostSignal::kThrottled || (signal == HostSignal::kTimeout && timeouts_ >= 2)) back_off(now, signal, retry_after, jitter);
}

void HostState::note_signal(HostSignal signal) {
  switch (signal) {
    case HostSignal::kFine: timeouts_ = failures_in_row_ = backoffs_in_row_ = 0; break;
    case HostSignal::kTimeout: ++timeouts_; break;
    case HostSignal::kUnreachable: ++failures_in_row_; break;
    case HostSignal::kThrottled:
    case HostSignal::kNeutral: break;
  }
}

std::optional<HostSignal> HostState::hopeless() const {
  if (failures_in_row_ >= limits_.failures_max) return HostSignal::kUnreachable;
  if (backoffs_in_row_ >= limits_.backoffs_max) return last_reason_;
  return std::nullopt;
}

void HostState::back_off(SteadyTime now, HostSignal reason, std::optional<Millis> retry_after, double jitter) {
  // Answers to requests that were under way when the host was rested already say nothing new.
  const bool resting = last_trouble_ && now < next_start_at() && troubles_ > 0 && !retry_after;
  if (resting && now - *last_trouble_ < limits_.backoff_first) return;
  if (last_trouble_ && now - *last_trouble_ > limits_.forgiven_after + limits_.backoff_first * (1 << std::min(troubles_, 10u)))
    troubles_ = late_backoffs_ = 0;
  last_trouble_ = now;
  last_reason_ = reason;
  ++backoffs_in_row_;
  Millis rest = limits_.backoff_first * (std::int64_t{1} << std::min(troubles_++, 20u));
  if (retry_after) rest = *retry_after;
  rest = std::min(rest, limits_.backoff_max);
  rest += std::chrono::duration_cast<Millis>(rest * std::clamp(jitter, 0.0, 1.0) / 10);
  hold_until(now + rest);
  rest_until_ = std::max(rest_until_, now + rest);
  rest_was_asked_ = retry_after.has_value();
  ++ledger_.backoffs;
  auto& kept = ledger_.backoffs_kept;
  if (kept.size() >= HostLedger::kBackoffsKeptMax) kept.erase(kept.begin());
  kept.push_back({now, rest, reason, retry_after.has_value()});
}

void HostState::go_on_resting(SteadyTime until) {
  hold_until(until);
  rest_until_ = std::max(rest_until_, until);
  rest_was_asked_ = true;
}

void HostState::throttled_after_all(SteadyTime now, double jitter) {
  const std::uint64_t before = ledger_.backoffs;
  back_off(now, HostSignal::kThrottled, std::nullopt, jitter);
  if (ledger_.backoffs > before) backoffs_in_row_ = std::max(backoffs_in_row_, ++late_backoffs_);
}

void HostState::hold_until(SteadyTime when) { held_until_ = std::max(held_until_, when); }

}  // namespace magpie::crawl
