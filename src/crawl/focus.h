#pragma once
// Which links of a site are followed first: those that look like the pages that were worth their fetch. Learnt while the site is crawled,
// from the shapes of addresses and the words of links, as focused crawlers do (Chakrabarti, van den Berg and Dom 1999; here without a
// trained classifier, as a page's yield is known once it was read).
//
//   const auto turns = focus.learn(page_url, {page.products.size(), page.images}, page.links);
//   record_of(page.links[i]).priority = priority_at(turns[i], record.priority);
//
// A page is worth what it yields (a product: 1; new pictures: up to a half) or what it leads to (links that look like worthy pages: up to
// 0.6, so listings come before imprints). Nothing is lost by an error: every link keeps its place in the frontier, sooner or later.
#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/records.h"

namespace magpie::crawl {

/// What one page gave. Of its pictures those count that no page before it showed: a shop's icons are on every page.
struct PageYield {
  std::size_t products = 0;
  std::span<const ImageRef> pictures{};  // borrowed for the call
};

/// When a link is followed, beside others of its host.
enum class Turn : std::uint8_t { kSooner, kAsEver, kLater };

/// 0, `otherwise`, or kUrlPriorityLast.
std::uint8_t priority_at(Turn turn, std::uint8_t otherwise);

/// What pages of one template have in common: a hash of host, folders and the look of the name; the coarse one of the first folder and the
/// looks of the rest. Thread-safe.
std::uint64_t address_shape(std::string_view url, bool coarse = false);

/// Not thread-safe: the recorder's. At most kKnownMax things are remembered, about 16 MB; then those seen least are forgotten.
class Focus {
 public:
  Focus() = default;
  /// Words in lower case, with ',' between, that links have in their text or address which are followed sooner, or later, as long as their
  /// site has not taught better.
  Focus(std::string_view sooner, std::string_view later);

  /// A page was read: what is known now of each of its links; kAsEver where that is not enough. Cost: a few hashes and look-ups a link.
  std::vector<Turn> learn(std::string_view url, const PageYield& yield, std::span<const Link> links);

  static constexpr std::size_t kKnownMax = 200'000;

 private:
  struct Known {
    float worth = 0;  // mean, of the last kMemory times or so
    std::uint32_t times = 0;
  };
  /// An address whose worth is known, for the words of links that lead to it.
  struct Seen {
    std::uint64_t url = 0;
    float worth = 0;
  };

  Turn turn_of(const Link& link, const Known* shape) const;
  Turn presumed(const Link& link) const;
  void learn_words(const Link& link);
  std::size_t count_new(std::span<const ImageRef> pictures);
  void note(std::uint64_t key, float worth);
  const Known* find(std::uint64_t key, std::uint32_t times_min) const;
  const Known* known_of(std::string_view url) const;
  void make_room();

  std::set<std::string, std::less<>> sooner_, later_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::uint64_t pages_ = 0;
  std::vector<std::uint64_t> pictures_ = std::vector<std::uint64_t>(std::size_t{1} << 17);  // the latest address of each slot
  std::vector<Seen> seen_ = std::vector<Seen>(std::size_t{1} << 15);                        // by the address's hash
};

}  // namespace magpie::crawl
