#pragma once
// ScoreMap: a score per picture. An array by id, as ids are dense (core/records.h), of which only what was set is ever touched.
#include <bit>
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
  /// Sets many: quickest when ids ascend. Not all can be seen in the map before it is gone; the map must outlive it.
  class Filler {
   public:
    explicit Filler(ScoreMap& map) : map_(map) {}
    Filler(const Filler&) = delete;
    ~Filler() { map_.known_.add_word(word_, bits_); }
    /// As ScoreMap::set().
    void set(ImageId id, float score) {
      map_.scores_[id] = score;
      if (id / 64 != word_) {
        map_.known_.add_word(word_, bits_);
        word_ = id / 64;
        bits_ = 0;
      }
      bits_ |= std::uint64_t{1} << (id % 64);
    }

   private:
    ScoreMap& map_;
    std::size_t word_ = 0;
    std::uint64_t bits_ = 0;
  };
  /// Sets those of the ids first and on, 64 of them, whose bits are set, each to its place's score.
  void set_word(ImageId first, std::uint64_t bits, const float* scores) {
    for (std::uint64_t rest = bits; rest != 0; rest &= rest - 1) {
      const auto at = static_cast<std::size_t>(std::countr_zero(rest));
      scores_[first + at] = scores[at];
    }
    known_.add_word(first / 64, bits << (first % 64));
    if (first % 64 != 0 && bits >> (64 - first % 64) != 0) known_.add_word(first / 64 + 1, bits >> (64 - first % 64));
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
