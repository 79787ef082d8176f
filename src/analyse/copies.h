#pragma once
// Finds copies of a picture: the same picture re-encoded, resized, slightly cropped, mirrored, or turned by quarters. Pictures that are
// merely alike (two shots of one shirt, or one shot in two colours) are not copies; a wrong merge hides an offer, a missed one only shows
// it twice, so the rule leans to precision. The rule and how it was measured: README.md, "Copies".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyse/hamming_index.h"
#include "image/colours.h"
#include "image/hash.h"
#include "image/pixels.h"

namespace magpie::analyse {

/// What one picture brings to the comparison.
struct CopyEvidence {
  image::PerceptualHashes hashes;
  image::Size size;  // upright, px, of any variant: only its shape counts
  /// Of the picture turned and mirrored, as image::PdqTurns orders them behind the first. A new picture's are enough to find turned copies.
  /// All 7, or none.
  std::vector<image::PdqHash> turned_pdq = {};
  std::optional<image::ColourGrid> colours = {};  // hashes see grey only: without it two colours of one product pass for copies
};

/// How much two pictures, or one and the other turned, may differ and still be copies. Near: PDQ alone, if the colours agree. Wide:
/// further away in PDQ, but all three hashes and the colours agree (a quarter of the size, a crop). Plain: PDQ has too little to see on
/// either side, the other two must agree.
struct CopyRule {
  int near_pdq_bits_max = 31;  // of 256; the paper's recommendation
  double near_colour_max = 8;  // colour_distance of the grids, where both are known
  int wide_pdq_bits_max = 50;
  int wide_other_bits_max = 6;     // of 64, phash and dhash each
  double wide_colour_max = 6;      // both grids must be known
  int pdq_quality_min = 50;        // under it PDQ says nothing
  int plain_other_bits_max = 4;    // of 64, phash and dhash each
  double aspect_ratio_max = 1.15;  // larger width/height over the smaller one
};

/// Whether `a`, which brings its turned_pdq, is a copy of `b` once it is turned, 1..7 as in image::PdqTurns. By the near rule alone.
bool are_turned_copies(const CopyEvidence& a, std::size_t turn, const CopyEvidence& b, const CopyRule& rule = {});

/// The rule for one pair, neither of them turned. Symmetric. Pictures with nothing to see (a blank one) are never copies of each other by
/// looks.
bool are_copies(const CopyEvidence& a, const CopyEvidence& b, const CopyRule& rule = {});

struct Copy {
  std::uint64_t image = 0;
  int pdq_bits = 0;      // Hamming distance, 0..256
  std::size_t turn = 0;  // of the eight in image::PdqTurns, that makes the new one like the known one
};

/// In words: "mirrored, turned by 90 degrees, 12 of 256 bits of their hashes differ".
std::string describe(const Copy& copy);

/// All known pictures in memory, about 360 bytes each. Not thread-safe: one owner, or inside a Guarded.
class CopyFinder {
 public:
  explicit CopyFinder(CopyRule rule = {}) : rule_(rule) {}

  /// Remembers a picture. The same id may come again; it is then known under both evidences.
  void add(std::uint64_t image, const CopyEvidence& evidence);
  /// All known copies, mirrored and turned ones too if the evidence has its turned_pdq. Nearest first, the earliest added among equals.
  /// Cost: README.md.
  std::vector<Copy> copies_of(const CopyEvidence& evidence) const;
  /// The first of copies_of().
  std::optional<Copy> nearest_copy(const CopyEvidence& evidence) const;
  std::size_t size() const { return images_.size(); }

 private:
  CopyRule rule_;
  std::vector<std::uint64_t> images_;
  std::vector<CopyEvidence> evidences_;
  // Who may be a copy by the rule is near in one of the two: pictures far apart in PDQ, or too plain for it, must be near in phash.
  HammingIndex by_pdq_{4};
  HammingIndex by_phash_{1};
};

}  // namespace magpie::analyse
