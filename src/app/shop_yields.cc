#include "app/shop_yields.h"

#include <algorithm>

#include "app/shop_yield.h"
#include "base/log.h"

namespace magpie {
namespace {

constexpr std::size_t kWaitingMax = 1'000;

/// Differs when a count would.
std::string standing_of(const Shop& shop, const std::optional<CrawlJobView>& newest) {
  std::string of = fmt::format("{}\n{}\n", shop.address, shop.profile);
  if (newest) of += fmt::format("{} {} {}", newest->id, to_string(newest->state), newest->progress.pages_fetched);
  return of;
}

}  // namespace

ShopYields::ShopYields(const Catalog& catalog, const Clock& clock) : catalog_(catalog), clock_(clock) {
  thread_ = std::jthread([this](const std::stop_token& stop) { count(stop); });
}

ShopYields::~ShopYields() = default;

std::optional<ShopYield> ShopYields::get(const Shop& shop, const std::optional<CrawlJobView>& newest) {
  const std::lock_guard lock(mutex_);
  std::string of = standing_of(shop, newest);
  Known& known = known_[shop.name];
  const auto now = clock_.steady();
  const bool goes_on = newest && !has_ended(newest->state) && known.yield && now - known.asked_at < kWhileCrawled;
  const bool waits = std::any_of(waiting_.begin(), waiting_.end(), [&](const Shop& one) { return one.name == shop.name; });
  if (known.of != of && !goes_on && !waits && waiting_.size() < kWaitingMax) {
    known.of = std::move(of);
    known.asked_at = now;
    if (known.yield && known.yield->products == 0) known.yield.reset();  // "nothing yet" is no answer while it is counted anew
    waiting_.push_back(shop);
    asked_.notify_one();
  }
  return known.yield;
}

void ShopYields::count(const std::stop_token& stop) {
  while (true) {
    Shop shop;
    {
      std::unique_lock lock(mutex_);
      if (!asked_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      if (stop.stop_requested()) return;
      shop = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const auto profile = load_profile(shop.profile);
    const auto yield = profile ? shop_yield(catalog_, shop, *profile) : Result<ShopYield>(Failure(profile.error()));
    if (!yield) log::warn_every(std::chrono::minutes(10), "shop.not_counted", {{"shop", shop.name}, {"why", yield.error().message}});
    const std::lock_guard lock(mutex_);
    if (yield) known_[shop.name].yield = *yield;
  }
}

}  // namespace magpie
