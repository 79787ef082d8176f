#pragma once
// Pages, pictures and products per shop, for the statistics. Counting products is a pass over the catalog, so an answer is kept for
// a while.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "core/catalog.h"
#include "core/clock.h"
#include "core/text_index.h"

namespace magpie {

struct ShopCount {
  std::string shop;
  std::uint64_t pages = 0, images = 0, products = 0;
};

/// Thread-safe. Everything it refers to must outlive it.
class ShopCounts {
 public:
  static constexpr std::chrono::seconds kKept{10};

  ShopCounts(const Catalog& catalog, const TextIndex& text, const Clock& clock) : catalog_(catalog), text_(text), clock_(clock) {}
  /// Most pictures first; at most kKept old. `stats` gives the pages.
  Result<std::shared_ptr<const std::vector<ShopCount>>> get(const CatalogStats& stats);

 private:
  using Counts = std::shared_ptr<const std::vector<ShopCount>>;
  struct State {
    Counts counts;
    std::chrono::steady_clock::time_point made_at;
  };
  Result<Counts> count(const CatalogStats& stats) const;

  const Catalog& catalog_;
  const TextIndex& text_;
  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace magpie
