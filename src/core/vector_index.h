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
#include <vector>

#include "base/result.h"
#include "core/id_set.h"
#include "core/records.h"

namespace magpie {

/// Components of one vector at most.
inline constexpr std::size_t kVectorDimsMax = 4'096;
/// As VectorQuery::k: everything down to min_similarity.
inline constexpr std::size_t kAllSimilar = std::numeric_limits<std::size_t>::max();

struct VectorQuery {
  std::span<const float> vector;   // unit length, as many components as the index's vectors; borrowed for the call
  std::size_t k = 10;              // most results wanted, from 1; kAllSimilar for no limit
  const IdSet* allowed = nullptr;  // only these ids; null: all
  float min_similarity = -2;       // cosine, inclusive; -2 lets everything pass
};

struct SimilarId {
  ImageId id = kNoId;
  // Cosine, -1..1, of the float32 vectors. In an answer without a limit (kAllSimilar) it may come from quantised vectors for hits
  // after the first 1,000, off by less than 0.01; which hits there are is still decided by the float32 vectors.
  float similarity = 0;
};

struct VectorMatches {
  std::vector<SimilarId> hits;  // highest similarity first, then lowest id
  bool complete = true;         // false: a search that may have missed some (approximate, or over the backend's own limit)
};

/// An unchanging view of one commit. Thread-safe. Errors: kBadInput for a query of other dims than the vectors or not finite,
/// kUnavailable, kCorrupt.
class VectorSnapshot {
 public:
  virtual ~VectorSnapshot() = default;
  /// An empty index gives no hits, whatever the dims.
  virtual Result<VectorMatches> search(const VectorQuery& query) const = 0;
  /// How alike a query is to the pictures in general: its mean cosine to a sample of them, some 1,000 spread evenly, the same for the same
  /// commit. 0 for an empty index.
  virtual Result<float> background(std::span<const float> vector) const = 0;
  /// The stored vector of a picture; nothing when it has none.
  virtual Result<std::optional<Embedding>> embedding(ImageId id) const = 0;
  virtual std::uint64_t size() const = 0;
  /// Components of every vector; 0 while there is none.
  virtual std::size_t dims() const = 0;
  virtual std::uint64_t version() const = 0;
};

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;
  /// Takes the vector over any earlier one of that id. It is normalised to unit length. kBadInput for kNoId, dims other than the
  /// index's, more than kVectorDimsMax, not finite, or all zero; kForbidden when opened for reading.
  virtual Result<void> add(ImageId id, std::span<const float> embedding) = 0;
  /// Forgets the id; unknown ids are no error.
  virtual Result<void> remove(ImageId id) = 0;
  /// As TextIndex::commit.
  virtual Result<void> commit() = 0;
  virtual Result<std::shared_ptr<const VectorSnapshot>> snapshot() const = 0;
};

}  // namespace magpie
