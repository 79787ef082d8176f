#include "search/spread.h"

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
    MAGPIE_TRY_DO(text.values(facet, ids, [&](ImageId id, std::string_view value) {
      if (!value.empty()) share.owner_[id] = value;
    }));
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
    for (const auto& [owner, tally] : tallies_) {
      if (tally.seen > tally.listed && tally.listed > 0) use(tally.last, tally.seen - tally.listed);
    }
  }

 private:
  explicit Share(std::size_t limit) : limit_(limit) {}
  Tally* find(ImageId id) {
    const auto owner = owner_.find(id);
    return owner == owner_.end() ? nullptr : &tallies_[owner->second];
  }

  std::size_t limit_;
  std::unordered_map<ImageId, std::string_view> owner_;
  std::unordered_map<std::string_view, Tally> tallies_;
};

}  // namespace

Result<std::vector<SpreadHit>> spread(const TextSnapshot& text, const std::vector<ImageId>& ordered, const SpreadLimits& limits) {
  IdSet ids;
  for (const ImageId id : ordered) ids.add(id);
  MAGPIE_TRY(Share shops, Share::of(text, Facet::kShop, ids, limits.per_shop));
  MAGPIE_TRY(Share brands, Share::of(text, Facet::kBrand, ids, limits.per_brand));
  std::vector<SpreadHit> listed;
  for (const ImageId id : ordered) {
    const bool shop_has_room = shops.has_room(id), brand_has_room = brands.has_room(id);
    if (!shop_has_room || !brand_has_room) continue;
    shops.list(id, listed.size());
    brands.list(id, listed.size());
    listed.push_back({id});
  }
  shops.for_each_held_back([&](std::size_t place, std::uint64_t more) { listed[place].more_of_shop = more; });
  brands.for_each_held_back([&](std::size_t place, std::uint64_t more) { listed[place].more_of_brand = more; });
  return listed;
}

}  // namespace magpie
