#include "pipeline/index_picture.h"

#include <optional>
#include <utility>
#include <vector>

namespace magpie::pipeline {
namespace {

/// The whole picture's and its regions', as far as there are any; borrowed.
std::vector<PictureVector> vectors_of(const std::optional<Embedding>& whole, const std::vector<EmbeddedRegion>& regions) {
  std::vector<PictureVector> vectors;
  if (whole) vectors.push_back({.embedding = *whole});
  for (std::size_t i = 0; i < regions.size(); ++i) {
    if (regions[i].embedding.empty()) continue;
    vectors.push_back({regions[i].embedding, static_cast<std::uint16_t>(i + 1), regions[i].region.label});
  }
  return vectors;
}

}  // namespace

Result<bool> index_picture(const Catalog& catalog, PictureIndexes into, ImageId id, std::string_view space) {
  MAGPIE_TRY(std::optional<IndexDocument> document, catalog.index_document(id));
  if (!document) {
    MAGPIE_TRY_DO(into.text.remove(id));
    MAGPIE_TRY_DO(into.vectors.remove(id));
    return false;
  }
  MAGPIE_TRY_DO(into.text.add(std::move(*document)));
  MAGPIE_TRY(const std::optional<Embedding> embedding, catalog.embedding(id, space));
  MAGPIE_TRY(const std::vector<EmbeddedRegion> regions, catalog.regions(id, space));
  const std::vector<PictureVector> vectors = vectors_of(embedding, regions);
  MAGPIE_TRY_DO(vectors.empty() ? into.vectors.remove(id) : into.vectors.add(id, vectors));
  return true;
}

}  // namespace magpie::pipeline
