#include "analyse/copy_search.h"

#include <algorithm>
#include <utility>

namespace magpie::analyse {
namespace {

constexpr std::size_t kGuessedMax = 40;   // candidates by keypoints whose map is guessed
constexpr std::size_t kRefusedMax = 8;    // looks without success before the search gives up
constexpr int kSameFrameBitsMax = 24;     // and
constexpr float kSameFrameShare = 0.93F;  // of both: whatever shares keypoints with the one does with the other

}  // namespace

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
