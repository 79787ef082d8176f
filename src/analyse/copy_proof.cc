#include "analyse/copy_proof.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "analyse/keypoint_index.h"

namespace magpie::analyse {
namespace {

constexpr double kSkewMax = 0.06;  // sine of how far a right angle, or a side, may be bent: refining is that exact
constexpr double kSqueezeWhenTurnedMax = 1.08;

double longer(image::Size size) { return std::max(size.width, size.height); }

// From what lies within a picture's border to all of it.
image::AffineMap to_whole(const CopySketch& sketch) {
  const double scale = longer(sketch.inner.size) / longer(sketch.size);
  return {scale, 0, sketch.inner.left / longer(sketch.size), 0, scale, sketch.inner.top / longer(sketch.size)};
}

float inner_share(const CopySketch& sketch) {
  return static_cast<float>(static_cast<double>(sketch.inner.size.pixels()) / static_cast<double>(sketch.size.pixels()));
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

// ---- guesses

image::AffineMap whole_onto_whole(image::Size query, std::size_t turn, image::Size known) {
  constexpr image::AffineMap kQuarters[4] = {
      {1, 0, 0, 0, 1, 0}, {0, -1, 1, 1, 0, 0}, {-1, 0, 1, 0, -1, 1}, {0, 1, 0, -1, 0, 1}};  // of the unit square
  constexpr image::AffineMap kMirror{-1, 0, 1, 0, 1, 0};
  image::AffineMap map{longer(query) / query.width, 0, 0, 0, longer(query) / query.height, 0};
  if (turn >= 4) map = chained(map, kMirror);
  map = chained(map, kQuarters[turn % 4]);
  return chained(map, {known.width / longer(known), 0, 0, 0, known.height / longer(known), 0});
}

std::vector<CopyGuess> guesses_by_hashes(const CopySketch& first, const CopySketch& second) {
  std::vector<CopyGuess> guesses;
  if (std::min(first.pdq.quality, second.pdq.quality) < kHashQualityMin) return guesses;
  for (std::size_t turn = 0; turn < first.pdq.hashes.size(); ++turn) {
    const int bits = image::hamming(first.pdq.hashes[turn], second.pdq.hashes[0]);
    if (bits > kHashBitsMax) continue;
    guesses.push_back({whole_onto_whole(first.inner.size, turn, second.inner.size), {.hash_bits = bits}});
  }
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const CopyGuess& a, const CopyGuess& b) { return a.evidence.hash_bits < b.evidence.hash_bits; });
  return guesses;
}

std::vector<CopyGuess> guesses_by_keypoints(const CopySketch& first, const CopySketch& second) {
  std::vector<CopyGuess> guesses;
  for (const SharedKeypoints& shared : shared_between(first.keypoints, second.keypoints)) {
    const auto guess = guess_map(first.keypoints, second.keypoints, shared, kInliersMin);
    if (guess) guesses.push_back({guess->map, {.inliers = guess->inliers}});
  }
  std::stable_sort(guesses.begin(), guesses.end(),
                   [](const CopyGuess& a, const CopyGuess& b) { return a.evidence.inliers > b.evidence.inliers; });
  return guesses;
}

// ---- verdict

OverlapVerdict judge(const image::Overlap& overlap, const CandidateEvidence& evidence, const OverlapRule& rule) {
  const bool covers = std::max(overlap.share_of_first, overlap.share_of_second) >= rule.share_min && overlap.blocks >= rule.blocks_min;
  if (!covers || !is_natural(overlap.map) || !agrees(overlap, evidence, rule)) return OverlapVerdict::kOther;
  return overlap.other_hue > rule.other_hue_max ? OverlapVerdict::kOtherColour : OverlapVerdict::kCopy;
}

image::Overlap of_whole(image::Overlap overlap, const CopySketch& first, const CopySketch& second) {
  if (const auto back = inverse(to_whole(first))) overlap.map = chained(chained(*back, overlap.map), to_whole(second));
  overlap.share_of_first *= inner_share(first);
  overlap.share_of_second *= inner_share(second);
  return overlap;
}

std::string describe(const image::Overlap& overlap) {
  const image::AffineMap& map = overlap.map;
  const double across = std::hypot(map.xx, map.yx), down = std::hypot(map.xy, map.yy);
  const bool mirrored = map.determinant() < 0;
  const double degrees = std::atan2(map.yx, map.xx) * 180 / std::numbers::pi;
  const long turned = std::lround(mirrored ? std::remainder(degrees - 180, 360) : degrees);
  std::string text = mirrored ? "mirrored, " : "";
  if (turned != 0) text += fmt::format("turned by {} degrees, ", turned);
  if (std::max(across, down) > 1.03 * std::min(across, down)) text += "squeezed, ";
  return text + fmt::format("{:.0f} % of it, {:.0f} % of the other", 100 * overlap.share_of_first, 100 * overlap.share_of_second);
}

}  // namespace magpie::analyse
