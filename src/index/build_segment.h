#pragma once
// The two ways a segment comes into being: from what was added since the last commit, and from older segments merged.
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "index/analyser.h"
#include "index/segment_write.h"
#include "index/snapshot.h"

namespace magpie::index {

struct PendingVector {
  std::uint16_t region = 0;
  std::string region_class;
  std::vector<float> row;           // padded
  std::vector<std::uint8_t> codes;  // padded
  vec::CodeScale scale;
};
struct Pending {
  std::map<ImageId, AnalysedDocument> documents;
  std::map<ImageId, std::vector<PendingVector>> vectors;  // each picture's by region
  bool empty() const { return documents.empty() && vectors.empty(); }
};

/// Writes a segment of everything pending and flushes it to the disk.
Result<void> build_segment(const fs::path& path, const Pending& pending, std::uint32_t dims);

/// Writes a segment of all live rows of `sources`, in which no id lives twice. Streams: memory is that of the columns (about 70 bytes a
/// document) and the term table, not of postings or vectors.
Result<void> merge_segments(const fs::path& path, std::span<const std::shared_ptr<const SegmentState>> sources, std::uint32_t dims);

}  // namespace magpie::index
