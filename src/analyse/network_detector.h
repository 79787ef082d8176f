#pragma once
// The Detector port (core/embedder.h) over a model folder (model/detection_network.h).
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "core/embedder.h"
#include "model/detection_network.h"

namespace magpie::analyse {

class NetworkDetector final : public Detector {
 public:
  explicit NetworkDetector(model::DetectionNetwork network) : network_(std::move(network)), name_(network_.manifest().space()) {}
  /// Errors: those of model::DetectionNetwork::load.
  static Result<std::unique_ptr<NetworkDetector>> load(const fs::path& model_folder);

  Result<std::vector<Region>> detect(const RgbPixels& pixels) override;
  const std::string& name() const override { return name_; }

 private:
  model::DetectionNetwork network_;
  std::string name_;
};

}  // namespace magpie::analyse
