// search_vectors: three looks at fewer and fewer rows. A scan of sketches, a bit a component, gives each row's similarity up to a bound
// that holds for all but one row in some two million (vec/sketch.h); one-byte codes give it up to a proven bound (vec/quantise.h). A row is
// left out when even its upper bound is below similarity_min, or below the k-th best lower bound; what is left, a few rows as a rule, is
// compared by its float32 vector. Segments of few rows have no sketches. A picture's rows stand together in one segment, so its best row is
// known before the next picture comes.
#include <algorithm>
#include <cmath>
#include <optional>

#include "index/fetch_ahead.h"
#include "index/snapshot.h"
#include "index/vector_plan.h"
#include "vec/dot.h"
#include "vec/graph.h"
#include "vec/quantise.h"
#include "vec/sketch.h"
#include "vec/top_k.h"

namespace magpie::index {
namespace {

/// An answer without a limit is ranked by float32 vectors this far down; below, similarities come from the codes (off by less than
/// 0.001 as a rule), except near similarity_min, where the float32 vectors decide.
constexpr std::size_t kExactHits = 1'000;
/// The same for an answer that a graph gave, whose end is an estimate anyway: a row's float32 vector is 5 KB somewhere on a disk.
constexpr std::size_t kExactNearest = 64;

/// A beam that is to give k rows is wider by half, up to so many: the best of a long list are found long before its end is settled.
constexpr std::size_t kBeamMargin = 64;

/// As many times more where pictures have several rows each, since they are to be k pictures.
constexpr std::size_t kRegionsBeam = 4;

struct Candidate {
  float similarity = 0, bound = 0;
  const Segment* segment = nullptr;
  std::uint32_t row = 0;
  ImageId id = kNoId;
};

/// Rows that may be in the answer, from one kind of look. A picture's rows are offered one after the other.
class Scan {
 public:
  Scan(const VectorQuery& query, std::size_t vectors, float floor)
      : floor_(floor), limited_(query.k != kAllSimilar), lower_bounds_(limited_ ? std::min<std::size_t>(query.k, vectors) : 1) {}

  void offer(const Candidate& candidate) {
    if (candidate.similarity + candidate.bound < floor_) return;
    candidates_.push_back(candidate);
    if (!limited_) return;
    const float lower_bound = candidate.similarity - candidate.bound;
    if (candidate.id == picture_.id) {
      picture_.score = std::max(picture_.score, lower_bound);
      return;
    }
    take_picture();
    picture_ = {lower_bound, candidate.id};
  }
  const std::vector<Candidate>& candidates() const { return candidates_; }
  /// No row whose upper bound is below can be in the answer.
  float floor() const { return floor_; }
  void raise(float floor) { floor_ = std::max(floor_, floor); }

 private:
  // The k-th best picture's lower bound is a floor for all, so a picture must count once.
  void take_picture() {
    if (picture_.id == kNoId) return;
    lower_bounds_.offer(picture_);
    floor_ = std::max(floor_, lower_bounds_.floor());
  }
  std::vector<Candidate> candidates_;
  float floor_;
  bool limited_;
  vec::Scored picture_{0, kNoId};  // whose rows are being offered: its best lower bound
  vec::TopK lower_bounds_;
};

/// A scope as the rows of one segment say it.
class RowScope {
 public:
  RowScope(const Segment& segment, const VectorScope& scope) : regions_(segment.vector_regions), part_(scope.part) {
    const bool by_class = part_ == VectorPart::kRegion && !scope.region_class.empty();
    if (part_ == VectorPart::kRegion && regions_.empty()) none_ = true;
    if (!by_class || none_) return;
    const auto name = segment.region_classes.names.find(scope.region_class);
    if (!name) none_ = true;
    else wanted_ = *name + 1;
    classes_ = segment.region_classes.codes;
  }
  /// Whether no row can be within.
  bool none() const { return none_; }
  bool has(std::uint32_t row) const {
    if (none_) return false;
    if (part_ == VectorPart::kAny || regions_.empty()) return true;
    if ((regions_[row] == 0) != (part_ == VectorPart::kWhole)) return false;
    return wanted_ == 0 || classes_[row] == wanted_;
  }

