#include "serve/api_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace magpie {
namespace {

constexpr std::array<std::string_view, 11> kColourNames = {"black", "white", "grey",   "red",  "orange", "yellow",
                                                           "green", "blue",  "purple", "pink", "brown"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `count` digits off the front; -1 when they are not there.
int take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count || !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count), is_digit)) return -1;
  int value = 0;
  std::from_chars(text.data(), text.data() + count, value);
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// "Z", "+02:00".
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return std::chrono::minutes(0);
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return std::nullopt;
  const int hours = take_number(text, 2);
  const bool colon = take(text, ':');
  const int minutes = take_number(text, 2);
  if (!colon || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(hours * 60 + minutes);
  return west ? -offset : offset;
}

}  // namespace

std::string api_time(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<Timestamp> parse_api_time(std::string_view text) {
  const int year = take_number(text, 4);
  bool marks = take(text, '-');
  const int month = take_number(text, 2);
  marks = take(text, '-') && marks;
  const int day = take_number(text, 2);
  marks = (take(text, 'T') || take(text, 't') || take(text, ' ')) && marks;
  const int hour = take_number(text, 2);
  marks = take(text, ':') && marks;
  const int minute = take_number(text, 2);
  marks = take(text, ':') && marks;
  const int second = take_number(text, 2);
  if (!marks || year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return std::nullopt;
  if (take(text, '.')) {
    if (take_number(text, 1) < 0) return std::nullopt;
    while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
  }
  const auto offset = take_offset(text);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!offset || !text.empty() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) - *offset;
}

bool is_api_amount(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view units = text.substr(0, point);
  if (units.empty() || units.size() > 15 || !std::all_of(units.begin(), units.end(), is_digit)) return false;
  if (point == text.size()) return true;
  const std::string_view parts = text.substr(point + 1);
  return !parts.empty() && parts.size() <= 4 && std::all_of(parts.begin(), parts.end(), is_digit);
}

bool has_currency_form(std::string_view text) {
  return text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_colour_name(std::string_view text) { return std::find(kColourNames.begin(), kColourNames.end(), text) != kColourNames.end(); }

std::string colour_names_text() { return fmt::format("{}", fmt::join(kColourNames, ", ")); }

std::optional<std::uint64_t> parse_api_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), id);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || id < 1 || id > kApiIdMax) return std::nullopt;
  return id;
}

std::string api_colour(std::uint32_t rgb) { return fmt::format("#{:06x}", rgb & 0xFFFFFF); }

std::string api_amount(std::int64_t micros) {
  const std::int64_t ten_thousandths = std::max<std::int64_t>(micros, 0) / 100;
  std::string text = fmt::format("{}.{:04}", ten_thousandths / 10'000, ten_thousandths % 10'000);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

void write_price(JsonWriter& json, const Offer& offer) {
  if (!is_api_amount(offer.price) || !has_currency_form(offer.currency)) {
    json.null();
  } else {
    json.begin_object().field("amount", offer.price).field("currency", offer.currency).end_object();
  }
}

void write_text_or_null(JsonWriter& json, std::string_view key, std::string_view text) {
  json.key(key);
  text.empty() ? json.null() : json.string(text);
}

void write_time_or_null(JsonWriter& json, std::string_view key, const std::optional<Timestamp>& time) {
  json.key(key);
  time ? json.string(api_time(*time)) : json.null();
}

void write_copy_links(JsonWriter& json, const std::vector<CopyLink>& links) {
  json.begin_array();
  for (const CopyLink& link : links) {
    json.begin_object().field("image_id", link.image).field("copy_of", link.other).field("found_by", to_string(link.cause));
    write_text_or_null(json, "because", link.words);
    json.end_object();
  }
  json.end_array();
}

}  // namespace magpie
