#pragma once
// A setting is declared once, beside the code that uses it: key, default, bounds, one sentence. The collection's file
// (magpie.yaml), job files, `--set key=value`, the environment (MAGPIE_CRAWL_HOST_DELAY for crawl.host_delay), the docs and
// `magpie config --explain` all come from that declaration. Later sources win in that order: default, file, environment, flag.
//
//   struct CrawlSettings {
//     Setting<std::int64_t> workers{"crawl.workers", 16, {1, 1'024}, "Fetches in flight in this process."};
//     template <class Visitor> void visit(Visitor&& each) { each(workers); }
//   };
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace magpie {

using Millis = std::chrono::milliseconds;

template <class T>
struct Bounds {
  T min{};
  T max{};
  bool any = true;  // no bounds given
  Bounds() = default;
  Bounds(T low, T high) : min(low), max(high), any(false) {}
};

/// Of words: those that may stand there; none given, any may.
template <>
struct Bounds<std::string> {
  std::vector<std::string_view> words;
  Bounds() = default;
  Bounds(std::initializer_list<std::string_view> some) : words(some) {}
};

/// T is bool, std::int64_t, double, Millis or std::string.
template <class T>
struct Setting {
  Setting(std::string_view k, T initial, Bounds<T> range, std::string_view words)
      : key(k), value(initial), preset(initial), bounds(range), sentence(words) {}
  const T& operator()() const { return value; }

  std::string_view key;
  T value;
  T preset;  // the default, for explain
  Bounds<T> bounds;
  std::string_view sentence;
};

/// "500ms", "2s", "1.5m", "1h", "3d"; a bare number is seconds. kBadInput otherwise.
Result<Millis> parse_duration(std::string_view text);
std::string format_duration(Millis value);
/// "64KB", "2MiB", "1g", "123": powers of 1,024 throughout. kBadInput otherwise.
Result<std::uint64_t> parse_size(std::string_view text);

/// Collects settings by reference (they must outlive it), then takes values by key. Not thread-safe; used at start.
class SettingsRegistry {
 public:
  template <class Group>
  void add(Group& group) {
    group.visit([this](auto& setting) { add_one(setting); });
  }
  /// kBadInput: unknown key (names the nearest), unreadable value, or out of bounds.
  Result<void> set(std::string_view key, std::string_view value);
  /// Every MAGPIE_… variable that names a setting.
  Result<void> set_from_environment();

  struct Explained {
    std::string key, value, preset, bounds, sentence, environment;
  };
  std::vector<Explained> explain() const;

 private:
  struct Entry {
    std::function<Result<void>(std::string_view)> set;
    std::function<Explained()> explain;
  };
  void add_one(Setting<bool>& setting);
  void add_one(Setting<std::int64_t>& setting);
  void add_one(Setting<double>& setting);
  void add_one(Setting<Millis>& setting);
  void add_one(Setting<std::string>& setting);

  std::map<std::string, Entry, std::less<>> entries_;
};

/// The candidate with the smallest edit distance to `word`, or "" if none is near (over a third of its length away).
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace magpie