 private:
  std::span<const std::uint16_t> regions_;
  std::span<const std::uint32_t> classes_;
  VectorPart part_;
  std::uint32_t wanted_ = 0;  // 0: every class
  bool none_ = false;
};

/// The first row from `row` on whose id is not below `id`. Pictures have mostly one row each and consecutive ids, so the first guess is
/// right.
std::uint32_t seek(std::span<const ImageId> ids, std::uint32_t row, ImageId id) {
  if (row >= ids.size() || ids[row] >= id) return row;
  const std::size_t last = ids.size() - 1;
  if (ids[last] < id) return static_cast<std::uint32_t>(ids.size());
  const std::size_t guess = std::min<std::size_t>(last, row + (id - ids[row]));
  if (ids[guess] == id && ids[guess - 1] < id) return static_cast<std::uint32_t>(guess);
  std::size_t step = 1;
  while (row + step < last && ids[row + step] < id) step *= 2;
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(row + step, last));
  return static_cast<std::uint32_t>(std::lower_bound(ids.begin() + static_cast<std::ptrdiff_t>(row + step / 2), end, id) - ids.begin());
}

/// Calls use(row, id) for each row of the segment that may be answered. `few`: the allowed ids, ascending, where looking each up is quicker
/// than passing over all rows; else null.
template <class Use>
void each_row(const SegmentState& state, const VectorQuery& query, const std::vector<ImageId>* few, Use&& use) {
  const Segment& segment = *state.segment;
  const RowScope scope(segment, query.scope);
  if (scope.none()) return;
  if (few != nullptr) {
    std::uint32_t row = 0;
    for (const ImageId id : *few) {
      for (row = seek(segment.vector_ids, row, id); row < segment.vectors() && segment.vector_ids[row] == id; ++row) {
        if (!state.dead_vectors.dead(row) && scope.has(row)) use(row, id);
      }
    }
    return;
  }
  for (std::uint32_t row = 0; row < segment.vectors(); ++row) {
    const ImageId id = segment.vector_ids[row];
    if ((query.allowed != nullptr && !query.allowed->contains(id)) || state.dead_vectors.dead(row) || !scope.has(row)) continue;
    use(row, id);
  }
}

std::vector<float> padded_query(std::span<const float> vector) {
  std::vector<float> query(vec::padded(vector.size()), 0.0F);
  std::copy(vector.begin(), vector.end(), query.begin());
  return query;
}

/// Whether a row may be answered at all.
bool may_answer(const SegmentState& state, const VectorQuery& query, const RowScope& scope, std::uint32_t row) {
  if (query.allowed != nullptr && !query.allowed->contains(state.segment->vector_ids[row])) return false;
  return !state.dead_vectors.dead(row) && scope.has(row);
}

/// One search over one snapshot: the query in the forms that its looks want, made when they are.
class Search {
 public:
  Search(const Snapshot& snapshot, const VectorQuery& query)
      : snapshot_(snapshot),
        query_(query),
        floats_(padded_query(query.vector)),
        quantised_(query.vector),
        near_(query, snapshot.vectors(), query.min_similarity),
        walked_(snapshot.segments.size(), false),
        passing_(query.allowed != nullptr ? query.allowed->count() : snapshot.vectors()) {
    if (passing_ * kLookUpCost < snapshot.vectors()) few_ = query.allowed->to_vector();
  }

  /// Rows that may be in the answer, their similarities by codes.
  const Scan& run() {
    if (!query_.exact && query_.k != kAllSimilar) walk_graphs();
    scan_codes(scan_sketches());
    return near_;
  }
  VectorPlan plan() const { return plan_; }
  std::span<const float> floats() const { return floats_; }

 private:
  /// Rows of a walk that are asked for before they are looked at (fetch_ahead.h).
  static constexpr std::size_t kAhead = 4;

  /// A look-up costs as much as passing over so many rows.
  static constexpr std::uint64_t kLookUpCost = 64;

