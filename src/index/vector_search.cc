// search_vectors: three looks at fewer and fewer rows. A scan of sketches, a bit a component, gives each row's similarity up to a bound
// that holds for all but one row in some two million (vec/sketch.h); one-byte codes give it up to a proven bound (vec/quantise.h). A row is
// left out when even its upper bound is below similarity_min, or below the k-th best lower bound; what is left, a few rows as a rule, is
// compared by its float32 vector. Segments of few rows have no sketches.
#include <algorithm>
#include <cmath>
#include <optional>

#include "index/snapshot.h"
#include "vec/dot.h"
#include "vec/quantise.h"
#include "vec/sketch.h"
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

/// Rows that may be in the answer, from one kind of look.
class Scan {
 public:
  Scan(const VectorQuery& query, std::size_t vectors, float floor)
      : floor_(floor), limited_(query.k != kAllSimilar), lower_bounds_(limited_ ? std::min<std::size_t>(query.k, vectors) : 1) {}

  void offer(const Candidate& candidate) {
    if (candidate.similarity + candidate.bound < floor_) return;
    candidates_.push_back(candidate);
    if (!limited_) return;
    lower_bounds_.offer({candidate.similarity - candidate.bound, candidate.id});
    floor_ = std::max(floor_, lower_bounds_.floor());
  }
  const std::vector<Candidate>& candidates() const { return candidates_; }
  /// No row whose upper bound is below can be in the answer.
  float floor() const { return floor_; }

 private:
  std::vector<Candidate> candidates_;
  float floor_;
  bool limited_;
  vec::TopK lower_bounds_;
};

/// Calls use(row, id) for each row of the segment that may be answered.
template <class Use>
void each_row(const SegmentState& state, const VectorQuery& query, Use&& use) {
  const Segment& segment = *state.segment;
  for (std::uint32_t row = 0; row < segment.vectors(); ++row) {
    const ImageId id = segment.vector_ids[row];
    if ((query.allowed != nullptr && !query.allowed->contains(id)) || state.dead_vectors.dead(row)) continue;
    use(row, id);
  }
}

std::vector<float> padded_query(std::span<const float> vector) {
  std::vector<float> query(vec::padded(vector.size()), 0.0F);
  std::copy(vector.begin(), vector.end(), query.begin());
  return query;
}

Scan scan_sketches(const Snapshot& snapshot, const VectorQuery& query) {
  Scan scan(query, snapshot.vectors(), query.min_similarity);
  const std::vector<float> floats = padded_query(query.vector);
  std::optional<vec::Rotation> rotation;
  for (const auto& state : snapshot.segments) {
    const Segment& segment = *state->segment;
    if (!segment.has_sketches()) continue;
    if (!rotation) rotation.emplace(segment.row_size);
    const vec::SketchQuery sketched(floats, segment.sketch_centre, *rotation);
    constexpr std::uint32_t kRows = vec::SketchQuery::kRowsMax;
    vec::SketchQuery::Sums sums;
    std::uint32_t known = 0;  // rows below have their sums, the last kRows of them still
    each_row(*state, query, [&](std::uint32_t row, ImageId id) {
      if (row >= known) {
        const std::uint32_t begin = row / kRows * kRows;
        known = std::min(begin + kRows, segment.vectors());
        sketched.sums({segment.sketch(begin), known - begin, vec::sketch_words(segment.row_size)}, sums);
      }
      const auto [similarity, bound] = sketched.estimate(sums[row % kRows], segment.sketch_scales[row]);
      scan.offer({similarity, bound, &segment, row, id});
    });
  }
  return scan;
}

/// Of rows with a sketch, those that it left.
Scan scan_codes(const Snapshot& snapshot, const VectorQuery& query, const Scan& sketched) {
  Scan scan(query, snapshot.vectors(), sketched.floor());
  const vec::QuantisedQuery quantised(query.vector);
  const auto dot = vec::dot_functions().codes;
  const auto look = [&](const Segment& segment, std::uint32_t row, ImageId id) {
    const vec::CodeScale& scale = segment.code_scales[row];
    const float similarity = quantised.similarity(dot(segment.codes(row), quantised.values.data(), segment.row_size), scale);
    scan.offer({similarity, quantised.bound(scale), &segment, row, id});
  };
  for (const Candidate& candidate : sketched.candidates()) {
    if (candidate.similarity + candidate.bound >= scan.floor()) look(*candidate.segment, candidate.row, candidate.id);
  }
  for (const auto& state : snapshot.segments) {
    if (state->segment->has_sketches()) continue;
    each_row(*state, query, [&](std::uint32_t row, ImageId id) { look(*state->segment, row, id); });
  }
  return scan;
}

/// Whether the candidate's similarity must come from its float32 vector.
bool needs_floats(const Candidate& candidate, const VectorQuery& query, float exact_from) {
  return query.k != kAllSimilar || candidate.similarity >= exact_from || candidate.similarity - candidate.bound < query.min_similarity;
}

std::vector<vec::Scored> rank(const Scan& scan, const VectorQuery& query) {
  std::vector<vec::Scored> ranked;
  std::vector<float> best;
  float exact_from = -2;
  if (query.k == kAllSimilar && scan.candidates().size() > kExactHits) {
    for (const Candidate& candidate : scan.candidates()) best.push_back(candidate.similarity);
    std::nth_element(best.begin(), best.begin() + kExactHits, best.end(), std::greater<>());
    exact_from = best[kExactHits];
  }
  const std::vector<float> floats = padded_query(query.vector);
  const auto dot = vec::dot_functions().floats;
  for (const Candidate& candidate : scan.candidates()) {
    if (candidate.similarity + candidate.bound < scan.floor()) continue;
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

namespace {

Result<void> check_query(const Snapshot& snapshot, std::span<const float> vector) {
  if (vector.size() != snapshot.dims) {
    return fail(Code::kBadInput, "the query has {} components, the index's vectors have {}", vector.size(), snapshot.dims);
  }
  const bool finite = std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); });
  return finite ? Result<void>() : fail(Code::kBadInput, "the query vector is not finite");
}

}  // namespace

Result<VectorMatches> search_vectors(const Snapshot& snapshot, const VectorQuery& query) {
  VectorMatches matches;
  if (snapshot.vectors() == 0) return matches;
  MAGPIE_TRY_DO(check_query(snapshot, query.vector));
  if (query.k == 0) return matches;
  const Scan scan = scan_codes(snapshot, query, scan_sketches(snapshot, query));
  for (const vec::Scored& one : rank(scan, query)) matches.hits.push_back({one.id, one.score});
  return matches;
}

Result<float> background_similarity(const Snapshot& snapshot, std::span<const float> vector) {
  constexpr std::uint64_t kSample = 1'000;
  if (snapshot.vectors() == 0) return 0.0F;
  MAGPIE_TRY_DO(check_query(snapshot, vector));
  const vec::QuantisedQuery quantised(vector);
  const auto dot = vec::dot_functions().codes;
  const std::uint64_t step = std::max<std::uint64_t>(1, snapshot.vectors() / kSample);
  double sum = 0;
  std::uint64_t seen = 0, taken = 0;
  for (const auto& state : snapshot.segments) {
    const Segment& segment = *state->segment;
    for (std::uint32_t row = 0; row < segment.vectors(); ++row) {
      if (state->dead_vectors.dead(row) || seen++ % step != 0) continue;
      sum += quantised.similarity(dot(segment.codes(row), quantised.values.data(), segment.row_size), segment.code_scales[row]);
      ++taken;
    }
  }
  return static_cast<float>(sum / static_cast<double>(taken));
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
