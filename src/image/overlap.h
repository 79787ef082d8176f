#pragma once
// Lays one picture over another and says how far they agree where they overlap: the proof behind a guess that one is a copy of the other. A
// guess (from keypoints, or from hashes that are near) is a map that may be some per cent off; it is refined until the grey levels fit as
// well as they can (Lucas and Kanade 1981, affine, with gain and offset, coarse to fine, outliers weighed down), and then judged block by
// block: by the correlation of what is to be seen in each, so that a logo or a shape that two pictures share is not enough, and by hue.
#include <optional>
#include <vector>

#include "image/pixels.h"

namespace magpie::image {

/// From one picture's coordinates to another's: x' = xx x + xy y + x0, y' = yx x + yy y + y0, all in longer sides of the picture they are
/// of (0..1 across the longer side; pixels are as wide as they are high).
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  double x(double at_x, double at_y) const { return xx * at_x + xy * at_y + x0; }
  double y(double at_x, double at_y) const { return yx * at_x + yy * at_y + y0; }
  double determinant() const { return xx * yy - xy * yx; }  // negative when the picture is mirrored
};

/// nullopt when it folds the plane.
std::optional<AffineMap> inverse(const AffineMap& map);
/// First `first`, then `second`.
AffineMap chained(const AffineMap& first, const AffineMap& second);

/// A picture made ready to be laid over others: grey at several small scales, and its colours. About 45 KB.
class OverlapPicture {
 public:
  OverlapPicture() = default;
  /// `rgb`: 3 channels, upright, not empty; made small (kSide px) if it is larger. Cost: about 0.5 ms.
  explicit OverlapPicture(PixelsView rgb);

  static constexpr std::uint32_t kSide = 128;  // px, longer side
  PixelsView rgb() const { return rgb_.view(); }
  Size size() const { return levels_.empty() ? Size{} : levels_.front().size(); }

 private:
  friend class Overlay;
  std::vector<Pixels> levels_;  // grey, each 1/sqrt(2) of the one before
  Pixels rgb_;
};

/// How two pictures agree under the best map found.
struct Overlap {
  AffineMap map;              // from the first picture to the second, refined
  float share_of_first = 0;   // of the first picture's area that lies on the second, 0..1
  float share_of_second = 0;  // and the other way round
  std::uint32_t blocks = 0;   // that show something
  /// Share of what there is to see, weighed by contrast, in blocks that correlate by over 0.7. All of the overlap counts.
  float agreement = 0;
  /// The same without the rectangle, up to a fifth of the overlap, that disagrees most: words or a mark laid on one of them.
  float agreement_beside_mark = 0;
  float correlation = 0;  // mean of the blocks', by what they show; under 0 counts as 0
  float other_hue = 0;    // share of the blocks beside that rectangle which have a colour in both pictures, and clearly another hue
};

/// Refines `guess` (from `first` to `second`) and judges it. nullopt when they do not meet, or the refinement runs away. Symmetric up to
/// rounding. Thread-safe. Cost: about 1 ms.
std::optional<Overlap> overlay(const OverlapPicture& first, const OverlapPicture& second, const AffineMap& guess);

}  // namespace magpie::image