  const std::vector<ImageId>* few() const { return few_ ? &*few_ : nullptr; }

  const vec::Rotation& rotation(std::size_t size) {
    if (!rotation_) rotation_.emplace(size);
    return *rotation_;
  }

  void look(const Segment& segment, std::uint32_t row) {
    const vec::CodeScale& scale = segment.code_scales[row];
    const std::int64_t sum = vec::dot_functions().codes(segment.codes(row), quantised_.values.data(), segment.row_size);
    near_.offer({quantised_.similarity(sum, scale), quantised_.bound(scale), &segment, row, segment.vector_ids[row]});
  }

  /// An estimate by a sample, the same for the same filter however it is written.
  double passing(const SegmentState& state, const RowScope& scope) const {
    constexpr std::uint32_t kSample = 512;
    const std::uint32_t rows = state.segment->vectors();
    std::uint32_t passed = 0;
    for (std::uint32_t i = 0; i < kSample; ++i) {
      const auto row = static_cast<std::uint32_t>((std::uint64_t{2 * i + 1} * rows) / (2 * kSample));
      passed += may_answer(state, query_, scope, row) ? 1 : 0;
    }
    return static_cast<double>(passed) / kSample * rows;
  }

  void walk_graphs() {
    for (std::size_t i = 0; i < snapshot_.segments.size(); ++i) {
      if (snapshot_.segments[i]->segment->has_good_graph()) walked_[i] = walk_graph(*snapshot_.segments[i]);
      if (walked_[i]) plan_ = VectorPlan::kGraph;
    }
  }

  /// False where a scan must answer: it is cheaper, or the walk did not find enough.
  bool walk_graph(const SegmentState& state) {
    const Segment& segment = *state.segment;
    const RowScope scope(segment, query_.scope);
    if (scope.none()) return false;
    const bool picky = query_.allowed != nullptr || state.dead_vectors.count() > 0 || query_.scope.part != VectorPart::kAny;
    const std::size_t beam =
        std::max(kGraphBeamMin, query_.k + std::min(query_.k / 2, kBeamMargin)) * (segment.vector_regions.empty() ? 1 : kRegionsBeam);
    const double passed = picky ? passing(state, scope) : segment.vectors();
    const SegmentPlan plan = plan_segment(segment.vectors(), passed, beam);
    if (!plan.walk) return false;
    const vec::GraphView graph = segment.graph();
    const vec::ReducedQuery query(floats_, graph.reduction);
    std::function<bool(std::uint32_t)> passes;
    if (picky) passes = [&](std::uint32_t row) { return may_answer(state, query_, scope, row); };
    if (picky && stops_the_nearest(graph, query, passes, passed / segment.vectors())) return false;
    vec::Walked walked = vec::walk(graph, query, {.beam = beam, .looks_max = plan.looks_max}, passes);
    if (!walked.finished || pictures(segment, walked.best) < std::min<std::size_t>(query_.k, segment.vectors())) return false;
    const std::vector<vec::Scored>& best = walked.best;
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (i + kAhead < best.size()) fetch(segment.codes(best[i + kAhead].id), segment.row_size);
      look(segment, best[i].id);
    }
    return true;
  }

  /// Whether hardly any of the query's nearest rows pass a filter that lets `share` of all rows pass: a walk would take what it meets
  /// first far from the query for the nearest, and would not notice. Cost: a short walk.
  static bool stops_the_nearest(const vec::GraphView& graph, const vec::ReducedQuery& query,
                                const std::function<bool(std::uint32_t)>& passes, double share) {
    const vec::Walked nearest = vec::walk(graph, query, {.beam = kGraphBeamMin});
    const auto passed = std::ranges::count_if(nearest.best, [&](const vec::Scored& one) { return passes(one.id); });
    return static_cast<double>(passed) < share / 4 * static_cast<double>(nearest.best.size());
  }

