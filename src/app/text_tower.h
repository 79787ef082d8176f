#pragma once
// Words among pictures without a bridge: a model that takes both (CLIP) has a text tower, and its vectors of words lie among those of
// pictures as they are.
#include <memory>
#include <optional>

#include "app/collection.h"
#include "app/texts.h"
#include "core/words_placer.h"

namespace magpie {

struct TextTower {
  PictureModel model;
  float closeness_min = 0;  // its manifest's
};
/// Nothing where the model takes pictures alone, or its manifest does not read.
std::optional<TextTower> text_tower_of(const PictureModel& embedder);

/// Embeds by the tower, in a worker of its own, and needs no learning. Thread-safe.
class TowerPlacer final : public WordsPlacer {
 public:
  TowerPlacer(const AppSettings& settings, const TextTower& tower, MetricsRegistry* metrics);
  Result<std::optional<WordsPlace>> place(std::string_view words) const override;

 private:
  AskedWords asked_;
  float closeness_min_;
};

/// Where words lie among a collection's pictures: by the text tower of `embedder`, the model that its vectors are of, else by its bridge.
/// `embedder` nothing: among those of the space that the catalog names. Must not outlive the collection. Errors: those of find_text_model.
Result<std::unique_ptr<WordsPlacer>> words_placer(Collection& collection, const std::optional<PictureModel>& embedder,
                                                  const AppSettings& settings, MetricsRegistry* metrics);

}  // namespace magpie
