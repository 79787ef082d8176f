#include "index/merge_policy.h"

#include <map>

namespace magpie::index {
namespace {

std::size_t level_of(std::size_t rows) {
  std::size_t level = 0;
  for (std::size_t size = kLowestLevelRows; rows >= size; size *= kMergeWidth) ++level;
  return level;
}

}  // namespace

std::vector<std::size_t> choose_merge(std::span<const SegmentSize> segments) {
  std::map<std::size_t, std::vector<std::size_t>> levels;
  for (std::size_t i = 0; i < segments.size(); ++i) levels[level_of(segments[i].live_rows)].push_back(i);
  for (auto& [level, members] : levels) {
    if (members.size() >= kMergeWidth) return members;
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const SegmentSize& size = segments[i];
    if (size.live_rows == 0 || (size.rows - size.live_rows) * 3 > size.rows) return {i};
  }
  return {};
}

}  // namespace magpie::index
