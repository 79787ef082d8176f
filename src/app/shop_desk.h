#pragma once
// Shops as the API asks for them, over the files of the collection's folder `shops`: they are read anew for each answer, so what a command
// or an editor changes is seen at once. Errors and shapes: serve/shop_control.h.
#include <map>
#include <memory>
#include <mutex>

#include "app/manager.h"
#include "app/shop_preview.h"
#include "app/shop_yields.h"
#include "app/shops.h"

namespace magpie {

/// Thread-safe. Its destructor ends previews under way and waits for them, some seconds at most.
class ShopDesk final : public ShopControl {
 public:
  static constexpr std::size_t kPreviewsMax = 2;       // under way at once
  static constexpr std::size_t kPreviewsKeptMax = 16;  // ended ones that can still be looked at

  /// All must outlive it.
  ShopDesk(Collection& collection, Manager& manager, const AppSettings& settings, const Clock& clock);

  Result<List> list() override;
  Result<ShopView> get(const std::string& name) override;
  Result<ShopView> add(const std::string& name, const ShopChange& shop) override;
  Result<ShopView> change(const std::string& name, const ShopChange& change) override;
  Result<void> remove(const std::string& name) override;
  Result<CrawlJobView> run(const std::string& name, const ShopChange& change, std::optional<std::string> agent) override;
  Result<PreviewView> start_preview(const NewPreview& preview) override;
  Result<PreviewView> preview(PreviewId id) override;
  Result<PreviewView> cancel_preview(PreviewId id) override;

 private:
  Result<ShopView> view_of(const Shop& shop, const std::vector<Job>& jobs);
  Result<ShopView> view_of(const Shop& shop);
  Result<void> stop_crawl(const Shop& shop);
  Result<void> host_is_free(const Shop& shop);
  std::shared_ptr<ShopPreview> find_preview(PreviewId id);
  void stop_previews(const Shop& shop);

  const ShopFolder files_;
  const Catalog& catalog_;
  Manager& manager_;
  const AppSettings& settings_;
  const Clock& clock_;
  const std::vector<ProfileView> profiles_;
  ShopYields yields_;
  std::mutex changing_;  // held from reading a file until it is written
  std::mutex mutex_;
  PreviewId preview_last_ = 0;  // both guarded by mutex_
  std::map<PreviewId, std::shared_ptr<ShopPreview>> previews_;
};

}  // namespace magpie
