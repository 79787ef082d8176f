#pragma once
// Reads a request's query parameters strictly: what is unknown, repeated, malformed or out of bounds is a problem, never ignored.
// The first problem is kept and later reads give their defaults, so that a route reads straight down and asks once at the end:
//   QueryReader reader(request.query);
//   const std::uint64_t limit = reader.number("limit", 0, 200, 40);
//   if (const auto problem = reader.problem()) return …;
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/problem.h"

namespace magpie {

class QueryReader {
 public:
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  /// `parameters` must outlive the reader.
  explicit QueryReader(const Parameters& parameters) : parameters_(parameters) {}

  /// At most once, at most `characters_max` UTF-8 characters. ASCII control characters other than white space are a problem, here and in
  /// texts(): they are in no word, and cannot stand in a command line or on a page.
  std::optional<std::string> text(std::string_view name, std::size_t characters_max);
  /// Any number of times up to `count_max`, each of 1 to `bytes_max` bytes of UTF-8.
  std::vector<std::string> texts(std::string_view name, std::size_t count_max, std::size_t bytes_max = 255 * 4);
  std::uint64_t number(std::string_view name, std::uint64_t min, std::uint64_t max, std::uint64_t preset);
  bool boolean(std::string_view name, bool preset) { return boolean(name).value_or(preset); }
  std::optional<bool> boolean(std::string_view name);
  /// Notes a problem with a value the caller has judged.
  void refuse(std::string_view code, std::string detail);

  /// The first problem, unknown parameters included.
  std::optional<Problem> problem() const;

 private:
  std::vector<const std::string*> values(std::string_view name);
  const std::string* single(std::string_view name);
  void refuse_control_characters(std::string_view name, std::string_view value);

  const Parameters& parameters_;
  std::vector<std::string_view> known_;
  std::optional<Problem> problem_;
};

}  // namespace magpie
