#include "analyse/copy_search.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

namespace magpie::analyse {
namespace {

constexpr int kHashBitsMax = 76;     // of 256: unrelated pictures are 128 apart
constexpr int kHashQualityMin = 15;  // of 100: under it PDQ says nothing
constexpr double kSkewMax = 0.06;    // sine of how far a right angle, or a side, may be bent: refining is that exact
constexpr double kSqueezeWhenTurnedMax = 1.08;
constexpr std::size_t kInliersMin = 7;   // fewer agree by chance too often to be worth a look
constexpr std::size_t kGuessedMax = 40;  // candidates by keypoints whose map is guessed
constexpr std::size_t kRefusedMax = 8;   // looks without success before the search gives up
constexpr double kToneMin = 6;
constexpr int kSameFrameBitsMax = 24;     // and
constexpr float kSameFrameShare = 0.93F;  // of both: whatever shares keypoints with the one does with the other

double longer(image::Size size) { return std::max(size.width, size.height); }

// Within 60 degrees; colours that cancel out lean nowhere, and agree with all.
bool same_tone(const Tone& a, const Tone& b) {
  const double sizes = std::hypot(a.red, a.blue) * std::hypot(b.red, b.blue);
  return sizes < kToneMin * kToneMin || a.red * b.red + a.blue * b.blue >= 0.5 * sizes;
}

// From the whole of the query turned (as in PdqTurns) to the whole of the known one.
image::AffineMap whole_onto_whole(image::Size query, std::size_t turn, image::Size known) {
  constexpr image::AffineMap kQuarters[4] = {
      {1, 0, 0, 0, 1, 0}, {0, -1, 1, 1, 0, 0}, {-1, 0, 1, 0, -1, 1}, {0, 1, 0, -1, 0, 1}};  // of the unit square
  constexpr image::AffineMap kMirror{-1, 0, 1, 0, 1, 0};
  image::AffineMap map{longer(query) / query.width, 0, 0, 0, longer(query) / query.height, 0};
  if (turn >= 4) map = chained(map, kMirror);
  map = chained(map, kQuarters[turn % 4]);
  return chained(map, {known.width / longer(known), 0, 0, 0, known.height / longer(known), 0});
}

// From what lies within a picture's border to all of it.
image::AffineMap to_whole(const CopySketch& sketch) {
  const double scale = longer(sketch.inner.size) / longer(sketch.size);
  return {scale, 0, sketch.inner.left / longer(sketch.size), 0, scale, sketch.inner.top / longer(sketch.size)};
}

float inner_share(const CopySketch& sketch) {
  return static_cast<float>(static_cast<double>(sketch.inner.size.pixels()) / static_cast<double>(sketch.size.pixels()));
}

// The same overlap, of whole pictures.
image::Overlap of_whole(image::Overlap overlap, const CopySketch& first, const CopySketch& second) {
  if (const auto back = inverse(to_whole(first))) overlap.map = chained(chained(*back, overlap.map), to_whole(second));
  overlap.share_of_first *= inner_share(first);
  overlap.share_of_second *= inner_share(second);
  return overlap;
}

// What editors do: scale and turn, or squeeze along the sides. Other maps come from pictures that do not fit and were pulled until they
// did.
bool is_natural(const image::AffineMap& map) {
  const double across = std::hypot(map.xx, map.yx), down = std::hypot(map.xy, map.yy);
  const double skew = std::abs(map.xx * map.xy + map.yx * map.yy) / (across * down);
  if (skew > kSkewMax) return false;
  if (std::max(across, down) <= kSqueezeWhenTurnedMax * std::min(across, down)) return true;
  const double off_axis = std::min(std::abs(map.xx), std::abs(map.yx)) / across;
  return off_axis <= kSkewMax;
}

bool agrees(const image::Overlap& overlap, const CandidateEvidence& evidence, const OverlapRule& rule) {
  const bool strong = evidence.hash_bits <= rule.strong_bits_max || evidence.inliers >= rule.strong_inliers_min;
  if (overlap.agreement >= (strong ? rule.agreement_min : rule.agreement_weak_min)) return true;
  const bool many = evidence.inliers >= rule.marked_inliers_min;
  if (many && overlap.agreement >= rule.agreement_all_over_min && overlap.correlation >= rule.correlation_all_over_min) return true;
  return (many || evidence.hash_bits <= rule.marked_bits_max) && overlap.agreement_beside_mark >= rule.agreement_beside_mark_min &&
         overlap.agreement >= rule.agreement_with_mark_min;
}

}  // namespace

OverlapVerdict judge(const image::Overlap& overlap, const CandidateEvidence& evidence, const OverlapRule& rule) {
  const bool covers = std::max(overlap.share_of_first, overlap.share_of_second) >= rule.share_min && overlap.blocks >= rule.blocks_min;
  if (!covers || !is_natural(overlap.map) || !agrees(overlap, evidence, rule)) return OverlapVerdict::kOther;
  return overlap.other_hue > rule.other_hue_max ? OverlapVerdict::kOtherColour : OverlapVerdict::kCopy;
}

std::string describe(const CopyLink& link) {
  const image::AffineMap& map = link.overlap.map;
  const double across = std::hypot(map.xx, map.yx), down = std::hypot(map.xy, map.yy);
  const bool mirrored = map.determinant() < 0;
  const double degrees = std::atan2(map.yx, map.xx) * 180 / std::numbers::pi;
  const long turned = std::lround(mirrored ? std::remainder(degrees - 180, 360) : degrees);
  std::string text = mirrored ? "mirrored, " : "";
  if (turned != 0) text += fmt::format("turned by {} degrees, ", turned);
  if (std::max(across, down) > 1.03 * std::min(across, down)) text += "squeezed, ";
  return text + fmt::format("{:.0f} % of it, {:.0f} % of the other", 100 * link.overlap.share_of_first, 100 * link.overlap.share_of_second);
}

// ---- candidates

std::vector<CopySearch::Candidate> CopySearch::near_hashes(const CopySketch& sketch) const {
  std::vector<Candidate> near;
  if (sketch.pdq.quality < kHashQualityMin) return near;
  for (std::uint32_t i = 0; i < hashes_.size(); ++i) {
    for (std::size_t turn = 0; turn < 8; ++turn) {
      const int bits = image::hamming(sketch.pdq.hashes[turn], hashes_[i]);
      if (bits > kHashBitsMax || sketches_[i].pdq.quality < kHashQualityMin) continue;
      near.push_back({i, whole_onto_whole(sketch.overlap.size(), turn, sketches_[i].overlap.size()), {.hash_bits = bits}});
    }
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const Candidate& a, const Candidate& b) { return a.evidence.hash_bits < b.evidence.hash_bits; });
  return near;
}

