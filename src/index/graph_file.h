#pragma once
// The graph of a segment (vec/graph.h) in a file of its own beside it, segment-NNNNNNNN.graph. A graph takes minutes where a merge takes
// seconds, and can always be made anew: so it comes after the segment, no manifest names it, and a segment whose graph is missing, foreign
// or damaged is scanned.
//
// The file is a segment file (segment_format.h) with the segment's counts and these sections, all summed on opening:
//   kGraphHead    u32 entry, u32 degree, u32 crc32c of the segment's sketches: whose graph this is; u32 recall@10 in thousandths, as a
//                 trial found it when the graph was built. Vectors that no graph suits exist; theirs is kept, so as not to be built
//                 again, and not walked
//   kGraphEdges   u32 neighbours[vectors][degree], 0xFFFFFFFF after the last
//   kGraphDirections, kGraphDirectionScales   u8 [180][dims, padded] and f32 scale, f32 centre of each (vec/reduce.h)
//   kGraphRows    a vector's 192 bytes (vec/reduce.h): u8 codes[180], f32 scale, f32 centre_dot, f32 rest
// Wrong bytes would only show in what is not found, so a damaged graph is built anew; one of an older version, without rows, likewise.
#include <functional>
#include <optional>

#include "base/files.h"
#include "index/segment_file.h"
#include "vec/graph.h"

namespace magpie::index {

class Segment;

/// Segments with fewer vectors are scanned: at 20,000 of 1,280 components that takes about a millisecond.
inline constexpr std::size_t kGraphVectorsMin = 20'000;

/// What a trial must have found of the ten nearest, with a beam of kGraphBeamMin, for a graph to be walked.
inline constexpr double kGraphRecallMin = 0.97;
/// Rows that a walk keeps, at least. What look-alikes do not lead away from is an island: among the million pictures of bench/million.cc
/// walks that keep 96 miss theirs for 4 of 400 queries, and with 192 for none, in .19 ms in place of .15.
inline constexpr std::size_t kGraphBeamMin = 192;

/// "segment-00000001.graph"
std::string graph_file_name(std::uint64_t number);

/// A graph opened for walks.
class GraphFile {
 public:
  /// kNotFound; kCorrupt for a damaged file, or the graph of another segment.
  static Result<GraphFile> open(const fs::path& path, const SegmentFile& segment);
  /// `centre`: of the segment's sketches.
  vec::GraphView view(std::span<const float> centre) const { return {edges_, rows_, {directions_, scales_, centre}, entry_}; }
  /// Whether walks find enough: kGraphRecallMin.
  bool good() const { return good_; }
  std::uint64_t bytes() const { return file_.bytes(); }
  Result<void> verify() const { return file_.verify(); }

 private:
  explicit GraphFile(SegmentFile file) : file_(std::move(file)) {}
  SegmentFile file_;
  std::span<const std::uint32_t> edges_;
  std::span<const vec::ReducedRow> rows_;
  std::span<const std::uint8_t> directions_;
  std::span<const vec::DirectionScale> scales_;
  std::uint32_t entry_ = 0;
  bool good_ = false;
};

/// Builds the graph of a segment with sketches and writes it, all or nothing. Calls `go_on` some twenty times a second, once the directions
/// are found; false from it ends the work, and the answer is false: no file. Cost: about 0.2 ms and 520 bytes of memory a vector.
Result<bool> build_graph(const fs::path& path, const Segment& segment, const std::function<bool()>& go_on);

}  // namespace magpie::index
