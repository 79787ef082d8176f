#include "app/text_tower.h"

#include "app/collection_bridge.h"
#include "model/manifest.h"

namespace magpie {

std::optional<TextTower> text_tower_of(const PictureModel& embedder) {
  const auto manifest = model::load_manifest(embedder.folder);
  if (!manifest || !manifest->takes_words()) return std::nullopt;
  return TextTower{embedder, manifest->text.closeness_min};
}

TowerPlacer::TowerPlacer(const AppSettings& settings, const TextTower& tower, MetricsRegistry* metrics)
    : asked_(settings, tower.model, metrics), closeness_min_(tower.closeness_min) {}

Result<std::optional<WordsPlace>> TowerPlacer::place(std::string_view words) const {
  MAGPIE_TRY(Embedding vector, asked_.embed(words));
  return std::optional(WordsPlace{std::move(vector), closeness_min_});
}

Result<std::unique_ptr<WordsPlacer>> words_placer(Collection& collection, const std::optional<PictureModel>& embedder,
                                                  const AppSettings& settings, MetricsRegistry* metrics) {
  if (const auto tower = embedder ? text_tower_of(*embedder) : std::nullopt)
    return std::unique_ptr<WordsPlacer>(std::make_unique<TowerPlacer>(settings, *tower, metrics));
  MAGPIE_TRY(const auto text_model, find_text_model(settings));
  MAGPIE_TRY(const std::string space, embedder ? Result<std::string>(embedder->space) : embedding_space_of(collection.catalog()));
  return std::unique_ptr<WordsPlacer>(std::make_unique<CollectionPlacer>(collection, space, settings, text_model, metrics));
}

}  // namespace magpie