std::vector<CopySearch::Candidate> CopySearch::near_keypoints(const CopySketch& sketch) const {
  std::vector<SharedKeypoints> sharing = keypoints_.sharing(sketch.keypoints);
  if (sharing.size() > kGuessedMax) sharing.resize(kGuessedMax);
  std::vector<Candidate> near;
  for (const SharedKeypoints& shared : sharing) {
    const auto guess = guess_map(sketch.keypoints, sketches_[shared.picture].keypoints, shared, kInliersMin);
    if (guess) near.push_back({shared.picture, guess->map, {.inliers = guess->inliers}});
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const Candidate& a, const Candidate& b) { return a.evidence.inliers > b.evidence.inliers; });
  return near;
}

// ---- groups

// A new picture on its way in.
struct CopySearch::Arrival {
  std::uint32_t picture = 0;
  std::vector<CopyLink> links;
  bool same_frame = false;  // as a known one that is a copy
};

void CopySearch::check(Arrival& arrival, const std::vector<Candidate>& candidates) {
  const CopySketch& sketch = sketches_[arrival.picture];
  std::size_t refused = 0;
  for (const Candidate& candidate : candidates) {
    if (group_of(candidate.picture) == group_of(arrival.picture)) continue;
    if (refused == kRefusedMax) return;
    const CopySketch& known = sketches_[candidate.picture];
    const auto overlap = image::overlay(sketch.overlap, known.overlap, candidate.map);
    const OverlapVerdict verdict = overlap ? judge(*overlap, candidate.evidence, rule_) : OverlapVerdict::kOther;
    if (verdict == OverlapVerdict::kOtherColour) groups_[group_of(arrival.picture)].other_colours.push_back(candidate.picture);
    const bool by_colour = sketch.tone && known.tone;
    if (verdict != OverlapVerdict::kCopy || !may_join(group_of(arrival.picture), group_of(candidate.picture), by_colour)) {
      ++refused;
      continue;
    }
    arrival.links.push_back({candidate.picture, of_whole(*overlap, sketch, known)});
    arrival.same_frame |=
        candidate.evidence.hash_bits <= kSameFrameBitsMax && std::min(overlap->share_of_first, overlap->share_of_second) >= kSameFrameShare;
    join(arrival.picture, candidate.picture);
  }
}

// Colours decide between the colours of one thing, so a picture without any, which would be a copy of each, joins only groups whose tones
// do not speak against it.
bool CopySearch::may_join(std::uint32_t a, std::uint32_t b, bool by_colour) const {
  if (!by_colour && groups_[a].tone && groups_[b].tone && !same_tone(*groups_[a].tone, *groups_[b].tone)) return false;
  const auto has_member_of = [this](const Group& group, std::uint32_t other) {
    return std::any_of(group.other_colours.begin(), group.other_colours.end(),
                       [&](std::uint32_t picture) { return group_of(picture) == other; });
  };
  return !has_member_of(groups_[a], b) && !has_member_of(groups_[b], a);
}

void CopySearch::join(std::uint32_t a, std::uint32_t b) {
  a = group_of(a), b = group_of(b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  parents_[b] = a;
  if (!groups_[a].tone) groups_[a].tone = groups_[b].tone;
  groups_[a].other_colours.insert(groups_[a].other_colours.end(), groups_[b].other_colours.begin(), groups_[b].other_colours.end());
  groups_[b] = {};
}

std::uint32_t CopySearch::group_of(std::uint32_t picture) const {
  while (parents_[picture] != picture) picture = parents_[picture] = parents_[parents_[picture]];
  return picture;
}

std::vector<CopyLink> CopySearch::add(CopySketch sketch) {
  Arrival arrival{.picture = static_cast<std::uint32_t>(sketches_.size()), .links = {}};
  const std::vector<Candidate> near = near_hashes(sketch);
  parents_.push_back(arrival.picture);
  groups_.push_back({.tone = sketch.tone, .other_colours = {}});
  hashes_.push_back(sketch.pdq.hashes[0]);
  sketches_.push_back(std::move(sketch));
  check(arrival, near);
  if (arrival.same_frame) return std::move(arrival.links);  // its copy's keypoints stand for both
  const CopySketch& kept = sketches_.back();
  check(arrival, near_keypoints(kept));
  keypoints_.add(arrival.picture, kept.keypoints);
  return std::move(arrival.links);
}

}  // namespace magpie::analyse
