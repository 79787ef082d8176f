#include "search/ranking.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

namespace magpie {
namespace {

constexpr std::uint32_t kBehind = std::uint32_t{1} << 31;
constexpr std::uint32_t kLast = kBehind - 1;

/// Floats from 0 up order as their bits do; the minus sign puts the highest first.
std::int64_t highest_first(float score) { return -std::int64_t{std::bit_cast<std::uint32_t>(std::max(score, 0.0F))}; }

/// What of a group's offers is asked for decides which of its pictures is shown.
bool is_by_offer(SortOrder sort) { return sort == SortOrder::kPriceAsc || sort == SortOrder::kPriceDesc || sort == SortOrder::kDiscount; }

/// Millionths of the old price that are off. Nothing of what is said to be for nothing: that is mostly an error of its page.
std::optional<std::int64_t> discount_of(const IndexRow& row) {
  if (!row.price_micros || !row.old_price_micros || *row.price_micros <= 0 || *row.old_price_micros <= *row.price_micros)
    return std::nullopt;
  return static_cast<std::int64_t>(1e6 * (1 - static_cast<double>(*row.price_micros) / static_cast<double>(*row.old_price_micros)));
}

}  // namespace

struct Ranking::ComesFirst {
  bool operator()(const Key& a, const Key& b) const {
    if (a.rank != b.rank) return a.rank < b.rank;
    return a.value != b.value ? a.value < b.value : a.id < b.id;
  }
};

/// The first `count` of the keys that are added. Holds at most twice as many.
class Ranking::FirstKeys {
 public:
  explicit FirstKeys(std::size_t count) : count_(count) {}
  void add(const Key& key) {
    if (last_ && !ComesFirst()(key, *last_)) return;
    keys_.push_back(key);
    if (keys_.size() < 2 * count_) return;
    drop_others();
    last_ = keys_.back();
  }
  /// The value that a key of the best rank must not be above to come in; the highest there is while anything does.
  std::int64_t value_max() const { return last_ ? last_->value : std::numeric_limits<std::int64_t>::max(); }
  /// In no order. Of at least `count` that were added.
  std::vector<Key> take() {
    drop_others();
    return std::move(keys_);
  }

 private:
  void drop_others() {
    std::nth_element(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(count_ - 1), keys_.end(), ComesFirst());
    keys_.resize(count_);
  }
  std::size_t count_;
  std::vector<Key> keys_;
  std::optional<Key> last_;  // of the first so far, once they are full
};

/// Gives pictures their keys.
class RankKeys {
 public:
  using Key = Ranking::Key;
  /// A picture that has copies in the index, though perhaps none among those found.
  struct Copy {
    ImageId group = kNoId;
    Key key;
    bool priced = false;  // an offer belongs to it
    std::uint64_t pixels = 0;
    float score = 0;
  };

  RankKeys(const Candidates& candidates, SortOrder sort, float text_weight)
      : candidates_(candidates), sort_(sort), text_weight_(text_weight), by_score_(sort == SortOrder::kRelevance && !candidates.browsing) {}

  /// Whether the score is all that there is to know of a picture without copies.
  bool is_by_score() const { return by_score_; }
  float score(ImageId id) const { return candidates_.score(id, text_weight_); }
  /// By price, ranks mean something after rank_currencies() only.
  Key key_of(const IndexRow& row, float score) {
    Key made{candidates_.stands_behind(row.id) ? kBehind : 0, row.id, by_score_ ? highest_first(score) : -row.fetched_at_seconds};
    if (!is_by_offer(sort_)) return made;
    made.value = 0;
    const std::optional<std::int64_t> discount = sort_ == SortOrder::kDiscount ? discount_of(row) : std::nullopt;
    if (discount) {
      made.value = -*discount;
      return made;
    }
    if (!row.price_micros || sort_ == SortOrder::kDiscount) {
      made.rank += kLast;
      return made;
    }
    made.value = sort_ == SortOrder::kPriceAsc ? *row.price_micros : -*row.price_micros;
    const auto [currency, is_new] = currencies_.try_emplace(row.currency, Currency{static_cast<std::uint32_t>(currencies_.size())});
    ++currency->second.pictures;
    made.rank += currency->second.number;
    return made;
  }
  /// Currencies by how many pictures have them, most first, then by name.
  void rank_currencies() {
    std::vector<const std::pair<const std::string_view, Currency>*> order;
    for (const auto& currency : currencies_) order.push_back(&currency);
    std::ranges::stable_sort(order, std::greater<>(), [](const auto* currency) { return currency->second.pictures; });
    ranks_.resize(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) ranks_[order[i]->second.number] = i;
  }
  void set_rank(Key& key) const {
    const std::uint32_t number = key.rank & ~kBehind;
    if (number < ranks_.size()) key.rank = (key.rank & kBehind) | ranks_[number];
  }

  /// The better of two copies to show, at the better of their places.
  static Copy merged(const Copy& a, const Copy& b, bool by_offer);

