#pragma once
// What is in a picture: what a detector finds, each with the colours of what it shows and a vector to search by.
#include <vector>

#include "core/embedder.h"
#include "image/pixels.h"

namespace magpie::analyse {

/// Smaller pictures are not looked at, and smaller finds not kept: there is too little to compare.
inline constexpr std::uint32_t kDetectedSideMin = 96, kRegionSideMin = 32;  // px of the preview

/// A rectangle of pixels.
struct Cut {
  std::uint32_t left = 0, top = 0;
  image::Size size;
  bool operator==(const Cut&) const = default;
};
/// The pixels of a region, at least one.
Cut cut_of(const Region& region, image::Size picture);
/// What a region's vector is made of: its box with the shorter side widened towards the longer as far as the picture goes. Embedders look
/// at the middle square, which of a tall coat would be its buttons.
Cut widened(const Cut& cut, image::Size picture);

/// `whole` is the picture's own vector: it serves for regions that fill it. At most kRegionsMax, best score first. `pixels`: upright RGB.
/// Errors: those of the two networks. Cost: the detector, and the embedder once for each region that does not fill the picture.
Result<std::vector<EmbeddedRegion>> find_regions(const image::Pixels& pixels, Detector& detector, Embedder& embedder,
                                                 const Embedding& whole);

/// The same for boxes that were found before, in their order and all of them.
Result<std::vector<EmbeddedRegion>> embed_regions(const image::Pixels& pixels, std::vector<Region> known, Embedder& embedder,
                                                  const Embedding& whole);

}  // namespace magpie::analyse
