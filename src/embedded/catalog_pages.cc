#include "embedded/catalog_pages.h"

#include <algorithm>

#include "core/product_identity.h"
#include "embedded/catalog_rows.h"

namespace magpie {
namespace {

constexpr std::size_t kShownByMax = 16;

#define MAGPIE_SELECT_CHANGES \
  "SELECT c.id, c.product, u.url, c.name, c.at, c.field, c.before, c.after FROM product_changes c JOIN urls u ON u.id = c.page "

Result<std::vector<ProductChange>> changes_from(Query rows) {
  std::vector<ProductChange> changes;
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    ProductChange& change = changes.emplace_back();
    change.id = static_cast<std::uint64_t>(row.int64(0));
    change.product = static_cast<ProductId>(row.int64(1));
    change.page_url = row.string(2);
    change.name = row.string(3);
    change.at = from_millis(row.int64(4));
    change.field = row.string(5);
    change.before = row.string(6);
    change.after = row.string(7);
    return {};
  }));
  return changes;
}

Result<std::vector<ImageId>> images_of_product(Database& db, ProductId product, PageId page) {
  MAGPIE_TRY(
      Query rows,
      db.query("SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? AND r.product = ? AND u.image IS NOT NULL "
               "GROUP BY u.image ORDER BY MIN(r.ord)",
               page, product));
  return image_ids(rows);
}

StoredRef ref_from(const Query& row) {
  StoredRef stored;
  stored.ref.url = row.string(0);
  stored.ref.alternatives = from_json_list(row.text(1));
  stored.ref.origin = static_cast<ImageOrigin>(row.int64(2));
  stored.ref.alt = row.string(3);
  stored.ref.caption = row.string(4);
  stored.ref.width = static_cast<std::uint32_t>(row.int64(5));
  stored.ref.height = static_cast<std::uint32_t>(row.int64(6));
  stored.ref.of_product = row.int64(7) != 0;
  stored.current_url = row.string(8);
  stored.image = static_cast<ImageId>(row.int64(9));
  stored.product = static_cast<ProductId>(row.int64(10));
  stored.ref.language = row.string(11);
  return stored;
}

}  // namespace

Result<std::optional<PageDetails>> read_page(Database& db, PageId id) {
  MAGPIE_TRY(Query row, db.query("SELECT u.url, p.canonical, p.title, p.description, p.language, p.charset, p.site_name, p.keywords, "
                                 "p.shop, p.robots, p.fetched_at, "
                                 "p.file, p.offset, p.length FROM pages p JOIN urls u ON u.id = p.id WHERE p.id = ?",
                                 id));
  MAGPIE_TRY(const bool found, row.next());
  if (!found) return std::optional<PageDetails>();
  PageDetails details;
  details.id = id;
  int column = 0;
  for (std::string* text : {&details.page.url, &details.page.canonical, &details.page.title, &details.page.description,
                            &details.page.language, &details.page.charset, &details.page.site_name}) {
    *text = row.string(column++);
  }
  details.page.keywords = from_json_list(row.text(7));
  details.shop = row.string(8);
  details.page.robots = robots_from(row.int64(9));
  details.fetched_at = from_millis(row.int64(10));
  details.place = place_at(row, 11);
  MAGPIE_TRY(Query products, db.query("SELECT " MAGPIE_PRODUCT_COLUMNS " FROM products WHERE page = ? ORDER BY ord", id));
  MAGPIE_TRY_DO(each_row(products, [&](const Query& product) -> Result<void> {
    StoredProduct stored = product_from(product);
    MAGPIE_TRY(stored.images, images_of_product(db, stored.id, id));
    details.products.push_back(std::move(stored));
    return {};
  }));
  MAGPIE_TRY(Query refs, db.query("SELECT r.first, r.alternatives, r.origin, r.alt, r.caption, r.width, r.height, r.of_product, u.url, "
                                  "u.image, r.product, r.language "
                                  "FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? ORDER BY r.ord",
                                  id));
  MAGPIE_TRY_DO(each_row(refs, [&](const Query& ref) -> Result<void> {
    details.refs.push_back(ref_from(ref));
    return {};
  }));
  return std::optional(std::move(details));
}

Result<std::optional<PageId>> read_page_by_url(Database& db, std::string_view url) {
  MAGPIE_TRY(Query row, db.query("SELECT p.id FROM urls u JOIN pages p ON p.id = u.id WHERE u.url = ?", url));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(static_cast<PageId>(row.int64(0))) : std::nullopt;
}

Result<std::optional<StoredProduct>> read_product_alone(Database& db, ProductId id) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_PRODUCT_COLUMNS " FROM products WHERE id = ?", id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(product_from(row)) : std::nullopt;
}

