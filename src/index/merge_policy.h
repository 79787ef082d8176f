#pragma once
// Which segments to merge. Commits come often and are small; a search visits every segment. Segments are sorted into levels by their
// size, each level eight times the one below; eight of a level become one of a level above. So a row is rewritten once per level
// (four times up to a million), and there are at most seven segments a level.
#include <cstddef>
#include <span>
#include <vector>

namespace magpie::index {

struct SegmentSize {
  std::size_t rows = 0;  // documents or vectors, whichever are more
  std::size_t live_rows = 0;
};

inline constexpr std::size_t kMergeWidth = 8;
inline constexpr std::size_t kLowestLevelRows = 1'000;

/// Indices, ascending, of segments that should become one; empty when all is well. The lowest full level comes first, then a segment
/// of which more than a third is dead (rewritten alone), then one with nothing alive.
std::vector<std::size_t> choose_merge(std::span<const SegmentSize> segments);

}  // namespace magpie::index
