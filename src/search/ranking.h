#pragma once
// Order and collapse: from the pictures found to hits, one per group of copies, in the order asked for.
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "search/candidates.h"
#include "search/searcher.h"

namespace magpie {

/// The hits of one answer. A group of copies is one hit. Ordered by price or discount, the group's first picture is shown, as its offer
/// is what was asked for. Otherwise the group stands where its best picture stands, and shows the one with an offer, most pixels, lowest
/// id: a shop's listing has a small copy under fewer words, which would win by score.
class Ranking {
 public:
  /// Cost: for pictures without copies in the index, by relevance, that of counting them; 20 ns an id for others and in other orders.
  static Result<Ranking> of(const SearchView& view, const IdSet& ids, const Candidates& candidates, SortOrder sort, float text_weight);

  std::size_t size() const { return keys_.size() + by_score_count_; }
  /// The pictures shown of hits [offset, offset + limit), in order. Cost: about 3 ns a hit of the whole.
  std::vector<ImageId> page(std::size_t offset, std::size_t limit);
  /// The other found pictures of the group that `shown` stands for, ascending.
  const std::vector<ImageId>& copies(ImageId shown) const;
  /// By what the hit stands where it does.
  float score(ImageId shown) const;

 private:
  struct Group {
    std::vector<ImageId> copies;
    float score = 0;
  };
  friend class RankKeys;
  /// Smaller (rank, value, id) comes first.
  struct Key {
    std::uint32_t rank = 0;  // by price: of the currency, kLast without what is ordered by; kBehind is added for Candidates::stands_behind
    ImageId id = kNoId;      // the picture shown
    std::int64_t value = 0;
  };
  Ranking(const Candidates& candidates, float text_weight) : candidates_(&candidates), text_weight_(text_weight) {}

  struct ComesFirst;
  class FirstKeys;
  void add_by_words(FirstKeys& firsts) const;

  const Candidates* candidates_;  // must outlive it
  float text_weight_;
  IdSet by_score_;  // hits of one picture of which the score is all that there is to know
  std::size_t by_score_count_ = 0;
  std::vector<Key> keys_;                      // of the other hits, in no order
  std::unordered_map<ImageId, Group> groups_;  // of hits that stand for several pictures, by the one shown
};

}  // namespace magpie
