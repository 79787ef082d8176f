#pragma once
// Whether the nearest rows of one segment are found by its graph, or by looking at every row that the filter lets pass. The cheaper is
// taken, by what either costs: bench/search_bench.cc has the time of a scanned row, bench/vec_bench.cc how many rows a walk looks at.
//
// A graph is walked through rows that pass and rows that do not, so the fewer pass, the longer the walk: its cost goes with 1 / share. A
// scan looks at the rows that pass alone. They meet at about one row in fifty of a million, for ten rows wanted. How a filter lies is not
// known beforehand: where next to nothing passes near the query, a walk would lead through half the segment before it finds anything. So a
// walk may cost no more than the scan would have; then it is given up, and the scan answers. So it does where hardly any of the query's
// nearest rows pass. So a filter costs time, not recall.
#include <algorithm>
#include <cstddef>

namespace magpie::index {

/// Nanoseconds of one thread.
inline constexpr double kPassedOverNs = 1.5;    // a row that the filter stops, in a scan
inline constexpr double kScannedNs = 40;        // a row whose sketch is looked at in a scan
inline constexpr double kLookedAtNs = 90;       // the same in a walk: memory is visited here and there
inline constexpr double kWalkStartNs = 30'000;  // getting to the query's neighbourhood
inline constexpr double kWalkLooksPerRow = 7;   // rows looked at for each one that the beam takes

struct SegmentPlan {
  bool walk = false;
  std::size_t looks_max = 0;  // a walk is given up there
};

/// `passing`: rows of `rows`, an estimate, that the filter lets pass.
inline SegmentPlan plan_segment(std::size_t rows, double passing, std::size_t beam) {
  const double all = static_cast<double>(rows);
  const double scan_ns = all * kPassedOverNs + passing * kScannedNs;
  const double share = std::max(passing, 1.0) / all;
  const double walk_ns = kWalkStartNs + static_cast<double>(beam) / share * kWalkLooksPerRow * kLookedAtNs;
  return {walk_ns < scan_ns, static_cast<std::size_t>(scan_ns / kLookedAtNs)};
}

}  // namespace magpie::index
