#pragma once
// Pages and products of the catalog, and what is known of an address. SQL only; core/catalog.h says what each call means.
#include <optional>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

Result<std::optional<PageDetails>> read_page(Database& db, PageId id);
Result<std::optional<PageId>> read_page_by_url(Database& db, std::string_view url);
Result<std::optional<StoredProduct>> read_product(Database& db, ProductId id);
/// Without `images`.
Result<std::optional<StoredProduct>> read_product_alone(Database& db, ProductId id);
Result<std::vector<LikeProduct>> read_products_like(Database& db, const StoredProduct& product, std::size_t limit);
Result<std::vector<ProductChange>> read_price_changes(Database& db, ProductId id, std::size_t limit);
Result<std::vector<ProductChange>> read_changes(Database& db, std::uint64_t after, std::size_t limit);
Result<std::optional<UrlDetails>> read_why(Database& db, std::string_view url);

}  // namespace magpie