  /// How many different ones; sorts the rows, so that those of a picture stand together.
  static std::size_t pictures(const Segment& segment, std::vector<vec::Scored>& rows) {
    std::ranges::sort(rows, {}, &vec::Scored::id);
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      count += i == 0 || segment.vector_ids[rows[i].id] != segment.vector_ids[rows[i - 1].id] ? 1 : 0;
    }
    return count;
  }

  Scan scan_sketches() {
    Scan scan(query_, snapshot_.vectors(), near_.floor());
    for (std::size_t i = 0; i < snapshot_.segments.size(); ++i) {
      if (!walked_[i] && snapshot_.segments[i]->segment->has_sketches()) scan_sketches(*snapshot_.segments[i], scan);
    }
    return scan;
  }

  void scan_sketches(const SegmentState& state, Scan& scan) {
    const Segment& segment = *state.segment;
    const vec::SketchQuery sketched(floats_, segment.sketch_centre, rotation(segment.row_size));
    // Neighbours at once, unless the filter stops most of them.
    const std::uint32_t at_once = 2 * passing_ < snapshot_.vectors() ? 1 : vec::SketchQuery::kRowsMax;
    const std::size_t words = vec::sketch_words(segment.row_size);
    vec::SketchQuery::Sums sums;
    std::uint32_t known = 0;  // rows below have their sums, the last `at_once` of them still
    struct Row {
      std::uint32_t row = 0;
      ImageId id = kNoId;
    };
    const auto look = [&](const Row& one) {
      if (one.row >= known) {
        const std::uint32_t begin = one.row / at_once * at_once;
        known = std::min(begin + at_once, segment.vectors());
        sketched.sums({segment.sketch(begin), known - begin, words}, sums);
      }
      const auto [similarity, bound] = sketched.estimate(sums[one.row % at_once], segment.sketch_scales[one.row]);
      scan.offer({similarity, bound, &segment, one.row, one.id});
    };
    FetchAhead<Row> ahead;
    each_row(state, query_, few(), [&](std::uint32_t row, ImageId id) {
      if (at_once == 1) {
        fetch(segment.sketch(row), words * sizeof(*segment.sketch(row)));
        fetch(&segment.sketch_scales[row], 1);
      }
      ahead.put({row, id}, look);
    });
    ahead.finish(look);
  }

  /// Of rows with a sketch, those that it left.
  void scan_codes(const Scan& sketched) {
    near_.raise(sketched.floor());
    FetchAhead<const Candidate*> ahead;
    const auto look_at = [&](const Candidate* one) {
      if (one->similarity + one->bound >= near_.floor()) look(*one->segment, one->row);
    };
    for (const Candidate& candidate : sketched.candidates()) {
      if (candidate.similarity + candidate.bound < near_.floor()) continue;
      fetch(candidate.segment->codes(candidate.row), candidate.segment->row_size);
      ahead.put(&candidate, look_at);
    }
    ahead.finish(look_at);
    for (const auto& state : snapshot_.segments) {
      if (state->segment->has_sketches()) continue;
      each_row(*state, query_, few(), [&](std::uint32_t row, ImageId) { look(*state->segment, row); });
    }
  }

  const Snapshot& snapshot_;
  const VectorQuery& query_;
  const std::vector<float> floats_;
  const vec::QuantisedQuery quantised_;
  std::optional<vec::Rotation> rotation_;
  Scan near_;
  std::vector<bool> walked_;  // by segment
  std::uint64_t passing_;     // ids that the filter lets pass
  std::optional<std::vector<ImageId>> few_;
  VectorPlan plan_ = VectorPlan::kScan;
};

/// Calls use(span of candidates) for each picture.
template <class Use>
void each_picture(std::span<const Candidate> candidates, Use&& use) {
  for (std::size_t begin = 0, end = 0; begin < candidates.size(); begin = end) {
    while (end < candidates.size() && candidates[end].id == candidates[begin].id) ++end;
    use(candidates.subspan(begin, end - begin));
  }
}

float best_similarity(std::span<const Candidate> picture) {
  float best = -2;
  for (const Candidate& one : picture) best = std::max(best, one.similarity);
  return best;
}

