#pragma once
// Hits spread over shops and brands: each may have so many of them, its best ones, and the others are counted beside the last that is
// there.
#include <cstdint>
#include <vector>

#include "core/text_index.h"

namespace magpie {

struct SpreadLimits {
  std::size_t per_shop = 0, per_brand = 0;  // 0: any number
};

struct SpreadHit {
  ImageId id = kNoId;                                 // the picture shown
  std::uint64_t more_of_shop = 0, more_of_brand = 0;  // held back; of the last listed hit of a shop or brand, else 0
};

struct SpreadPage {
  std::uint64_t listed = 0;  // on all pages
  std::vector<SpreadHit> hits;
};

/// Those of `ordered`, which stand in order, that are listed, from `offset` on and at most `limit`: a hit is held back where its shop or
/// its brand has as many before it as it may. A hit is of the shop and brand of the picture it shows; those without a brand are never held
/// back for it. Cost: a pass over the hits per limit, and 4 bytes for each id up to the highest.
Result<SpreadPage> spread(const TextSnapshot& text, const std::vector<ImageId>& ordered, const SpreadLimits& limits, std::size_t offset,
                          std::size_t limit);

}  // namespace magpie
