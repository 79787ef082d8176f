// search_vectors: an exact answer from a scan of one-byte codes. The codes give each row's similarity up to a proven bound
// (vec/quantise.h). A row can be left out for good when even its upper bound is below similarity_min, or below the k-th best lower
// bound; what is left, a few rows as a rule, is compared by its float32 vector.
#include <algorithm>
#include <cmath>

#include "index/snapshot.h"
#include "vec/dot.h"
#include "vec/quantise.h"
#include "vec/top_k.h"

namespace magpie::index {
namespace {

/// An answer without a limit is ranked by float32 vectors this far down; below, similarities come from the codes (off by less than
/// 0.001 as a rule), except near similarity_min, where the float32 vectors decide.
constexpr std::size_t kExactHits = 1'000;

struct Candidate {
  float similarity = 0, bound = 0;
  const Segment* segment = nullptr;
  std::uint32_t row = 0;
  ImageId id = kNoId;
};

struct Scan {
  std::vector<Candidate> candidates;
  float floor = 0;  // no row whose upper bound is below can be in the answer
};

Scan scan_codes(const Snapshot& snapshot, const VectorQuery& query, const vec::QuantisedQuery& quantised) {
  Scan scan{.floor = query.min_similarity};
  const auto dot = vec::dot_functions().codes;
  const bool limited = query.k != kAllSimilar;
  vec::TopK lower_bounds(limited ? std::min<std::size_t>(query.k, snapshot.vectors()) : 1);
  for (const auto& state : snapshot.segments) {
    const Segment& segment = *state->segment;
    for (std::uint32_t row = 0; row < segment.vectors(); ++row) {
      const ImageId id = segment.vector_ids[row];
      if ((query.allowed != nullptr && !query.allowed->contains(id)) || state->dead_vectors.dead(row)) continue;
      const vec::CodeScale& scale = segment.code_scales[row];
      const float similarity = quantised.similarity(dot(segment.codes(row), quantised.values.data(), segment.row_size), scale);
      const float bound = quantised.bound(scale);
      if (similarity + bound < scan.floor) continue;
      scan.candidates.push_back({similarity, bound, &segment, row, id});
      if (limited) {
        lower_bounds.offer({similarity - bound, id});
        scan.floor = std::max(scan.floor, lower_bounds.floor());
      }
    }
  }
  return scan;
}

std::vector<float> padded_query(std::span<const float> vector) {
  std::vector<float> query(vec::padded(vector.size()), 0.0F);
  std::copy(vector.begin(), vector.end(), query.begin());
  return query;
}

/// Whether the candidate's similarity must come from its float32 vector.
bool needs_floats(const Candidate& candidate, const VectorQuery& query, float exact_from) {
  return query.k != kAllSimilar || candidate.similarity >= exact_from || candidate.similarity - candidate.bound < query.min_similarity;
}

std::vector<vec::Scored> rank(const Scan& scan, const VectorQuery& query) {
  std::vector<vec::Scored> ranked;
  std::vector<float> best;
  float exact_from = -2;
  if (query.k == kAllSimilar && scan.candidates.size() > kExactHits) {
    for (const Candidate& candidate : scan.candidates) best.push_back(candidate.similarity);
    std::nth_element(best.begin(), best.begin() + kExactHits, best.end(), std::greater<>());
    exact_from = best[kExactHits];
  }
  const std::vector<float> floats = padded_query(query.vector);
  const auto dot = vec::dot_functions().floats;
  for (const Candidate& candidate : scan.candidates) {
    if (candidate.similarity + candidate.bound < scan.floor) continue;
    float similarity = candidate.similarity;
    if (needs_floats(candidate, query, exact_from)) {
      similarity = dot(floats.data(), candidate.segment->row(candidate.row), candidate.segment->row_size);
    }
    if (similarity >= query.min_similarity) ranked.push_back({std::clamp(similarity, -1.0F, 1.0F), candidate.id});
  }
  const std::size_t kept = std::min(query.k, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept), ranked.end(), vec::better);
  ranked.resize(kept);
  return ranked;
}

}  // namespace

Result<VectorMatches> search_vectors(const Snapshot& snapshot, const VectorQuery& query) {
  VectorMatches matches;
  if (snapshot.vectors() == 0) return matches;
  if (query.vector.size() != snapshot.dims) {
    return fail(Code::kBadInput, "the query has {} components, the index's vectors have {}", query.vector.size(), snapshot.dims);
  }
  if (!std::all_of(query.vector.begin(), query.vector.end(), [](float value) { return std::isfinite(value); })) {
    return fail(Code::kBadInput, "the query vector is not finite");
  }
  if (query.k == 0) return matches;
  const Scan scan = scan_codes(snapshot, query, vec::QuantisedQuery(query.vector));
  for (const vec::Scored& one : rank(scan, query)) matches.hits.push_back({one.id, one.score});
  return matches;
}

std::optional<Embedding> find_embedding(const Snapshot& snapshot, ImageId id) {
  for (const auto& state : snapshot.segments) {
    const auto row = state->segment->find_vector(id);
    if (!row || state->dead_vectors.dead(*row)) continue;
    const float* values = state->segment->row(*row);
    return Embedding(values, values + state->segment->dims());
  }
  return std::nullopt;
}

}  // namespace magpie::index
