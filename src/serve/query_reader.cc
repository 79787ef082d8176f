#include "serve/query_reader.h"

#include <algorithm>
#include <charconv>

#include "base/settings.h"
#include "base/utf8.h"

namespace magpie {
namespace {

std::size_t character_count(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// White space is none: what is pasted may have line breaks.
bool is_control(char c) { return (c >= 0 && c < '\t') || (c > '\r' && c < ' ') || c == '\x7F'; }

}  // namespace

std::vector<const std::string*> QueryReader::values(std::string_view name) {
  known_.push_back(name);
  std::vector<const std::string*> found;
  for (const auto& [key, value] : parameters_) {
    if (key == name) found.push_back(&value);
  }
  return found;
}

const std::string* QueryReader::single(std::string_view name) {
  const auto found = values(name);
  if (found.size() > 1) refuse("parameter_invalid", fmt::format("{} is given {} times; it can be given once", name, found.size()));
  return found.size() == 1 ? found.front() : nullptr;
}

void QueryReader::refuse_control_characters(std::string_view name, std::string_view value) {
  const auto* const control = std::ranges::find_if(value, is_control);
  if (control != value.end())
    refuse("parameter_invalid", fmt::format("{} has the control character U+{:04X}; leave it out", name, static_cast<unsigned>(*control)));
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t characters_max) {
  const std::string* value = single(name);
  if (value == nullptr) return std::nullopt;
  refuse_control_characters(name, *value);
  if (!is_utf8(*value)) {
    refuse("parameter_invalid", fmt::format("{} is not UTF-8", name));
  } else if (const std::size_t count = character_count(*value); count > characters_max) {
    refuse("parameter_invalid", fmt::format("{} has {} characters; it may have {}", name, count, characters_max));
  } else {
    return *value;
  }
  return std::nullopt;
}

std::vector<std::string> QueryReader::texts(std::string_view name, std::size_t count_max, std::size_t bytes_max) {
  std::vector<std::string> all;
  const auto found = values(name);
  if (found.size() > count_max)
    refuse("parameter_invalid", fmt::format("{} is given {} times; it can be given {} times", name, found.size(), count_max));
  for (const std::string* value : found) {
    if (value->empty() || value->size() > bytes_max || !is_utf8(*value)) {
      refuse("parameter_invalid", fmt::format("{} is empty, too long or not UTF-8", name));
    }
    refuse_control_characters(name, *value);
    all.push_back(*value);
  }
  return all;
}

std::uint64_t QueryReader::number(std::string_view name, std::uint64_t min, std::uint64_t max, std::uint64_t preset) {
  const std::string* value = single(name);
  if (value == nullptr) return preset;
  std::uint64_t number = 0;
  const auto end = std::from_chars(value->data(), value->data() + value->size(), number);
  if (end.ec != std::errc() || end.ptr != value->data() + value->size() || number < min || number > max) {
    refuse("parameter_invalid", fmt::format("{} is {}; it must be from {} to {}", name, to_valid_utf8(utf8_prefix(*value, 100)), min, max));
    return preset;
  }
  return number;
}

std::optional<bool> QueryReader::boolean(std::string_view name) {
  const std::string* value = single(name);
  if (value == nullptr) return std::nullopt;
  if (*value != "true" && *value != "false") refuse("parameter_invalid", fmt::format("{} must be true or false", name));
  return *value == "true";
}

void QueryReader::refuse(std::string_view code, std::string detail) {
  if (!problem_) problem_ = Problem{400, code, std::move(detail)};
}

std::optional<Problem> QueryReader::problem() const {
  if (problem_) return problem_;
  for (const auto& parameter : parameters_) {
    if (std::find(known_.begin(), known_.end(), parameter.first) != known_.end()) continue;
    const std::string name = to_valid_utf8(utf8_prefix(parameter.first, 100));
    const std::string nearest = nearest_name(name, std::vector<std::string>(known_.begin(), known_.end()));
    return Problem{400, "parameter_unknown",
                   nearest.empty() ? fmt::format("there is no parameter '{}' here", name)
                                   : fmt::format("there is no parameter '{}' here; did you mean '{}'?", name, nearest)};
  }
  return std::nullopt;
}

}  // namespace magpie
