#include "base/settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace magpie {
namespace {

struct Amount {
  double number = 0;
  std::string unit;  // lower case
};

Result<Amount> parse_amount(std::string_view text) {
  Amount out;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  if (error != std::errc() || !std::isfinite(out.number) || out.number < 0)
    return fail(Code::kBadInput, "'{}' does not start with a number", text);
  for (const char c : std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end))) {
    if (c != ' ') out.unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string show(bool value) { return value ? "true" : "false"; }
std::string show(std::int64_t value) { return fmt::to_string(value); }
std::string show(double value) { return fmt::format("{}", value); }
std::string show(Millis value) { return format_duration(value); }
std::string show(const std::string& value) { return value; }

Result<bool> read(std::string_view text, const bool&) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return fail(Code::kBadInput, "'{}' is neither true nor false", text);
}
Result<std::int64_t> read(std::string_view text, const std::int64_t&) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  MAGPIE_TRY(const std::uint64_t size, parse_size(text));
  return static_cast<std::int64_t>(size);
}
Result<double> read(std::string_view text, const double&) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return fail(Code::kBadInput, "'{}' is not a number", text);
  return value;
}
Result<Millis> read(std::string_view text, const Millis&) { return parse_duration(text); }
Result<std::string> read(std::string_view text, const std::string&) { return std::string(text); }

std::string environment_name(std::string_view key) {
  std::string out = "MAGPIE_";
  for (const char c : key) out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

template <class T>
bool holds(const Bounds<T>& bounds, const T& value) {
  return bounds.any || (bounds.min <= value && value <= bounds.max);
}
bool holds(const Bounds<std::string>& bounds, const std::string& value) {
  return bounds.words.empty() || std::find(bounds.words.begin(), bounds.words.end(), value) != bounds.words.end();
}

template <class T>
std::string show(const Bounds<T>& bounds) {
  return bounds.any ? "" : fmt::format("{} … {}", show(bounds.min), show(bounds.max));
}
std::string show(const Bounds<std::string>& bounds) { return fmt::format("{}", fmt::join(bounds.words, " | ")); }

template <class T, class Entry>
Entry make_entry(Setting<T>& setting) {
  Entry entry;
  entry.set = [&setting](std::string_view text) -> Result<void> {
    auto value = read(text, setting.value);
    if (!value) return fail(Code::kBadInput, "{}: {}", setting.key, value.error().message);
    if (!holds(setting.bounds, *value)) return fail(Code::kBadInput, "{}: '{}' is not in {}", setting.key, text, show(setting.bounds));
    setting.value = std::move(*value);
    return {};
  };
  entry.explain = [&setting] {
    return SettingsRegistry::Explained{std::string(setting.key), show(setting.value),           show(setting.preset),
                                       show(setting.bounds),     std::string(setting.sentence), environment_name(setting.key)};
  };
  return entry;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  MAGPIE_TRY(const Amount amount, parse_amount(text));
  double millis = 0;
  if (amount.unit == "ms") millis = 1;
  else if (amount.unit.empty() || amount.unit == "s") millis = 1'000;
  else if (amount.unit == "m" || amount.unit == "min") millis = 60'000;
  else if (amount.unit == "h") millis = 3'600'000;
  else if (amount.unit == "d") millis = 86'400'000;
  else return fail(Code::kBadInput, "'{}' has an unknown unit; use ms, s, m, h or d", text);
  if (amount.number * millis > 1e15) return fail(Code::kBadInput, "'{}' is too long", text);
  return Millis(std::llround(amount.number * millis));
}

std::string format_duration(Millis value) {
  const auto ms = value.count();
  if (ms != 0 && ms % 86'400'000 == 0) return fmt::format("{}d", ms / 86'400'000);
  if (ms != 0 && ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms != 0 && ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1'000 == 0) return fmt::format("{}s", ms / 1'000);
  return fmt::format("{}ms", ms);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  MAGPIE_TRY(const Amount amount, parse_amount(text));
  static constexpr std::string_view kUnits = "kmgt";
  double factor = 1;
  if (!amount.unit.empty() && amount.unit != "b") {
    const std::size_t power = kUnits.find(amount.unit[0]);
    const std::string_view rest = std::string_view(amount.unit).substr(1);
    if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) {
      return fail(Code::kBadInput, "'{}' has an unknown unit; use KB, MB, GB or TB", text);
    }
    factor = std::pow(1024.0, static_cast<double>(power + 1));
  }
  if (amount.number * factor > 9e18) return fail(Code::kBadInput, "'{}' is too large", text);
  return static_cast<std::uint64_t>(amount.number * factor);
}

void SettingsRegistry::add_one(Setting<bool>& s) { entries_[std::string(s.key)] = make_entry<bool, Entry>(s); }
void SettingsRegistry::add_one(Setting<std::int64_t>& s) { entries_[std::string(s.key)] = make_entry<std::int64_t, Entry>(s); }
void SettingsRegistry::add_one(Setting<double>& s) { entries_[std::string(s.key)] = make_entry<double, Entry>(s); }
void SettingsRegistry::add_one(Setting<Millis>& s) { entries_[std::string(s.key)] = make_entry<Millis, Entry>(s); }
void SettingsRegistry::add_one(Setting<std::string>& s) { entries_[std::string(s.key)] = make_entry<std::string, Entry>(s); }

Result<void> SettingsRegistry::set(std::string_view key, std::string_view value) {
  const auto entry = entries_.find(key);
  if (entry != entries_.end()) return entry->second.set(value);
  std::vector<std::string> names;
  for (const auto& [name, unused] : entries_) names.push_back(name);
  const std::string near = nearest_name(key, names);
  if (near.empty()) return fail(Code::kBadInput, "no setting is called '{}'; see magpie config --explain", key);
  return fail(Code::kBadInput, "no setting is called '{}'; did you mean '{}'?", key, near);
}

Result<void> SettingsRegistry::set_from_environment() {
  for (auto& [key, entry] : entries_) {
    const std::string name = environment_name(key);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    if (auto done = entry.set(value); !done) return fail(done.error(), fmt::format("environment variable {}", name));
  }
  return {};
}

std::vector<SettingsRegistry::Explained> SettingsRegistry::explain() const {
  std::vector<Explained> out;
  for (const auto& [key, entry] : entries_) out.push_back(entry.explain());
  return out;
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace magpie