Result<std::optional<StoredProduct>> read_product(Database& db, ProductId id) {
  MAGPIE_TRY(std::optional<StoredProduct> stored, read_product_alone(db, id));
  if (stored) { MAGPIE_TRY(stored->images, images_of_product(db, stored->id, stored->page)); }
  return stored;
}

Result<std::vector<LikeProduct>> read_products_like(Database& db, const StoredProduct& product, std::size_t limit) {
  std::map<std::int64_t, bool> found;  // with whether it shares a picture
  const auto take = [&](Query rows, bool shares_a_picture) {
    return each_row(rows, [&](const Query& row) -> Result<void> {
      found[row.int64(0)] |= shares_a_picture;
      return {};
    });
  };
  const auto id = static_cast<std::int64_t>(product.id);
  if (!product.product.gtin.empty()) {
    MAGPIE_TRY(Query rows, db.query("SELECT id FROM products WHERE gtin <> '' AND ltrim(replace(replace(gtin, '-', ''), ' ', ''), '0') = "
                                    "ltrim(replace(replace(?, '-', ''), ' ', ''), '0') AND id <> ? LIMIT ?",
                                    product.product.gtin, id, limit));
    MAGPIE_TRY_DO(take(std::move(rows), false));
  }
  if (!makers_number(product.product.sku).empty() && !product.product.brand.empty()) {
    MAGPIE_TRY(Query rows,
               db.query("SELECT id FROM products WHERE sku <> '' AND lower(replace(replace(replace(replace(replace(sku, '-', ''), "
                        "' ', ''), '/', ''), '.', ''), '_', '')) = lower(replace(replace(replace(replace(replace(?, '-', ''), ' ', ''), "
                        "'/', ''), '.', ''), '_', '')) AND brand <> '' AND id <> ? LIMIT ?",
                        product.product.sku, id, limit));
    MAGPIE_TRY_DO(take(std::move(rows), false));
  }
  for (const ImageId image : product.images) {
    MAGPIE_TRY(Query rows, db.query("SELECT DISTINCT r.product FROM images own JOIN images i ON i.copy_group = own.copy_group "
                                    "JOIN urls u ON u.image = i.id JOIN image_refs r ON r.url = u.id "
                                    "WHERE own.id = ? AND r.product IS NOT NULL AND r.product <> ? LIMIT ?",
                                    image, id, limit));
    MAGPIE_TRY_DO(take(std::move(rows), true));
  }
  std::vector<LikeProduct> like;
  for (const auto& [other, shares_a_picture] : found) {
    MAGPIE_TRY(std::optional<StoredProduct> stored, read_product_alone(db, other));
    if (stored) like.push_back({std::move(*stored), shares_a_picture});
  }
  return like;
}

Result<std::vector<ProductChange>> read_price_changes(Database& db, ProductId id, std::size_t limit) {
  MAGPIE_TRY(Query rows, db.query(MAGPIE_SELECT_CHANGES "WHERE c.product = ? AND c.field = 'price' ORDER BY c.id DESC LIMIT ?", id, limit));
  MAGPIE_TRY(std::vector<ProductChange> changes, changes_from(std::move(rows)));
  std::ranges::reverse(changes);
  return changes;
}

Result<std::vector<ProductChange>> read_changes(Database& db, std::uint64_t after, std::size_t limit) {
  MAGPIE_TRY(Query rows, db.query(MAGPIE_SELECT_CHANGES "WHERE c.id > ? ORDER BY c.id LIMIT ?", after, limit));
  return changes_from(std::move(rows));
}

Result<std::optional<UrlDetails>> read_why(Database& db, std::string_view url) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_FETCH_COLUMNS
                                 ", id, image, EXISTS (SELECT 1 FROM pages p WHERE p.id = urls.id) FROM urls WHERE url = ?",
                                 url));
  MAGPIE_TRY(const bool found, row.next());
  if (!found) return std::optional<UrlDetails>();
  UrlDetails details;
  details.fetch = fetch_from(row);
  details.job = static_cast<JobId>(row.int64(kFetchJobColumn));
  details.fetched = !row.is_null(9);
  const std::int64_t id = row.int64(kFetchJobColumn + 1);
  details.image = static_cast<ImageId>(row.int64(kFetchJobColumn + 2));
  if (row.int64(kFetchJobColumn + 3) != 0) details.page = static_cast<PageId>(id);
  MAGPIE_TRY(Query pages,
             db.query("SELECT DISTINCT u.url FROM image_refs r JOIN urls u ON u.id = r.page WHERE r.url = ? LIMIT ?", id, kShownByMax));
  MAGPIE_TRY_DO(each_row(pages, [&](const Query& page) -> Result<void> {
    details.shown_by.push_back(page.string(0));
    return {};
  }));
  return std::optional(std::move(details));
}

}  // namespace magpie
