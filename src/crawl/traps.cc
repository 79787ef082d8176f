#include "crawl/traps.h"

#include <algorithm>
#include <array>

namespace magpie::crawl {

bool looks_endless(std::string_view path_and_query, const TrapLimits& limits) {
  const std::size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
  const std::string_view query = path_and_query.substr(mark);
  if (static_cast<std::size_t>(std::count(query.begin(), query.end(), '&')) >= limits.parameters_max) return true;

  constexpr std::size_t kSegmentsMax = 64;
  std::array<std::string_view, kSegmentsMax> segments;
  std::size_t count = 0;
  std::string_view path = path_and_query.substr(0, mark);
  while (!path.empty()) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segment.empty()) continue;
    if (count >= std::min(limits.segments_max, kSegmentsMax)) return true;
    segments[count++] = segment;
  }
  std::sort(segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(count));
  std::size_t run = 0;
  for (std::size_t i = 0; i < count; ++i) {
    run = i > 0 && segments[i] == segments[i - 1] ? run + 1 : 1;
    if (run > limits.segment_repeats_max) return true;
  }
  return false;
}

}  // namespace magpie::crawl
