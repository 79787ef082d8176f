#pragma once
// ScoreMap: a score per picture. An array by id, as ids are dense (core/records.h), of which only what was set is ever touched.
#include <memory>
#include <optional>

#include "core/id_set.h"
#include "core/records.h"

namespace magpie {

class ScoreMap {
 public:
  ScoreMap() = default;
  explicit ScoreMap(ImageId id_max) : known_(id_max), scores_(std::make_unique_for_overwrite<float[]>(id_max + std::size_t{1})) {}

  /// `id` is at most id_max.
  void set(ImageId id, float score) {
    known_.add(id);
    scores_[id] = score;
  }
  std::optional<float> get(ImageId id) const {
    if (!known_.contains(id)) return std::nullopt;
    return scores_[id];
  }
  /// Of one that has a score.
  float operator[](ImageId id) const { return scores_[id]; }
  /// Those with a score.
  const IdSet& ids() const { return known_; }

 private:
  IdSet known_;
  std::unique_ptr<float[]> scores_;
};

}  // namespace magpie