 private:
  struct Currency {
    std::uint32_t number = 0;  // in order of first sight
    std::uint64_t pictures = 0;
  };
  const Candidates& candidates_;
  SortOrder sort_;
  float text_weight_;
  bool by_score_;
  std::map<std::string_view, Currency> currencies_;
  std::vector<std::uint32_t> ranks_;  // by number
};

RankKeys::Copy RankKeys::merged(const Copy& a, const Copy& b, bool by_offer) {
  const bool a_behind = a.key.rank >= kBehind, b_behind = b.key.rank >= kBehind;
  if (a_behind != b_behind) return a_behind ? b : a;  // a copy without the words does not stand for one that has them
  if (by_offer) {
    return std::tie(a.key.rank, a.key.value, b.pixels, a.key.id) < std::tie(b.key.rank, b.key.value, a.pixels, b.key.id) ? a : b;
  }
  const bool first = std::tie(b.priced, b.pixels, a.key.id) < std::tie(a.priced, a.pixels, b.key.id);
  Copy shown = first ? a : b;
  const Copy& placed = std::tie(a.key.rank, a.key.value) < std::tie(b.key.rank, b.key.value) ? a : b;
  shown.key.rank = placed.key.rank;
  shown.key.value = placed.key.value;
  shown.score = placed.score;
  return shown;
}

Result<Ranking> Ranking::of(const SearchView& view, const IdSet& ids, const Candidates& candidates, SortOrder sort, float text_weight) {
  Ranking ranking(candidates, text_weight);
  RankKeys keys(candidates, sort, text_weight);
  MAGPIE_TRY(const IdSet* with_copies, view.text->copies());
  IdSet looked_at = ids;  // those of which more must be known than their scores
  if (keys.is_by_score()) {
    looked_at &= *with_copies;
    ranking.by_score_ = ids;
    ranking.by_score_ -= *with_copies;
    ranking.by_score_count_ = ranking.by_score_.count();
  }
  std::vector<RankKeys::Copy> copies;
  MAGPIE_TRY_DO(view.text->rows(looked_at, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      const float score = keys.score(row.id);
      const Key key = keys.key_of(row, score);
      if (with_copies->contains(row.id)) copies.push_back({row.copy_group, key, row.price_micros.has_value(), row.pixels, score});
      else ranking.keys_.push_back(key);
    }
  }));
  if (is_by_offer(sort)) {
    keys.rank_currencies();
    for (Key& key : ranking.keys_) keys.set_rank(key);
    for (RankKeys::Copy& copy : copies) keys.set_rank(copy.key);
  }
  std::ranges::sort(copies, {}, [](const RankKeys::Copy& copy) { return std::pair(copy.group, copy.key.id); });
  for (std::size_t begin = 0, end = 0; begin < copies.size(); begin = end) {
    RankKeys::Copy shown = copies[begin];
    for (end = begin + 1; end < copies.size() && copies[end].group == copies[begin].group; ++end) {
      shown = RankKeys::merged(shown, copies[end], is_by_offer(sort));
    }
    ranking.keys_.push_back(shown.key);
    if (end == begin + 1) continue;
    Group& group = ranking.groups_[shown.key.id];
    group.score = shown.score;
    for (std::size_t i = begin; i < end; ++i) {
      if (copies[i].key.id != shown.key.id) group.copies.push_back(copies[i].key.id);
    }
  }
  return ranking;
}

// Most are passed over by one comparison of what their words gave: with some room for the rounding of quotients.
void Ranking::add_by_words(FirstKeys& firsts) const {
  constexpr float kRoom = 1 - 1e-5F;
  const WordMatches& words = candidates_->words;
  float least = 0;
  by_score_.for_each([&](ImageId id) {
    const float score = words.scores[id];
    if (score < least) return;
    firsts.add({0, id, highest_first(score / words.best)});
    const std::int64_t value_max = firsts.value_max();
    if (value_max < 0) least = std::bit_cast<float>(static_cast<std::uint32_t>(-value_max)) * words.best * kRoom;
  });
}

std::vector<ImageId> Ranking::page(std::size_t offset, std::size_t limit) {
  const std::size_t begin = std::min(offset, size());
  const std::size_t end = begin + std::min(limit, size() - begin);
  if (begin == end) return {};
  FirstKeys firsts(end);
  for (const Key& key : keys_) firsts.add(key);
  const Candidates& candidates = *candidates_;
  if (candidates.by_words_alone()) add_by_words(firsts);
  else
    by_score_.for_each([&](ImageId id) {
      firsts.add({candidates.stands_behind(id) ? kBehind : 0, id, highest_first(candidates.score(id, text_weight_))});
    });
  std::vector<Key> first = firsts.take();
  const auto page = first.begin() + static_cast<std::ptrdiff_t>(begin);
  std::nth_element(first.begin(), page, first.end(), ComesFirst());
  std::sort(page, first.end(), ComesFirst());
  std::vector<ImageId> shown;
  for (std::size_t i = begin; i < end; ++i) shown.push_back(first[i].id);
  return shown;
}

const std::vector<ImageId>& Ranking::copies(ImageId shown) const {
  static const std::vector<ImageId> kNone;
  const auto group = groups_.find(shown);
  return group == groups_.end() ? kNone : group->second.copies;
}

float Ranking::score(ImageId shown) const {
  const auto group = groups_.find(shown);
  return group == groups_.end() ? candidates_->score(shown, text_weight_) : group->second.score;
}

}  // namespace magpie
