// Retry-After, HTTP dates and dates of sitemaps; declared in crawl/host_state.h.
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "crawl/host_state.h"

namespace magpie::crawl {
namespace {

// Words and numbers of a date, split at everything that only separates.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::size_t kWordsMax = 12;
  while (words.size() < kWordsMax) {
    const std::size_t begin = text.find_first_not_of(" ,-\t");
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" ,-\t", begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

unsigned month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return i + 1;
  }
  return 0;
}

std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto hour = number(text.substr(0, 2)), minute = number(text.substr(3, 2)), second = number(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

}  // namespace

std::optional<Timestamp> parse_http_date(std::string_view text) {
  // IMF-fixdate "Sun, 06 Nov 1994 08:49:37 GMT"; RFC 850 "Sunday, 06-Nov-94 08:49:37 GMT"; asctime "Sun Nov  6 08:49:37 1994".
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() < 5) return std::nullopt;
  const bool asctime = month_of(words[1]) != 0;
  const unsigned month = month_of(words[asctime ? 1 : 2]);
  const auto day = number(words[asctime ? 2 : 1]);
  auto year = number(words[asctime ? 4 : 3]);
  const auto time = time_of_day(words[asctime ? 3 : 4]);
  if (month == 0 || !day || !year || !time) return std::nullopt;
  if (*year < 100) *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return Timestamp(std::chrono::sys_days(date) + *time);
}

std::optional<Timestamp> parse_lastmod(std::string_view text) {
  const auto year = number(text.substr(0, 4));
  if (!year || *year < 1970 || *year > 9'999 || (text.size() > 4 && text[4] != '-')) return parse_http_date(text);
  using namespace std::chrono;
  const auto field = [&](std::size_t at, char before) {
    return text.size() >= at + 2 && text[at - 1] == before ? number(text.substr(at, 2)) : std::nullopt;
  };
  const auto last_moment = [](sys_days next_day) { return Timestamp(next_day) - milliseconds(1); };
  if (text.size() == 4) return last_moment(sys_days(std::chrono::year(*year + 1) / January / 1));
  const auto month_number = field(5, '-');
  if (!month_number || *month_number < 1 || *month_number > 12) return std::nullopt;
  const auto month = std::chrono::year(*year) / std::chrono::month(static_cast<unsigned>(*month_number));
  if (text.size() == 7) return last_moment(sys_days((month + months(1)) / 1));
  const auto day_number = field(8, '-');
  const year_month_day day = month / static_cast<int>(day_number.value_or(0));
  if (!day_number || !day.ok()) return std::nullopt;
  if (text.size() == 10) return last_moment(sys_days(day) + days(1));
  const auto hour = field(11, 'T'), minute = field(14, ':');
  if (!hour || !minute || *hour > 24 || *minute > 59) return std::nullopt;
  Timestamp time = Timestamp(sys_days(day)) + hours(*hour) + minutes(*minute);
  if (const auto second = field(17, ':')) time += seconds(*second);
  // What follows the time is a fraction, which does not matter here, and the zone: Z, +hh:mm, -hh:mm.
  const std::size_t zone = text.find_first_of("+-", 16);
  if (zone == std::string_view::npos) return time;
  const auto zone_hour = field(zone + 1, text[zone]);
  if (!zone_hour) return std::nullopt;
  const minutes offset = hours(*zone_hour) + minutes(field(zone + 4, ':').value_or(0));
  return text[zone] == '+' ? time - offset : time + offset;
}

std::optional<Millis> parse_retry_after(std::string_view value, Timestamp now) {
  constexpr std::int64_t kSecondsMax = std::int64_t{366} * 86'400;
  if (!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
    std::int64_t seconds = kSecondsMax;  // also what does not fit
    std::from_chars(value.data(), value.data() + value.size(), seconds);
    return std::chrono::seconds(std::min(seconds, kSecondsMax));
  }
  const auto when = parse_http_date(value);
  if (!when) return std::nullopt;
  return std::clamp<Millis>(std::chrono::duration_cast<Millis>(*when - now), Millis(0), std::chrono::seconds(kSecondsMax));
}

}  // namespace magpie::crawl
