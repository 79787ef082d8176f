#pragma once
// Shops between JSON and the values of ShopControl (docs/openapi.yaml: Shop, NewShop, ShopChange, Preview).
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "serve/problem.h"
#include "serve/shop_control.h"

namespace magpie {

void write_shop(JsonWriter& json, const ShopView& shop);
std::string shop_text(const ShopView& shop);
std::string preview_text(const PreviewView& preview);
/// Shares of products and cost per new product, null where there is none.
std::string to_json(const ShopYield& yield);

/// What a request says of a shop, and the keys beside it. Values are only judged for their JSON type here: what they mean, app knows.
struct ShopRequest {
  std::string name;  // NewShop.name, NewPreview.shop
  ShopChange change;
  std::optional<std::string> agent;
  std::size_t count = 10;
};
/// Problems: `request_malformed`.
Outcome<ShopRequest> parse_new_shop(std::string_view json);
Outcome<ShopRequest> parse_shop_change(std::string_view json);
Outcome<ShopRequest> parse_shop_run(std::string_view json);
Outcome<ShopRequest> parse_new_preview(std::string_view json);

}  // namespace magpie
