#include "model/darknet_cfg.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace magpie::model {
namespace {

struct Bounds {
  std::string_view entry;
  int least = 0, most = 0;
};
/// Of what OpenCV divides by, or multiplies to sizes. Networks in use stay far below.
constexpr Bounds kBounds[] = {
    {"width", 1, 16'384},  {"height", 1, 16'384}, {"channels", 1, 16'384}, {"filters", 1, 65'536},
    {"output", 1, 65'536}, {"groups", 1, 65'536}, {"size", 1, 256},        {"stride", 1, 256},
    {"pad", 0, 256},       {"padding", 0, 256},   {"classes", 1, 65'536},  {"num", 1, 1'000},
};

std::optional<int> whole_number(std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [behind, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc() && behind == end ? std::optional(number) : std::nullopt;
}

/// Of "0,1,2"; nothing where anything else stands between the commas.
std::optional<std::vector<int>> whole_numbers(std::string_view text) {
  std::vector<int> numbers;
  while (true) {
    const std::size_t comma = text.find(',');
    const auto number = whole_number(text.substr(0, comma));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    if (comma == std::string_view::npos) return numbers;
    text.remove_prefix(comma + 1);
  }
}

/// As OpenCV reads a line: what is no visible letter of ASCII up to z is not there.
std::string visible(std::string_view line) {
  std::string kept;
  std::ranges::copy_if(line, std::back_inserter(kept), [](char c) { return c > ' ' && c <= 'z'; });
  return kept;
}

struct Section {
  std::string name = "what stands before its sections";
  int before = 0;  // how many stand before it, [net] not among them
  std::map<std::string, std::string, std::less<>> entries;

  std::string_view get(std::string_view entry) const {
    const auto found = entries.find(entry);
    return found == entries.end() ? std::string_view() : std::string_view(found->second);
  }
  Failure refused(std::string_view entry, std::string_view why) const {
    constexpr std::size_t kShownBytes = 40;
    return fail(Code::kCorrupt, "{:.{}} in its .cfg: {}={:.{}} {}", name, kShownBytes, entry, get(entry), kShownBytes, why);
  }
  Result<void> check_bounds() const {
    for (const auto& [entry, least, most] : kBounds) {
      const std::string_view text = get(entry);
      const auto number = whole_number(text);
      if (!text.empty() && (!number || *number < least || *number > most))
        return refused(entry, fmt::format("must be a number from {} to {}", least, most));
    }
    return {};
  }
  /// Of a list from 0 to `end` - 1, or counted back from `end` where it may be `relative`.
  Result<void> check_indexes(std::string_view entry, int end, bool relative, std::string_view of) const {
    if (get(entry).empty()) return {};
    const auto indexes = whole_numbers(get(entry));
    const int least = relative ? -end : 0;
    if (indexes && std::ranges::all_of(*indexes, [&](int one) { return one >= least && one < end; })) return {};
    return refused(entry, fmt::format("must name some of {} {}", end, of));
  }
  Result<void> check() const {
    MAGPIE_TRY_DO(check_bounds());
    MAGPIE_TRY_DO(check_indexes("mask", whole_number(get("num")).value_or(0), false, "anchors (num)"));
    MAGPIE_TRY_DO(check_indexes("layers", before, true, "sections before it"));
    return check_indexes("from", before, true, "sections before it");
  }
};

}  // namespace

Result<void> check_darknet_cfg(std::string_view cfg) {
  if (cfg.size() > kDarknetCfgBytesMax) return fail(Code::kTooLarge, "its .cfg has {} bytes; {} are read", cfg.size(), kDarknetCfgBytesMax);
  Section section;
  int sections = 0;
  while (!cfg.empty()) {
    const std::size_t end = cfg.find('\n');
    const std::string line = visible(cfg.substr(0, end));
    cfg.remove_prefix(end == std::string_view::npos ? cfg.size() : end + 1);
    if (line.starts_with('[')) {
      MAGPIE_TRY_DO(section.check());
      section = {.name = line, .before = sections, .entries = {}};
      if (line != "[net]") ++sections;
    } else if (const std::size_t sign = line.find('='); sign != std::string::npos && line[0] != '#' && line[0] != ';') {
      if (sign + 1 < line.size()) section.entries[line.substr(0, sign)] = line.substr(sign + 1);  // an empty one replaces none
    }
  }
  return section.check();
}

}  // namespace magpie::model
