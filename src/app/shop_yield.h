#pragma once
// What a shop's crawls have brought: how complete its products are, and what each new one has cost.
#include "app/profile.h"
#include "app/shops.h"

namespace magpie {

/// Reads all pages of the shop's host from the catalog: about 0.2 ms each. Errors are those of the disk.
Result<ShopYield> shop_yield(const Catalog& catalog, const Shop& shop, const Profile& profile);

}  // namespace magpie
