#include "search/spread.h"

#include <limits>
#include <string_view>
#include <unordered_map>

namespace magpie {
namespace {

/// How the hits of one shop, or of one brand, fare.
struct Tally {
  std::uint64_t seen = 0, listed = 0;
  std::size_t last = 0;  // of those listed, its place among them
};

/// One limit: who each hit belongs to, and how many of theirs there are.
class Share {
 public:
  static Result<Share> of(const TextSnapshot& text, Facet facet, const IdSet& ids, std::size_t limit) {
    Share share(limit);
    if (limit == 0) return share;
    share.owners_.resize(64 * ids.words().size(), kNobody);
    std::unordered_map<std::string_view, std::uint32_t> numbers;
    MAGPIE_TRY_DO(text.values(facet, ids, [&](ImageId id, std::string_view value) {
      if (!value.empty()) share.owners_[id] = numbers.try_emplace(value, static_cast<std::uint32_t>(numbers.size())).first->second;
    }));
    share.tallies_.resize(numbers.size());
    return share;
  }

  /// Whether one more may be listed; counts it as seen.
  bool has_room(ImageId id) {
    Tally* tally = find(id);
    if (tally == nullptr) return true;
    ++tally->seen;
    return tally->listed < limit_;
  }
  void list(ImageId id, std::size_t place) {
    if (Tally* tally = find(id)) ++tally->listed, tally->last = place;
  }
  template <class Use>
  void for_each_held_back(Use&& use) const {
    for (const Tally& tally : tallies_) {
      if (tally.seen > tally.listed && tally.listed > 0) use(tally.last, tally.seen - tally.listed);
    }
  }

 private:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  explicit Share(std::size_t limit) : limit_(limit) {}
  Tally* find(ImageId id) { return owners_.empty() || owners_[id] == kNobody ? nullptr : &tallies_[owners_[id]]; }

  std::size_t limit_;
  std::vector<std::uint32_t> owners_;  // by id, numbers of tallies; none without a limit. A hit may be one of a million
  std::vector<Tally> tallies_;
};

}  // namespace

Result<SpreadPage> spread(const TextSnapshot& text, const std::vector<ImageId>& ordered, const SpreadLimits& limits, std::size_t offset,
                          std::size_t limit) {
  IdSet ids;
  for (const ImageId id : ordered) ids.add(id);
  MAGPIE_TRY(Share shops, Share::of(text, Facet::kShop, ids, limits.per_shop));
  MAGPIE_TRY(Share brands, Share::of(text, Facet::kBrand, ids, limits.per_brand));
  SpreadPage page;
  for (const ImageId id : ordered) {
    const bool shop_has_room = shops.has_room(id), brand_has_room = brands.has_room(id);
    if (!shop_has_room || !brand_has_room) continue;
    shops.list(id, page.listed);
    brands.list(id, page.listed);
    if (page.listed >= offset && page.hits.size() < limit) page.hits.push_back({id});
    ++page.listed;
  }
  const auto shown_at = [&](std::size_t place) {
    return place >= offset && place - offset < page.hits.size() ? &page.hits[place - offset] : nullptr;
  };
  shops.for_each_held_back([&](std::size_t place, std::uint64_t more) {
    if (SpreadHit* hit = shown_at(place)) hit->more_of_shop = more;
  });
  brands.for_each_held_back([&](std::size_t place, std::uint64_t more) {
    if (SpreadHit* hit = shown_at(place)) hit->more_of_brand = more;
  });
  return page;
}

}  // namespace magpie
