#include "extract/robots_meta.h"

#include <algorithm>
#include <string>

#include "base/ascii.h"

namespace magpie {
namespace {

std::string trimmed_lower(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= 0x20) text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.remove_suffix(1);
  return ascii_lowered(text);
}

void add_rule(RobotsMeta& robots, const std::string& rule) {
  if (rule == "noindex" || rule == "none") robots.noindex = true;
  if (rule == "nofollow" || rule == "none") robots.nofollow = true;
  if (rule == "noimageindex") robots.noimageindex = true;
  if (rule == "noai" || rule == "noimageai" || rule == "noml") robots.noai = true;
}

template <class Use>
void each_part(std::string_view text, Use&& use) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    use(trimmed_lower(text.substr(0, comma)));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
}

// A robot's name stays in force up to the next name of the same line.
void add_robots_line(RobotsMeta& robots, std::string_view line, const std::string& own) {
  bool applies = true;
  each_part(line, [&](const std::string& part) {
    const std::size_t colon = part.find(':');
    // "max-snippet: 0" and "unavailable_after: …" are rules with a value, not names of robots.
    const bool names_robot = colon != std::string::npos && !part.starts_with("max-") && !part.starts_with("unavailable_after");
    if (!names_robot) {
      if (applies) add_rule(robots, part);
      return;
    }
    const std::string robot = trimmed_lower(std::string_view(part).substr(0, colon));
    applies = robot == own || robot == "*";
    if (applies) add_rule(robots, trimmed_lower(std::string_view(part).substr(colon + 1)));
  });
}

}  // namespace

void add_robots_rules(RobotsMeta& robots, std::string_view content) {
  each_part(content, [&](const std::string& rule) { add_rule(robots, rule); });
}

void add_robots_header(RobotsMeta& robots, std::string_view lines, std::string_view agent) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    add_robots_line(robots, lines.substr(0, end), trimmed_lower(agent));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

}  // namespace magpie
