#pragma once
// A shop's preview: a small crawl as the real one would begin, into a folder of its own that is thrown away. What it shows is what the
// crawl will find. `magpie shop preview` makes one for itself; `magpie serve` makes those that its API is asked for (app/shop_desk.h).
#include <memory>
#include <mutex>
#include <thread>

#include "app/app_settings.h"
#include "app/profile.h"
#include "core/catalog.h"
#include "core/clock.h"
#include "core/variants.h"
#include "serve/shop_control.h"

namespace magpie {

struct PreviewOptions {
  PreviewId id = 0;
  std::size_t count = 10;  // products that are shown
  std::optional<std::string> agent;
};

/// Thread-safe. It crawls on a thread of its own, for two minutes and 4 * count + 10 pages at most.
class ShopPreview {
 public:
  /// kForbidden when a crawl could not start (crawl.agent), kNotFound for an unknown profile. `clock` must outlive it.
  static Result<std::unique_ptr<ShopPreview>> start(const Shop& shop, const AppSettings& settings, const Clock& clock,
                                                    PreviewOptions options);
  /// Stops it, and waits until its folder is gone.
  ~ShopPreview();

  PreviewView view() const;
  /// Answers at once.
  void cancel();

 private:
  ShopPreview(AppSettings settings, const Clock& clock, Profile profile, PreviewOptions options)
      : settings_(std::move(settings)), clock_(clock), profile_(std::move(profile)), options_(std::move(options)) {}
  void run(const std::stop_token& stop);
  Result<void> crawl(const std::stop_token& stop);
  Result<void> read_products(const Catalog& catalog, const VariantStore& variants);

  AppSettings settings_;
  const Clock& clock_;
  const Profile profile_;
  const PreviewOptions options_;
  mutable std::mutex mutex_;
  PreviewView view_;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace magpie
