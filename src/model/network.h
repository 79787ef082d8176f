#pragma once
// Network: a picture in, a vector out.
//
//   MAGPIE_TRY(Network network, Network::load("models/efficientnet-lite0", {}));
//   MAGPIE_TRY(Embedding e, network.embed({rgb, 640, 480, 640 * 3}));
#include <utility>
#include <vector>

#include "model/graph_session.h"

namespace magpie::model {

struct Embedding {
  std::vector<float> vector;        // ModelManifest::embedding_dims floats of unit length: dot product is cosine
  std::vector<float> class_scores;  // logits, ModelManifest::classes of them; empty if the graph has none
};

/// Not thread-safe: one per thread or process. Movable.
class Network {
 public:
  /// kBadInput for a model that does not embed, kNotFound, and the errors of GraphSession::open.
  static Result<Network> load(const fs::path& model_folder, const NetworkOptions& options);

  /// Scales the picture to the input (of ours its middle) and runs the graph. kBadInput for an empty picture, kCorrupt for outputs that are
  /// not what the manifest says, or not finite. Cost: README.md.
  Result<Embedding> embed(RgbView picture);
  const ModelManifest& manifest() const { return session_.manifest(); }

 private:
  explicit Network(GraphSession session) : session_(std::move(session)) {}
  GraphSession session_;
};

}  // namespace magpie::model
