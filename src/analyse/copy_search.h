#pragma once
// Groups pictures that are copies of one another: re-encoded, resized, cropped, framed, written on, mirrored, turned, squeezed, or with
// other colours as a whole. Two stages. What may be a copy is found by hashes (PDQ of all eight turns) and by keypoints that agree on one
// map; whether it is one is judged by laying one picture over the other (image/overlap.h). So two photographs of one shirt, two products
// with one logo, or one shirt in two colours are looked at, and refused. How it was chosen, what it finds and what it costs: README.md,
// "Copies".
#include <cstdint>
#include <optional>
#include <vector>

#include "analyse/copy_proof.h"
#include "analyse/copy_sketch.h"
#include "analyse/keypoint_index.h"

namespace magpie::analyse {

/// Why two pictures are copies. The map and the shares are of whole pictures, borders and all.
struct CopyLink {
  std::uint32_t picture = 0;  // the earlier one
  image::Overlap overlap;     // from the later to the earlier one
};

/// Pictures in the order they come, in memory: about 90 KB each. Not thread-safe: one owner.
class CopySearch {
 public:
  explicit CopySearch(OverlapRule rule = {}) : rule_(rule) {}

  /// Numbers it 0, 1, … and joins it with the groups of the copies found, whose links to it are the answer: at most one a group.
  std::vector<CopyLink> add(CopySketch sketch);
  /// The least number of its group.
  std::uint32_t group_of(std::uint32_t picture) const;
  std::size_t size() const { return sketches_.size(); }

 private:
  struct Candidate {
    std::uint32_t picture = 0;
    image::AffineMap map;
    CandidateEvidence evidence;
  };
  struct Group {
    std::optional<Tone> tone;                  // of its first coloured member
    std::vector<std::uint32_t> other_colours;  // pictures that are this group's thing in another colour
  };
  struct Arrival;

  std::vector<Candidate> near_hashes(const CopySketch& sketch) const;
  std::vector<Candidate> near_keypoints(const CopySketch& sketch) const;
  void check(Arrival& arrival, const std::vector<Candidate>& candidates);
  bool may_join(std::uint32_t a, std::uint32_t b, bool by_colour) const;
  void join(std::uint32_t a, std::uint32_t b);

  OverlapRule rule_;
  std::vector<CopySketch> sketches_;
  std::vector<image::PdqHash> hashes_;  // as they are; apart, as every search reads all of them
  mutable std::vector<std::uint32_t> parents_;
  std::vector<Group> groups_;  // by their least number
  KeypointIndex keypoints_;
};

}  // namespace magpie::analyse
