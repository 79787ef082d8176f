#pragma once
// A model's graph with the pictures it takes and the floats it gives; what the floats mean is for Network and DetectionNetwork.
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "model/graph.h"
#include "model/manifest.h"
#include "model/rgb_view.h"

namespace magpie::model {

/// Not thread-safe: one per thread or process. Movable.
class GraphSession {
 public:
  /// kCorrupt (model files, or a graph that takes or gives something else than its manifest says), and the errors of Graph::open.
  static Result<GraphSession> open(ModelManifest manifest, const NetworkOptions& options);

  /// Fits and normalises the picture as the manifest says, and runs the graph. Outputs in the order of ModelManifest::tensors, or the
  /// graph's own. kBadInput for an empty picture; the errors of Graph::run.
  Result<std::vector<OutputTensor>> run(RgbView picture);
  const ModelManifest& manifest() const { return manifest_; }

 private:
  GraphSession(ModelManifest manifest, Graph graph, void* input)
      : manifest_(std::move(manifest)), graph_(std::move(graph)), input_(input) {}
  ModelManifest manifest_;
  Graph graph_;
  void* input_;  // the graph's own, filled anew for each picture
};

/// Pixels of the input's size as the graph's floats: (byte - mean) / scale, channels inside or outside. `pixels` are 3 bytes each, row by
/// row, `out` is input.values() floats.
void normalise(std::span<const std::uint8_t> pixels, const InputForm& input, std::span<float> out);

}  // namespace magpie::model
