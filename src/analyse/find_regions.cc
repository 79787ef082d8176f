#include "analyse/find_regions.h"

#include <algorithm>
#include <cmath>

#include "analyse/colour_shares.h"
#include "image/resize.h"

namespace magpie::analyse {
namespace {

// Of a picture that is filled so far the vector would hardly differ.
constexpr double kFilled = 0.9;

RgbPixels rgb(const image::Pixels& pixels) { return {{pixels.data(), pixels.bytes()}, pixels.width(), pixels.height()}; }

// One axis: [start, start + length) grown around its middle to `wanted`, within 0..limit.
void grow(std::uint32_t& start, std::uint32_t& length, std::uint32_t wanted, std::uint32_t limit) {
  wanted = std::min(wanted, limit);
  if (wanted <= length) return;
  const std::uint32_t before = (wanted - length) / 2;
  start = std::min(start > before ? start - before : 0, limit - wanted);
  length = wanted;
}

Result<EmbeddedRegion> embed_region(const image::Pixels& pixels, Region region, Embedder& embedder, const Embedding& whole) {
  const Cut cut = cut_of(region, pixels.size());
  const image::Pixels part = image::crop(pixels.view(), cut.left, cut.top, cut.size);
  region.colours = colour_shares(image::colours_of(part.view()));
  const Cut wide = widened(cut, pixels.size());
  Embedding vector = whole;
  if (static_cast<double>(wide.size.pixels()) < kFilled * static_cast<double>(pixels.size().pixels())) {
    const image::Pixels square = image::crop(pixels.view(), wide.left, wide.top, wide.size);
    MAGPIE_TRY(vector, embedder.embed(rgb(square)));
  }
  return EmbeddedRegion{std::move(region), std::move(vector)};
}

}  // namespace

Cut cut_of(const Region& region, image::Size picture) {
  const auto axis = [](float low, float high, std::uint32_t side, std::uint32_t& start, std::uint32_t& length) {
    const auto from = static_cast<std::uint32_t>(std::floor(std::clamp(low, 0.0F, 1.0F) * static_cast<float>(side)));
    const auto to = static_cast<std::uint32_t>(std::ceil(std::clamp(high, 0.0F, 1.0F) * static_cast<float>(side)));
    start = std::min(from, side - 1);
    length = std::max(std::min(to, side), start + 1) - start;
  };
  Cut cut;
  axis(region.left, region.right, picture.width, cut.left, cut.size.width);
  axis(region.top, region.bottom, picture.height, cut.top, cut.size.height);
  return cut;
}

Cut widened(const Cut& cut, image::Size picture) {
  const std::uint32_t side = std::max(cut.size.width, cut.size.height);
  Cut wide = cut;
  grow(wide.left, wide.size.width, side, picture.width);
  grow(wide.top, wide.size.height, side, picture.height);
  return wide;
}

Result<std::vector<EmbeddedRegion>> find_regions(const image::Pixels& pixels, Detector& detector, Embedder& embedder,
                                                 const Embedding& whole) {
  std::vector<EmbeddedRegion> regions;
  if (std::max(pixels.width(), pixels.height()) < kDetectedSideMin) return regions;
  MAGPIE_TRY(std::vector<Region> found, detector.detect(rgb(pixels)));
  for (Region& region : found) {
    if (regions.size() == kRegionsMax) break;
    const Cut cut = cut_of(region, pixels.size());
    if (std::min(cut.size.width, cut.size.height) < kRegionSideMin) continue;
    MAGPIE_TRY(EmbeddedRegion embedded, embed_region(pixels, std::move(region), embedder, whole));
    regions.push_back(std::move(embedded));
  }
  return regions;
}

Result<std::vector<EmbeddedRegion>> embed_regions(const image::Pixels& pixels, std::vector<Region> known, Embedder& embedder,
                                                  const Embedding& whole) {
  std::vector<EmbeddedRegion> regions;
  for (Region& region : known) {
    MAGPIE_TRY(EmbeddedRegion embedded, embed_region(pixels, std::move(region), embedder, whole));
    regions.push_back(std::move(embedded));
  }
  return regions;
}

}  // namespace magpie::analyse
