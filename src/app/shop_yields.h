#pragma once
// The yields of shops as last counted. Counting one reads all pages of its host, so it is done aside, and again when its crawls have moved
// on.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "core/catalog.h"
#include "core/clock.h"
#include "serve/shop_control.h"

namespace magpie {

/// Thread-safe.
class ShopYields {
 public:
  /// While a crawl goes on, its shop is counted no more often.
  static constexpr std::chrono::seconds kWhileCrawled{15};

  /// Both must outlive it.
  ShopYields(const Catalog& catalog, const Clock& clock);
  ~ShopYields();

  /// As last counted, nothing when it never was; has it counted anew, soon, when `newest`, its newest crawl, has moved on since.
  std::optional<ShopYield> get(const Shop& shop, const std::optional<CrawlJobView>& newest);

 private:
  struct Known {
    std::string of;  // what was counted: the shop's address and profile, and where its crawl stood
    std::optional<ShopYield> yield;
    std::chrono::steady_clock::time_point asked_at;
  };
  void count(const std::stop_token& stop);

  const Catalog& catalog_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::map<std::string, Known> known_;  // by the shop's name; all guarded by mutex_
  std::deque<Shop> waiting_;
  std::jthread thread_;  // last: ends first
};

}  // namespace magpie
