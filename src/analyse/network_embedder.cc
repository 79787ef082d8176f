#include "analyse/network_embedder.h"

#include <limits>

namespace magpie::analyse {

Result<std::unique_ptr<NetworkEmbedder>> NetworkEmbedder::load(const fs::path& model_folder) {
  MAGPIE_TRY(model::Network network, model::Network::load(model_folder, {}));
  return std::make_unique<NetworkEmbedder>(std::move(network));
}

Result<Embedding> NetworkEmbedder::embed(const RgbPixels& pixels) {
  const std::size_t row_bytes = std::size_t{3} * pixels.width;
  constexpr std::uint32_t kSideMax = std::numeric_limits<int>::max();
  if (pixels.bytes.empty() || pixels.width > kSideMax || pixels.height > kSideMax || pixels.bytes.size() != row_bytes * pixels.height) {
    return fail(Code::kBadInput, "{} bytes are not {} x {} pixels", pixels.bytes.size(), pixels.width, pixels.height);
  }
  const model::RgbView view{pixels.bytes.data(), static_cast<int>(pixels.width), static_cast<int>(pixels.height), row_bytes};
  MAGPIE_TRY(model::Embedding embedding, network_.embed(view));
  return std::move(embedding.vector);
}

}  // namespace magpie::analyse
