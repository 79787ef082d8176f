#include "collect/pace.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "crawl/host_state.h"

namespace magpie::collect {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackoffFirst{1'000};

// As they are met: the first is the most common, the second nekos.best's, the third of the IETF's draft.
constexpr std::string_view kRemaining[] = {"X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining"};
constexpr std::string_view kReset[] = {"X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"};

std::optional<std::string_view> header_of(const HttpResponse& response, const std::string& named, std::span<const std::string_view> usual) {
  if (!named.empty()) return response.header(named);
  for (const std::string_view name : usual) {
    if (const auto value = response.header(name)) return value;
  }
  return std::nullopt;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

bool may_pass(const HttpResponse& response) {
  if (!response.complete())
    return response.cause != HttpCause::kGuard && response.cause != HttpCause::kRequest && response.cause != HttpCause::kTooLarge &&
           response.cause != HttpCause::kCancelled;
  const int status = response.status;
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

}  // namespace

std::optional<milliseconds> parse_reset(std::string_view value, Timestamp now) {
  constexpr double kSecondsSince1970 = 1e9, kMillisSince1970 = 1e12;  // less is a time from now: 1e9 s are 31 years
  constexpr double kMillisMax = 1e13;
  const auto until = [&](Timestamp when) { return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(when - now)); };
  if (const auto found = number(value)) {
    if (*found >= kMillisSince1970) return until(Timestamp(milliseconds(static_cast<std::int64_t>(std::min(*found, kMillisMax)))));
    const milliseconds time(static_cast<std::int64_t>(std::ceil(*found * 1'000)));
    return *found >= kSecondsSince1970 ? until(Timestamp(time)) : time;
  }
  const auto date = crawl::parse_lastmod(value);
  if (!date) return std::nullopt;
  const bool has_fraction = value.find('.') != std::string_view::npos;  // which is not read
  return until(*date + milliseconds(has_fraction ? 1'000 : 0));
}

Pace::Pace(const Limits& limits)
    : limits_(limits), gap_(static_cast<std::int64_t>(std::ceil(1'000.0 / std::max(limits.requests_per_second, 1e-4)))) {}

Verdict Pace::answered(const HttpResponse& response, SteadyTime now, Timestamp wall) {
  note_quota(response, now, wall);
  why_ = response.complete() ? fmt::format("{} answered {}", without_query(response.url), response.status)
                             : fmt::format("{}: {}", without_query(response.url), response.error ? response.error->message : "no answer");
  if (response.complete() && response.status >= 200 && response.status < 300) { return Verdict::kGood; }
  if (!may_pass(response)) return Verdict::kListEnds;
  const auto named = response.header("Retry-After");
  return trouble(named ? crawl::parse_retry_after(*named, wall) : std::nullopt, now);
}

Verdict Pace::misread(std::string why, SteadyTime now) {
  why_ = std::move(why);
  return trouble(std::nullopt, now);
}

Verdict Pace::trouble(std::optional<milliseconds> asked, SteadyTime now) {
  if (++failures_ > limits_.retries) {
    why_ += fmt::format(", {} times in a row", failures_);
    return Verdict::kGiveUp;
  }
  next_at_ = std::max(next_at_, now + asked.value_or(kBackoffFirst * (std::int64_t{1} << std::min(failures_ - 1, 20))));
  return Verdict::kAgain;
}

void Pace::note_quota(const HttpResponse& response, SteadyTime now, Timestamp wall) {
  const auto remaining = header_of(response, limits_.remaining_header, kRemaining);
  const auto left = remaining ? number(*remaining) : std::nullopt;
  if (!left || *left >= 1) return;
  const auto reset = header_of(response, limits_.reset_header, kReset);
  const auto wait = reset ? parse_reset(*reset, wall) : std::nullopt;
  if (wait) next_at_ = std::max(next_at_, now + *wait);
}

}  // namespace magpie::collect
