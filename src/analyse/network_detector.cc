#include "analyse/network_detector.h"

#include "analyse/rgb_view.h"

namespace magpie::analyse {

Result<std::unique_ptr<NetworkDetector>> NetworkDetector::load(const fs::path& model_folder) {
  MAGPIE_TRY(model::DetectionNetwork network, model::DetectionNetwork::load(model_folder, {}));
  return std::make_unique<NetworkDetector>(std::move(network));
}

Result<std::vector<Region>> NetworkDetector::detect(const RgbPixels& pixels) {
  MAGPIE_TRY(const model::RgbView view, view_of(pixels));
  MAGPIE_TRY(const std::vector<model::Detection> found, network_.detect(view));
  std::vector<Region> regions;
  for (const model::Detection& one : found) {
    Region region{.left = one.box.left, .top = one.box.top, .right = one.box.right, .bottom = one.box.bottom, .score = one.score};
    region.label = network_.label(one);
    regions.push_back(std::move(region));
  }
  return regions;
}

}  // namespace magpie::analyse
