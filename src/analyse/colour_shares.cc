#include "analyse/colour_shares.h"

#include <algorithm>

namespace magpie::analyse {

std::vector<ColourShare> colour_shares(const image::Colours& colours) {
  std::vector<ColourShare> shares;
  for (const image::DominantColour& colour : colours.dominant) {
    const std::uint32_t rgb = (std::uint32_t{colour.rgb.red} << 16) | (std::uint32_t{colour.rgb.green} << 8) | colour.rgb.blue;
    shares.push_back({rgb, std::clamp(colour.share, 0.0F, 1.0F), std::string(image::to_string(colour.name))});
  }
  return shares;
}

}  // namespace magpie::analyse
