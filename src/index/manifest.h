#pragma once
// The manifest says which segments the index consists of and which of their rows are dead. Replacing this one small file is the
// commit: before it nothing of a commit can be seen, after it everything.
//
//   0   8 bytes  magic "MAGPIDX1"
//   8   u32      crc32c of all that follows, little-endian
//  12   wire     (base/wire.h) u64 version, u64 next segment number, u64 dims, bytes vector space,
//                u64 segments, and for each: u64 number, u64 documents, u64 vectors,
//                                            dead documents, dead vectors: u64 count, then u64 differences of ascending ordinals
#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"

namespace magpie::index {

struct ManifestSegment {
  std::uint64_t number = 0;
  std::uint32_t documents = 0, vectors = 0;                 // rows, dead ones included
  std::vector<std::uint32_t> dead_documents, dead_vectors;  // ordinals, ascending
};

struct Manifest {
  std::uint64_t version = 0;       // grows with every change
  std::uint64_t next_segment = 1;  // number of the next file
  std::uint32_t dims = 0;          // 0 until the first vector
  std::string vector_space;
  std::vector<ManifestSegment> segments;  // oldest first
};

std::string encode(const Manifest& manifest);
/// kCorrupt for anything encode() did not write.
Result<Manifest> decode_manifest(std::string_view bytes);

/// An empty manifest where there is none yet.
Result<Manifest> read_manifest(const fs::path& folder);
Result<void> write_manifest(const fs::path& folder, const Manifest& manifest);

/// "segment-00000001.seg"
std::string segment_file_name(std::uint64_t number);

}  // namespace magpie::index
