#include "analyse/network_embedder.h"

#include "analyse/rgb_view.h"

namespace magpie::analyse {

Result<std::unique_ptr<NetworkEmbedder>> NetworkEmbedder::load(const fs::path& model_folder) {
  MAGPIE_TRY(model::Network network, model::Network::load(model_folder, {}));
  return std::make_unique<NetworkEmbedder>(std::move(network));
}

Result<Embedding> NetworkEmbedder::embed(const RgbPixels& pixels) {
  MAGPIE_TRY(const model::RgbView view, view_of(pixels));
  MAGPIE_TRY(model::Embedding embedding, network_.embed(view));
  return std::move(embedding.vector);
}

}  // namespace magpie::analyse
