#pragma once
// The Embedder port (core/embedder.h) over a model folder (model/network.h).
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "core/embedder.h"
#include "model/network.h"

namespace magpie::analyse {

class NetworkEmbedder final : public Embedder {
 public:
  explicit NetworkEmbedder(model::Network network) : network_(std::move(network)), space_(network_.manifest().space()) {}
  /// Errors: those of model::Network::load.
  static Result<std::unique_ptr<NetworkEmbedder>> load(const fs::path& model_folder);

  Result<Embedding> embed(const RgbPixels& pixels) override;
  std::size_t dims() const override { return static_cast<std::size_t>(network_.manifest().embedding_dims); }
  const std::string& space() const override { return space_; }

 private:
  model::Network network_;
  std::string space_;
};

}  // namespace magpie::analyse
