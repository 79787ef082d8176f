#pragma once
// What a shop's crawls have brought: how complete its products are, and what each has cost.
#include <cstdint>
#include <map>
#include <string>

#include "app/profile.h"
#include "app/shops.h"

namespace magpie {

struct ShopYield {
  std::uint64_t pages = 0, products = 0;
  std::uint64_t with_price = 0, with_brand = 0, with_picture = 0;  // a picture: fetched, and at least the profile's size
  std::uint64_t complete = 0;                                      // all fields that the profile asks for
  std::map<std::string, std::uint64_t> classes;                    // of the profile; "" for none
  std::uint64_t requests = 0, bytes = 0;                           // of all crawls of the shop, to all hosts and to its own
  double seconds = 0;
};

/// Reads all pages of the shop's host from the catalog: about 0.2 ms each. Errors are those of the disk.
Result<ShopYield> shop_yield(const Catalog& catalog, const Shop& shop, const Profile& profile);

/// As JSON: shares of products and cost per product, null where there is none.
std::string to_json(const ShopYield& yield);

}  // namespace magpie
