#pragma once
// Port: nearest pictures by embedding. src/embedded implements it over src/index, src/cluster over Milvus;
// tests/contract/vector_index_contract_test.cc runs on every one of them. How vectors are searched (scan, graph, codes) is the
// implementation's own affair; what it owes is said here. Visibility, threads and snapshots are as in core/text_index.h.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/id_set.h"
#include "core/records.h"

namespace magpie {

/// Components of one vector at most.
inline constexpr std::size_t kVectorDimsMax = 4'096;
/// Vectors of one picture at most: the whole, and what was detected in it.
inline constexpr std::size_t kPictureVectorsMax = 256;
inline constexpr std::size_t kRegionClassBytesMax = 100;
/// As VectorQuery::k: everything down to min_similarity.
inline constexpr std::size_t kAllSimilar = std::numeric_limits<std::size_t>::max();

/// One of a picture's vectors.
struct PictureVector {
  std::span<const float> embedding;  // borrowed for the call
  std::uint16_t region = 0;          // 0: the whole picture; its detected regions are numbered from 1
  std::string_view region_class;     // what the region was detected as, such as "dress"; "" for the whole picture
};

/// Which of the pictures' vectors a question is about.
enum class VectorPart : std::uint8_t { kAny, kWhole, kRegion };
struct VectorScope {
  VectorPart part = VectorPart::kAny;
  std::string region_class;  // with kRegion: only regions of this class; "" those of every class
};

struct VectorQuery {
  std::span<const float> vector;   // unit length, as many components as the index's vectors; borrowed for the call
  std::size_t k = 10;              // most results wanted, from 1; kAllSimilar for no limit
  const IdSet* allowed = nullptr;  // only these ids; null: all
  float min_similarity = -2;       // cosine, inclusive; -2 lets everything pass
  VectorScope scope;               // a picture without any vector within it is not found
  bool exact = true;               // false: the nearest k may be those of an approximate search, where that is faster
  bool ranked =
      true;  // false: in no order, and which they are is decided by quantised vectors, whose similarities are off by less than 0.01
};

struct SimilarId {
  ImageId id = kNoId;
  // Cosine, -1..1, of the float32 vectors. It may come from quantised vectors, off by less than 0.01, for hits after the first 1,000 of an
  // answer without a limit (kAllSimilar), and the first 64 by a graph; which are above min_similarity is decided by the float32 vectors.
  float similarity = 0;
  std::uint16_t region = 0;  // which vector that is: the picture's most similar one within the scope, of equals the lowest
};

/// How an answer came about: every vector that the filter lets pass was compared, or (also) a graph was walked.
enum class VectorPlan : std::uint8_t { kScan, kGraph };

struct VectorMatches {
  std::vector<SimilarId> hits;  // highest similarity first, then lowest id
  bool complete = true;         // false: a search that may have missed some (approximate, or over the backend's own limit)
  VectorPlan plan = VectorPlan::kScan;
};

/// How alike a query is to pictures in general.
struct Background {
  float mean = 0;             // cosine; 0 where there is none to compare
  std::uint64_t vectors = 0;  // that it speaks for: those within the scope, as far as the sample tells
};

/// An unchanging view of one commit. Thread-safe. Errors: kBadInput for a query of other dims than the vectors or not finite,
/// kUnavailable, kCorrupt.
class VectorSnapshot {
 public:
  virtual ~VectorSnapshot() = default;
  /// Each picture is one hit at most, with the best of its vectors. An empty index gives no hits, whatever the dims.
  virtual Result<VectorMatches> search(const VectorQuery& query) const = 0;
  /// The mean cosine to a sample of the vectors within the scope, at most some 1,000 spread evenly, the same for the same commit. Cost: up
  /// to a look at the scope of every vector, where few are within it.
  virtual Result<Background> background(std::span<const float> vector, const VectorScope& scope) const = 0;
  /// The stored vector of a picture, or of one of its regions; nothing when it has none.
  virtual Result<std::optional<Embedding>> embedding(ImageId id, std::uint16_t region) const = 0;
  Result<std::optional<Embedding>> embedding(ImageId id) const { return embedding(id, 0); }
  /// Vectors, those of regions included.
  virtual std::uint64_t size() const = 0;
  /// Components of every vector; 0 while there is none.
  virtual std::size_t dims() const = 0;
  virtual std::uint64_t version() const = 0;
};

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;
  /// Takes the vectors over all earlier ones of that id: the whole picture's, its regions', or both. They are normalised to unit length.
  /// kBadInput for kNoId, no vector or more than kPictureVectorsMax, a region twice, a class of the whole picture or of more than
  /// kRegionClassBytesMax, dims other than the index's, more than kVectorDimsMax, not finite, or all zero; then nothing changes.
  /// kForbidden when opened for reading.
  virtual Result<void> add(ImageId id, std::span<const PictureVector> vectors) = 0;
  /// The same with the whole picture's vector alone.
  Result<void> add(ImageId id, std::span<const float> embedding) {
    const PictureVector whole{.embedding = embedding};
    return add(id, std::span<const PictureVector>(&whole, 1));
  }
  /// Forgets all vectors of the id; unknown ids are no error.
  virtual Result<void> remove(ImageId id) = 0;
  /// As TextIndex::commit.
  virtual Result<void> commit() = 0;
  virtual Result<std::shared_ptr<const VectorSnapshot>> snapshot() const = 0;
};

}  // namespace magpie
