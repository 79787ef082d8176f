#pragma once
// What a reader sees: the segments of one commit, and which of their rows live. Nothing in it ever changes; the next commit makes a
// new one that shares all segments, and all SegmentStates in which no row died.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/id_set.h"
#include "core/text_index.h"
#include "core/vector_index.h"
#include "index/segment.h"
#include "index/segment_format.h"
#include "index/term_shares.h"

namespace magpie::index {

/// One bit a row, set for the dead.
class DeadRows {
 public:
  bool dead(std::uint32_t row) const { return row / 64 < bits_.size() && ((bits_[row / 64] >> (row % 64)) & 1) != 0; }
  /// Those of rows 64 × i and on, lowest first.
  std::uint64_t word(std::size_t i) const { return i < bits_.size() ? bits_[i] : 0; }
  /// False if it was dead already.
  bool kill(std::uint32_t row);
  std::uint32_t count() const { return count_; }
  std::vector<std::uint32_t> to_vector() const;

 private:
  std::vector<std::uint64_t> bits_;  // grows with the highest dead row; none for most segments
  std::uint32_t count_ = 0;
};

struct SegmentState {
  explicit SegmentState(std::shared_ptr<const Segment> of);
  void kill_document(std::uint32_t ordinal);
  void kill_vector(std::uint32_t ordinal) { dead_vectors.kill(ordinal); }
  std::uint32_t live_documents() const { return segment->documents() - dead_documents.count(); }
  /// Documents that have the term. Cost: its postings, where any document is dead.
  std::uint64_t live_documents_with(std::uint32_t term) const;
  std::uint32_t live_vectors() const { return segment->vectors() - dead_vectors.count(); }

  std::shared_ptr<const Segment> segment;
  DeadRows dead_documents, dead_vectors;
  std::array<std::uint64_t, kFieldCount> words{};  // of live documents, per field: BM25's average lengths
};

struct Snapshot {
  std::vector<std::shared_ptr<const SegmentState>> segments;  // oldest first; an id lives in at most one
  std::uint64_t version = 0;
  std::uint32_t dims = 0;

  std::uint64_t documents() const;
  std::uint64_t vectors() const;
  std::uint64_t bytes() const;
  /// The highest id of a document; kNoId without any.
  ImageId id_max() const;
  /// Their ids, found at the first call. Thread-safe.
  const IdSet& live_documents() const;
  /// Live documents that share their copy group with another, found at the first call. Thread-safe.
  const IdSet& copies() const;
  /// For words as they are typed (weight 1) and for their other forms (kStemWeight), made at the first call. Thread-safe.
  const TermShares& term_shares(float weight) const;
  /// Of live documents, without "".
  std::vector<std::string> languages() const;

  /// Calls use(const SegmentState&, std::uint32_t ordinal) for each live document of `ids`, segment by segment, ascending within. Cost: 2
  /// ns an id, and a pass over the bits of `ids` for each segment.
  template <class Use>
  void for_each_document(const IdSet& ids, Use&& use) const;

 private:
  mutable std::once_flag live_found_, copies_found_, shares_made_;
  mutable IdSet live_, copies_;
  mutable std::vector<TermShares> shares_;  // of weight 1, then kStemWeight
};

// The operations of core/text_index.h and core/vector_index.h on a snapshot; contracts are written there.
IdSet filter_documents(const Snapshot& snapshot, const Filter& filter);
/// Whether a phrase is taken to be in a document of which no more is known than that its words share a field (postings.h: older segments).
enum class Doubt : std::uint8_t { kYes, kNo };
WordMatches match_words(const Snapshot& snapshot, const TextQuery& query, Doubt in_doubt = Doubt::kYes);
std::vector<FacetCounts> count_facets(const Snapshot& snapshot, std::span<const Facet> facets, const IdSet& ids, std::size_t values_max);
void visit_rows(const Snapshot& snapshot, const IdSet& ids, const std::function<void(std::span<const IndexRow>)>& take);
Result<VectorMatches> search_vectors(const Snapshot& snapshot, const VectorQuery& query);
/// VectorSnapshot::background(). Cost: about 0.1 ms, and more where few are within the scope.
Result<Background> background_similarity(const Snapshot& snapshot, std::span<const float> vector, const VectorScope& scope);
std::optional<Embedding> find_embedding(const Snapshot& snapshot, ImageId id, std::uint16_t region);

template <class Use>
void Snapshot::for_each_document(const IdSet& ids, Use&& use) const {
  for (const auto& state : segments) {
    const bool any_dead = state->dead_documents.count() > 0;
    state->segment->document_ranks.for_each(ids, [&](std::uint32_t ordinal) {
      if (!any_dead || !state->dead_documents.dead(ordinal)) use(*state, ordinal);
    });
  }
}

}  // namespace magpie::index
