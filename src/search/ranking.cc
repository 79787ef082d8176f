#include "search/ranking.h"

#include <algorithm>
#include <bit>
#include <map>
#include <string_view>
#include <tuple>

namespace magpie {
namespace {

constexpr std::uint32_t kBehind = std::uint32_t{1} << 31;
constexpr std::uint32_t kLast = kBehind - 1;

/// A picture that has copies in the index, though perhaps none among those found.
struct Copy {
  ImageId group = kNoId;
  Place place;
  bool priced = false;  // an offer belongs to it
  std::uint64_t pixels = 0;
  float score = 0;
};

struct ComesFirst {
  bool operator()(const Place& a, const Place& b) const {
    if (a.rank != b.rank) return a.rank < b.rank;
    return a.key != b.key ? a.key < b.key : a.id < b.id;
  }
};

/// Floats from 0 up order as their bits do; the minus sign puts the highest first.
std::int64_t highest_first(float score) { return -std::int64_t{std::bit_cast<std::uint32_t>(std::max(score, 0.0F))}; }

bool is_by_price(SortOrder sort) { return sort == SortOrder::kPriceAsc || sort == SortOrder::kPriceDesc; }

/// Gives pictures their places.
class Placer {
 public:
  Placer(const Candidates& candidates, SortOrder sort, float text_weight)
      : candidates_(candidates), sort_(sort), text_weight_(text_weight), by_score_(sort == SortOrder::kRelevance && !candidates.browsing) {}

  /// Whether the score is all that there is to know of a picture.
  bool by_score() const { return by_score_; }
  Place by_score(ImageId id, float score) const { return {candidates_.stands_behind(id) ? kBehind : 0, id, highest_first(score)}; }
  float score(ImageId id) const { return candidates_.score(id, text_weight_); }
  /// By price, ranks mean something after rank_currencies() only.
  Place place(const IndexRow& row, float score) {
    if (by_score_) return by_score(row.id, score);
    Place place{candidates_.stands_behind(row.id) ? kBehind : 0, row.id, -row.fetched_at_seconds};
    if (!is_by_price(sort_)) return place;
    place.key = 0;
    if (!row.price_micros) {
      place.rank += kLast;
      return place;
    }
    place.key = sort_ == SortOrder::kPriceAsc ? *row.price_micros : -*row.price_micros;
    const auto [currency, is_new] = currencies_.try_emplace(row.currency, Currency{static_cast<std::uint32_t>(currencies_.size())});
    ++currency->second.pictures;
    place.rank += currency->second.number;
    return place;
  }
  /// Currencies by how many pictures have them, most first, then by name.
  void rank_currencies() {
    std::vector<const std::pair<const std::string_view, Currency>*> order;
    for (const auto& currency : currencies_) order.push_back(&currency);
    std::ranges::stable_sort(order, std::greater<>(), [](const auto* currency) { return currency->second.pictures; });
    ranks_.resize(order.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) ranks_[order[i]->second.number] = i;
  }
  void set_rank(Place& place) const {
    const std::uint32_t number = place.rank & ~kBehind;
    if (number < ranks_.size()) place.rank = (place.rank & kBehind) | ranks_[number];
  }

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

/// The better of two copies to show, at the better of their places.
Copy merged(const Copy& a, const Copy& b, bool by_price) {
  const bool a_behind = a.place.rank >= kBehind, b_behind = b.place.rank >= kBehind;
  if (a_behind != b_behind) return a_behind ? b : a;  // a copy without the words does not stand for one that has them
  if (by_price) {
    return std::tie(a.place.rank, a.place.key, b.pixels, a.place.id) < std::tie(b.place.rank, b.place.key, a.pixels, b.place.id) ? a : b;
  }
  const bool first = std::tie(b.priced, b.pixels, a.place.id) < std::tie(a.priced, a.pixels, b.place.id);
  Copy shown = first ? a : b;
  const Copy& placed = std::tie(a.place.rank, a.place.key) < std::tie(b.place.rank, b.place.key) ? a : b;
  shown.place.rank = placed.place.rank;
  shown.place.key = placed.place.key;
  shown.score = placed.score;
  return shown;
}

}  // namespace

Result<Ranking> Ranking::of(const SearchView& view, const IdSet& ids, const Candidates& candidates, SortOrder sort, float text_weight) {
  Ranking ranking(candidates, text_weight);
  Placer placer(candidates, sort, text_weight);
  MAGPIE_TRY(const IdSet* with_copies, view.text->copies());
  IdSet looked_at = ids;  // those of which more must be known than their scores
  if (placer.by_score()) {
    looked_at &= *with_copies;
    IdSet alone = ids;
    alone -= *with_copies;
    alone.for_each([&](ImageId id) { ranking.places_.push_back(placer.by_score(id, placer.score(id))); });
  }
  std::vector<Copy> copies;
  MAGPIE_TRY_DO(view.text->rows(looked_at, [&](std::span<const IndexRow> rows) {
    for (const IndexRow& row : rows) {
      const float score = placer.score(row.id);
      const Place place = placer.place(row, score);
      if (with_copies->contains(row.id)) copies.push_back({row.copy_group, place, row.price_micros.has_value(), row.pixels, score});
      else ranking.places_.push_back(place);
    }
  }));
  if (is_by_price(sort)) {
    placer.rank_currencies();
    for (Place& place : ranking.places_) placer.set_rank(place);
    for (Copy& copy : copies) placer.set_rank(copy.place);
  }
  std::ranges::sort(copies, {}, [](const Copy& copy) { return std::pair(copy.group, copy.place.id); });
  for (std::size_t begin = 0, end = 0; begin < copies.size(); begin = end) {
    Copy shown = copies[begin];
    for (end = begin + 1; end < copies.size() && copies[end].group == copies[begin].group; ++end) {
      shown = merged(shown, copies[end], is_by_price(sort));
    }
    ranking.places_.push_back(shown.place);
    if (end == begin + 1) continue;
    Group& group = ranking.groups_[shown.place.id];
    group.score = shown.score;
    for (std::size_t i = begin; i < end; ++i) {
      if (copies[i].place.id != shown.place.id) group.copies.push_back(copies[i].place.id);
    }
  }
  return ranking;
}

std::vector<Place> Ranking::page(std::size_t offset, std::size_t limit) {
  const std::size_t begin = std::min(offset, places_.size());
  const std::size_t end = begin + std::min(limit, places_.size() - begin);
  const auto at = [&](std::size_t i) { return places_.begin() + static_cast<std::ptrdiff_t>(i); };
  if (begin == end) return {};
  // A heap of the first few costs one comparison for most hits; of many, those before the page need not be sorted, only be there.
  constexpr std::size_t kFew = 16;
  if (end < places_.size() / kFew) {
    std::partial_sort(places_.begin(), at(end), places_.end(), ComesFirst());
  } else {
    if (end < places_.size()) std::nth_element(places_.begin(), at(end), places_.end(), ComesFirst());
    std::nth_element(places_.begin(), at(begin), at(end), ComesFirst());
    std::sort(at(begin), at(end), ComesFirst());
  }
  return {at(begin), at(end)};
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
