#pragma once
// Whether one picture is a copy of another: guesses at how the one lies on the other, and the verdict once it is laid there
// (image/overlap.h). How the limits were chosen: README.md, "Copies".
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyse/copy_sketch.h"
#include "image/overlap.h"

namespace magpie::analyse {

/// What made two pictures candidates.
struct CandidateEvidence {
  int hash_bits = 256;      // of PDQ that differ in the nearest of the eight turns, if it was that
  std::size_t inliers = 0;  // keypoints that agree on the map, if it was those
};

/// When an overlap is a copy. The figures were chosen by ./dev bench copies: each but the last lets copies through that those before it
/// miss.
struct OverlapRule {
  float share_min = 0.6F;        // of at least one of the two pictures lies on the other
  std::uint32_t blocks_min = 6;  // that show something

  float agreement_weak_min = 0.9F;  // over all of the overlap
  float agreement_min = 0.8F;       // the same, where the candidate was a strong one:
  int strong_bits_max = 40;
  std::size_t strong_inliers_min = 30;

  // Words or a logo on one part: two shirts with other prints are like that too, but for hashes and keypoints.
  float agreement_beside_mark_min = 0.98F;
  float agreement_with_mark_min = 0.5F;
  int marked_bits_max = 56;
  std::size_t marked_inliers_min = 40;

  // Words all over it, through which the picture shows.
  float agreement_all_over_min = 0.7F;
  float correlation_all_over_min = 0.78F;

  float other_hue_max = 0.04F;  // of the overlap: more is another colour of the same thing
};

enum class OverlapVerdict { kCopy, kOtherColour, kOther };
OverlapVerdict judge(const image::Overlap& overlap, const CandidateEvidence& evidence, const OverlapRule& rule = {});

/// How the whole of one picture, or of what lies within its border, may lie on another's.
struct CopyGuess {
  image::AffineMap map;  // between what lies within their borders
  CandidateEvidence evidence;
};
/// By PDQ, in those of the eight turns in which it is near; the nearest first. Nothing where PDQ says nothing of one of them.
std::vector<CopyGuess> guesses_by_hashes(const CopySketch& first, const CopySketch& second);
/// By keypoints that agree on one map, of the picture and of its mirror; most of them first. Cost: about 0.3 ms.
std::vector<CopyGuess> guesses_by_keypoints(const CopySketch& first, const CopySketch& second);

/// PDQ within so many of 256 bits is worth a look; unrelated pictures are 128 apart.
inline constexpr int kHashBitsMax = 76;
/// Of 100; under it PDQ says nothing.
inline constexpr int kHashQualityMin = 15;
/// Fewer keypoints agree by chance too often to be worth a look.
inline constexpr std::size_t kInliersMin = 7;

/// From all of the query, turned (as in PdqTurns), to all of the known one.
image::AffineMap whole_onto_whole(image::Size query, std::size_t turn, image::Size known);

/// The same overlap of whole pictures, borders and all.
image::Overlap of_whole(image::Overlap overlap, const CopySketch& first, const CopySketch& second);

/// In words: "mirrored, turned by 90 degrees, 71 % of it, 100 % of the other".
std::string describe(const image::Overlap& overlap);

}  // namespace magpie::analyse
