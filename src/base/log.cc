#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>

#include "base/guarded.h"
#include "base/json_writer.h"

namespace magpie::log {
namespace {

std::atomic<Level> g_level{Level::kInfo};
std::atomic<int> g_format{-1};  // -1: not set, so asked of the terminal
std::atomic<void (*)(bool)> g_hook{nullptr};

struct Repeats {
  std::chrono::steady_clock::time_point written_at;
  std::uint64_t left_out = 0;
};

Guarded<std::map<std::string, Repeats, std::less<>>>& repeats() {
  static Guarded<std::map<std::string, Repeats, std::less<>>> table;
  return table;
}

const char* name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
    case Level::kOff: break;
  }
  return "off";
}

bool as_json() {
  const int format = g_format.load(std::memory_order_relaxed);
  if (format >= 0) return format == static_cast<int>(Format::kJson);
  static const bool terminal = ::isatty(STDERR_FILENO) == 1;
  return !terminal;
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                     utc.tm_sec, millis);
}

std::string json_line(Level level, std::string_view event, Fields fields, std::uint64_t repeated) {
  JsonWriter json;
  json.begin_object().key("time").string(timestamp()).key("level").string(name(level)).key("event").string(event);
  for (const Field& field : fields) {
    json.key(field.key);
    field.bare ? json.raw(field.text) : json.string(field.text);
  }
  if (repeated > 0) json.key("repeated").number(repeated);
  json.end_object();
  return json.take();
}

std::string text_line(Level level, std::string_view event, Fields fields, std::uint64_t repeated) {
  std::string line = fmt::format("{} {:5} {}", timestamp().substr(11, 8), name(level), event);
  for (const Field& field : fields) {
    line += fmt::format(" {}=", field.key);
    const bool quoted = !field.bare && field.text.find_first_of(" \"\n\t") != std::string::npos;
    line += quoted ? json_quoted(field.text) : field.text;
  }
  if (repeated > 0) line += fmt::format(" repeated={}", repeated);
  return line;
}

void write(Level level, std::string_view event, Fields fields, std::uint64_t repeated = 0) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  std::string line = as_json() ? json_line(level, event, fields, repeated) : text_line(level, event, fields, repeated);
  line += '\n';
  const auto hook = g_hook.load();
  if (hook != nullptr) hook(false);
  std::fwrite(line.data(), 1, line.size(), stderr);  // one call a line: lines of several threads do not mix
  if (hook != nullptr) hook(true);
}

}  // namespace

void set_level(Level level) { g_level = level; }
Level level() { return g_level; }
void set_format(Format format) { g_format = static_cast<int>(format); }
void set_terminal_hook(void (*hook)(bool)) { g_hook = hook; }

void debug(std::string_view event, Fields fields) { write(Level::kDebug, event, fields); }
void info(std::string_view event, Fields fields) { write(Level::kInfo, event, fields); }
void warn(std::string_view event, Fields fields) { write(Level::kWarn, event, fields); }
void error(std::string_view event, Fields fields) { write(Level::kError, event, fields); }

void warn_every(std::chrono::milliseconds period, std::string_view event, Fields fields) {
  const auto now = std::chrono::steady_clock::now();
  const std::optional<std::uint64_t> repeated = repeats().with([&](auto& table) -> std::optional<std::uint64_t> {
    const auto [entry, fresh] = table.try_emplace(std::string(event));
    Repeats& seen = entry->second;
    if (!fresh && now - seen.written_at < period) {
      ++seen.left_out;
      return std::nullopt;
    }
    seen.written_at = now;
    return std::exchange(seen.left_out, 0);
  });
  if (repeated) write(Level::kWarn, event, fields, *repeated);
}

}  // namespace magpie::log