/// The similarity, as the codes give it, of the picture behind the best `count`; those above are compared by their float32 vectors.
float exact_from(std::span<const Candidate> candidates, std::size_t count) {
  std::vector<float> best;
  each_picture(candidates, [&](std::span<const Candidate> picture) { best.push_back(best_similarity(picture)); });
  if (best.size() <= count) return -2;
  const auto behind = best.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(best.begin(), behind, best.end(), std::greater<>());
  return *behind;
}

bool comes_first(const SimilarId& a, const SimilarId& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.id < b.id;
}

std::vector<SimilarId> rank(const Scan& scan, const VectorQuery& query, VectorPlan plan, std::span<const float> floats) {
  const bool all = query.ranked && query.k != kAllSimilar && plan == VectorPlan::kScan;
  const std::size_t exact = !query.ranked ? 0 : query.k == kAllSimilar ? kExactHits : kExactNearest;
  const float floats_from = all ? -2 : exact_from(scan.candidates(), exact);
  const auto dot = vec::dot_functions().floats;
  std::vector<SimilarId> ranked;
  each_picture(scan.candidates(), [&](std::span<const Candidate> picture) {
    const bool by_floats = all || best_similarity(picture) >= floats_from;
    SimilarId hit{.similarity = -2};
    for (const Candidate& one : picture) {
      if (one.similarity + one.bound < scan.floor()) continue;
      float similarity = one.similarity;
      if (by_floats || one.similarity - one.bound < query.min_similarity) {
        similarity = dot(floats.data(), one.segment->row(one.row), one.segment->row_size);
      }
      if (similarity < query.min_similarity || similarity <= hit.similarity) continue;
      hit = {one.id, std::clamp(similarity, -1.0F, 1.0F), one.segment->region(one.row)};
    }
    if (hit.id != kNoId) ranked.push_back(hit);
  });
  const std::size_t kept = std::min(query.k, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept), ranked.end(), comes_first);
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
  Search search(snapshot, query);
  const Scan& near = search.run();
  matches.plan = search.plan();
  matches.hits = rank(near, query, matches.plan, search.floats());
  matches.complete = matches.plan == VectorPlan::kScan;
  return matches;
}

Result<Background> background_similarity(const Snapshot& snapshot, std::span<const float> vector, const VectorScope& scope) {
  constexpr std::uint64_t kSample = 1'000;
  if (snapshot.vectors() == 0) return Background();
  MAGPIE_TRY_DO(check_query(snapshot, vector));
  const vec::QuantisedQuery quantised(vector);
  const auto dot = vec::dot_functions().codes;
  // One row of each stretch of so many: the first that lives and is within the scope.
  const std::uint64_t stretch = std::max<std::uint64_t>(1, snapshot.vectors() / kSample);
  double sum = 0;
  std::uint64_t before = 0, taken = 0, next = 0;  // rows of the segments before; places among all rows
  for (const auto& state : snapshot.segments) {
    const Segment& segment = *state->segment;
    const RowScope rows(segment, scope);
    const std::uint64_t end = before + segment.vectors();
    for (std::uint64_t place = std::max(next, before); !rows.none() && place < end;) {
      const auto row = static_cast<std::uint32_t>(place - before);
      if (state->dead_vectors.dead(row) || !rows.has(row)) {
        ++place;
        continue;
      }
      sum += quantised.similarity(dot(segment.codes(row), quantised.values.data(), segment.row_size), segment.code_scales[row]);
      ++taken;
      place = next = (place / stretch + 1) * stretch;
    }
    before = end;
  }
  if (taken == 0) return Background();
  return Background{.mean = static_cast<float>(sum / static_cast<double>(taken)), .vectors = taken * stretch};
}

std::optional<Embedding> find_embedding(const Snapshot& snapshot, ImageId id, std::uint16_t region) {
  for (const auto& state : snapshot.segments) {
    const Segment& segment = *state->segment;
    const RowRange rows = segment.vectors_of(id);
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) {
      if (segment.region(row) != region || state->dead_vectors.dead(row)) continue;
      return Embedding(segment.row(row), segment.row(row) + segment.dims());
    }
  }
  return std::nullopt;
}

}  // namespace magpie::index
