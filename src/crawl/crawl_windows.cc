#include "crawl/crawl_windows.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/ascii.h"

namespace magpie::crawl {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int kDayMinutes = 24 * 60;
constexpr unsigned kEveryDay = 0x7F;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Cuts `text` at the first `separator`; the rest is what follows it.
std::string_view take_part(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return trimmed(part);
}

Result<unsigned> day_number(std::string_view name) {
  const auto found = std::find(kDays.begin(), kDays.end(), ascii_lowered(name));
  if (found == kDays.end()) return fail(Code::kBadInput, "'{}' is no day; give mon, tue, wed, thu, fri, sat or sun", name);
  return static_cast<unsigned>(found - kDays.begin());
}

/// "mon-fri,sun" as bits; "fri-mon" goes over the week's end.
Result<unsigned> parse_days(std::string_view text) {
  unsigned days = 0;
  while (!text.empty()) {
    std::string_view range = take_part(text, ',');
    const bool single = range.find('-') == range.npos;
    MAGPIE_TRY(unsigned day, day_number(take_part(range, '-')));
    unsigned last = day;
    if (!single) { MAGPIE_TRY(last, day_number(trimmed(range))); }
    for (days |= 1u << day; day != last; days |= 1u << day) day = (day + 1) % 7;
  }
  return days;
}

/// "06:30" or "24:00" in minutes.
Result<int> parse_time(std::string_view text) {
  const auto digit = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 100; };
  if (text.size() == 5 && text[2] == ':') {
    const int hours = 10 * digit(0) + digit(1);
    const int minutes = 10 * digit(3) + digit(4);
    if (minutes < 60 && (hours < 24 || (hours == 24 && minutes == 0))) return 60 * hours + minutes;
  }
  return fail(Code::kBadInput, "'{}' is no time of day; give it as 06:30", text);
}

struct WallTime {
  unsigned day = 0;  // of the week, 0: Sunday
  int minute = 0;    // of the day
};

WallTime wall_time(Timestamp time, const void* zone) {
  auto* const known = const_cast<GTimeZone*>(static_cast<const GTimeZone*>(zone));
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  const int interval = g_time_zone_find_interval(known, G_TIME_TYPE_UNIVERSAL, seconds);
  const std::chrono::seconds local(seconds + g_time_zone_get_offset(known, interval));
  const auto days = std::chrono::floor<std::chrono::days>(local);
  return {std::chrono::weekday(std::chrono::sys_days(days)).c_encoding(),
          static_cast<int>(std::chrono::floor<std::chrono::minutes>(local - days).count())};
}

}  // namespace

Result<CrawlWindows::Window> CrawlWindows::parse_window(std::string_view text) {
  Window window;
  window.days = kEveryDay;
  const bool has_time = text.find(':') != text.npos;
  const std::size_t space = has_time ? text.substr(0, text.find(':')).find_last_of(" \t") : text.size();
  const std::string_view days = space == text.npos ? std::string_view() : trimmed(text.substr(0, space));
  if (!days.empty()) { MAGPIE_TRY(window.days, parse_days(days)); }
  if (!has_time) return window;
  std::string_view times = space == text.npos ? text : trimmed(text.substr(space));
  MAGPIE_TRY(window.from, parse_time(take_part(times, '-')));
  if (times.empty()) return fail(Code::kBadInput, "a time of day alone says no end; give a range, as 22:00-06:00");
  MAGPIE_TRY(window.to, parse_time(trimmed(times)));
  if (window.from == kDayMinutes) return fail(Code::kBadInput, "nothing begins at 24:00; give 00:00 of the day after");
  if (window.to <= window.from) window.to += kDayMinutes;
  return window;
}

Result<CrawlWindows> CrawlWindows::parse(std::string_view text, std::string_view zone) {
  constexpr std::size_t kWindowsMax = 100;
  CrawlWindows out;
  while (!text.empty()) {
    const std::string_view part = take_part(text, ';');
    if (part.empty()) continue;
    const auto window = parse_window(part);
    if (!window) return fail(Code::kBadInput, "crawl.windows: '{}' cannot be read: {}", part, window.error().message);
    if (out.windows_.size() == kWindowsMax) return fail(Code::kBadInput, "crawl.windows: over {} windows", kWindowsMax);
    out.windows_.push_back(*window);
  }
  if (out.windows_.empty() && zone.empty()) return out;
  GTimeZone* const known = zone.empty() ? g_time_zone_new_local() : g_time_zone_new_identifier(std::string(zone).c_str());
  if (known == nullptr) return fail(Code::kNotFound, "crawl.time_zone: the system knows no zone '{}'; give one as Europe/Berlin", zone);
  out.zone_ = std::shared_ptr<const void>(known, [](GTimeZone* ended) { g_time_zone_unref(ended); });
  return out;
}

bool CrawlWindows::open_at(Timestamp time) const {
  if (windows_.empty()) return true;
  const WallTime now = wall_time(time, zone_.get());
  const unsigned yesterday = (now.day + 6) % 7;
  return std::any_of(windows_.begin(), windows_.end(), [&](const Window& window) {
    const bool today = (window.days >> now.day & 1) != 0 && now.minute >= window.from && now.minute < window.to;
    return today || ((window.days >> yesterday & 1) != 0 && now.minute + kDayMinutes < window.to);
  });
}

// Minute by minute: the wall's clock jumps where a zone changes, and so does what is open.
std::optional<Timestamp> CrawlWindows::next_change(Timestamp after) const {
  if (windows_.empty()) return std::nullopt;
  const bool open = open_at(after);
  Timestamp minute = std::chrono::ceil<std::chrono::minutes>(after + std::chrono::milliseconds(1));
  for (int i = 0; i < 15 * kDayMinutes; ++i, minute += std::chrono::minutes(1)) {
    if (open_at(minute) != open) return minute;
  }
  return std::nullopt;
}

}  // namespace magpie::crawl
