#pragma once
// DetectionNetwork: a picture in, boxes around the things it knows out.
#include <string>
#include <utility>
#include <vector>

#include "model/boxes.h"
#include "model/graph_session.h"

namespace magpie::model {

/// Not thread-safe: one per thread or process. Movable.
class DetectionNetwork {
 public:
  /// kBadInput for a model that does not detect, kNotFound, and the errors of GraphSession::open.
  static Result<DetectionNetwork> load(const fs::path& model_folder, const NetworkOptions& options);

  /// Boxes in shares of the picture, best score first, 100 at most. kBadInput for an empty picture, kCorrupt for outputs that are not what
  /// the manifest says. Cost: README.md.
  Result<std::vector<Detection>> detect(RgbView picture);
  const ModelManifest& manifest() const { return session_.manifest(); }
  const std::string& label(const Detection& of) const { return manifest().detection.classes[static_cast<std::size_t>(of.label)]; }

 private:
  explicit DetectionNetwork(GraphSession session) : session_(std::move(session)) {}
  GraphSession session_;
};

/// From shares of the network's input to shares of the picture that was fitted into it, cut to the picture.
Box picture_box(const Box& input_box, const InputForm& input, int picture_width, int picture_height);

}  // namespace magpie::model
