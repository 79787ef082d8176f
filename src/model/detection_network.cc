#include "model/detection_network.h"

#include <algorithm>

#include "model/decode_detections.h"

namespace magpie::model {
namespace {

// One axis: what of the input the picture covers (bars: less than all) or what of the picture the input shows (crop).
struct Axis {
  float scale = 1;  // both share their middle
  float to_picture(float at) const { return std::clamp(at * scale + (1 - scale) / 2, 0.0F, 1.0F); }
};

}  // namespace

Box picture_box(const Box& input_box, const InputForm& input, int picture_width, int picture_height) {
  Axis across, down;
  if (input.fit != Fit::kSquash) {
    const float x = static_cast<float>(input.width) / static_cast<float>(picture_width);
    const float y = static_cast<float>(input.height) / static_cast<float>(picture_height);
    const float scale = input.fit == Fit::kPad ? std::min(x, y) : std::max(x, y);  // input pixels for one of the picture
    across.scale = x / scale;
    down.scale = y / scale;
  }
  return {across.to_picture(input_box.left), down.to_picture(input_box.top), across.to_picture(input_box.right),
          down.to_picture(input_box.bottom)};
}

Result<DetectionNetwork> DetectionNetwork::load(const fs::path& model_folder, const NetworkOptions& options) {
  MAGPIE_TRY(ModelManifest manifest, load_manifest(model_folder));
  if (manifest.task != Task::kDetection)
    return fail(Code::kBadInput, "{} is a model for {}, not for detection", manifest.name, to_string(manifest.task));
  MAGPIE_TRY(GraphSession session, GraphSession::open(std::move(manifest), options));
  return DetectionNetwork(std::move(session));
}

Result<std::vector<Detection>> DetectionNetwork::detect(RgbView picture) {
  MAGPIE_TRY(const std::vector<OutputTensor> outputs, session_.run(picture));
  MAGPIE_TRY(std::vector<Detection> found, decode_detections(outputs, manifest().input, manifest().detection));
  for (Detection& detection : found) detection.box = picture_box(detection.box, manifest().input, picture.width, picture.height);
  std::erase_if(found, [](const Detection& detection) { return detection.box.area() <= 0; });
  return found;
}

}  // namespace magpie::model
