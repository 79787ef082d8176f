#pragma once
// A log line is an event: a constant dotted name, then key-value fields with units. One line per event, always to stderr:
// text on a terminal, JSON elsewhere. `error`: a person must act; `warn`: the program coped; `info`: a life-cycle step;
// `debug`: per item. Secrets, cookies and query strings stay out. Thread-safe.
#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace magpie::log {

enum class Level { kDebug, kInfo, kWarn, kError, kOff };
enum class Format { kText, kJson };

/// One field. Numbers and booleans stay numbers and booleans in JSON.
struct Field {
  Field(std::string_view k, std::string_view v) : key(k), text(v) {}
  Field(std::string_view k, const char* v) : key(k), text(v) {}
  Field(std::string_view k, const std::string& v) : key(k), text(v) {}
  Field(std::string_view k, bool v) : key(k), text(v ? "true" : "false"), bare(true) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), text(fmt::to_string(v)), bare(true) {}
  template <std::floating_point T>
  Field(std::string_view k, T v) : key(k), text(fmt::format("{:.6g}", v)), bare(true) {}

  std::string_view key;
  std::string text;
  bool bare = false;  // written without quotes
};
using Fields = std::initializer_list<Field>;

/// Levels below are dropped before their line is built. Default: info, text on a terminal, JSON elsewhere.
void set_level(Level level);
Level level();
void set_format(Format format);

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

/// At most one line of this event name per `period`; the next one says how many were left out (`repeated`).
void warn_every(std::chrono::milliseconds period, std::string_view event, Fields fields = {});

/// Called with false before a line and true after it, so that a progress line can get out of the way. Not thread-safe to set.
void set_terminal_hook(void (*hook)(bool after));

}  // namespace magpie::log
