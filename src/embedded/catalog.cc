#include "embedded/catalog.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>

#include "base/guarded.h"
#include "core/product_identity.h"
#include "embedded/catalog_copies.h"
#include "embedded/catalog_forget.h"
#include "embedded/catalog_rows.h"
#include "embedded/catalog_schema.h"
#include "embedded/catalog_surroundings.h"
#include "embedded/catalog_writer.h"
#include "embedded/index_document.h"

namespace magpie {
namespace {

constexpr std::size_t kShownByMax = 16;

Result<std::vector<std::string>> urls_of(Database& db, ImageId id) {
  std::vector<std::string> urls;
  MAGPIE_TRY(Query rows, db.query("SELECT url FROM urls WHERE image = ? ORDER BY id LIMIT ?", id, kImageUrlsMax));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    urls.push_back(row.string(0));
    return {};
  }));
  return urls;
}

Result<std::optional<StoredProduct>> product_row(Database& db, std::int64_t id) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_PRODUCT_COLUMNS " FROM products WHERE id = ?", id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(product_from(row)) : std::nullopt;
}

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

Showing showing_from(const Query& row) {
  Showing showing;
  showing.page = static_cast<PageId>(row.int64(0));
  showing.page_url = row.string(1);
  showing.page_title = row.string(2);
  showing.page_description = row.string(3);
  showing.language = row.string(4);
  showing.shop = row.string(5);
  showing.keywords = from_json_list(row.text(6));
  showing.permits = (row.int64(7) & kRobotsForbidsImages) == 0;
  showing.image_url = row.string(8);
  showing.alt = row.string(9);
  showing.caption = row.string(10);
  showing.origin = static_cast<ImageOrigin>(row.int64(11));
  showing.words_language = row.string(13);
  return showing;
}

/// Places that show the picture on pages whose robots bits have none of `forbidden`; products' first.
Result<std::vector<Showing>> showings_of(Database& db, ImageId image, int forbidden) {
  std::vector<Showing> showings;
  std::vector<std::int64_t> urls;
  {
    MAGPIE_TRY(Query rows, db.query("SELECT id FROM urls WHERE image = ? ORDER BY id LIMIT ?", image, kImageUrlsMax));
    MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
      urls.push_back(row.int64(0));
      return {};
    }));
  }
  for (const std::int64_t url : urls) {
    // The order is that of the index image_refs_by_url read backwards, so a logo on a million pages costs kShowingsMax rows.
    MAGPIE_TRY(Query rows,
               db.query("SELECT r.page, pu.url, p.title, p.description, p.language, p.shop, p.keywords, p.robots, u.url, r.alt, r.caption, "
                        "r.origin, r.product, r.language "
                        "FROM image_refs r JOIN pages p ON p.id = r.page JOIN urls pu ON pu.id = r.page JOIN urls u ON u.id = r.url "
                        "WHERE r.url = ? AND (p.robots & ?) = 0 ORDER BY r.product DESC, r.page DESC, r.ord DESC LIMIT ?",
                        url, forbidden, kShowingsMax));
    MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
      Showing showing = showing_from(row);
      if (!row.is_null(12)) { MAGPIE_TRY(showing.product, product_row(db, row.int64(12))); }
      showings.push_back(std::move(showing));
      return {};
    }));
  }
  std::ranges::stable_sort(showings, {}, [](const Showing& showing) { return std::pair(!showing.product, showing.page); });
  return showings;
}

/// Whether the picture is part of the shop's furniture, such as a logo, a badge or a payment mark: no product's own, and on at least half
/// of the shop's latest pages of products. What a few pages show beside their product is another product.
Result<bool> is_furniture(Database& db, ImageId image, std::span<const Showing> showings) {
  constexpr std::size_t kPagesMin = 12;
  constexpr int kPagesAsked = 100, kPagesLookedAt = 1'000;                    // a site of a million pages may sell nothing
  if (showings.size() < kPagesMin || showings.front().product) return false;  // products come first
  MAGPIE_TRY(Query row, db.query("SELECT COUNT(*), SUM(EXISTS (SELECT 1 FROM image_refs r WHERE r.page = latest.id AND r.url IN "
                                 "(SELECT id FROM urls WHERE image = ?))) FROM (SELECT p.id FROM (SELECT id FROM pages WHERE shop = ? "
                                 "ORDER BY id DESC LIMIT ?) p WHERE EXISTS (SELECT 1 FROM products o WHERE o.page = p.id AND o.ord = 0) "
                                 "LIMIT ?) latest",
                                 image, showings.front().shop, kPagesLookedAt, kPagesAsked));
  MAGPIE_TRY_DO(row.next());
  const std::int64_t pages = row.int64(0), showing = row.int64(1);
  return showing >= static_cast<std::int64_t>(kPagesMin) && 2 * showing >= pages;
}

/// Whether pages that show the picture may be taken at their word: it is neither a stand-in nor furniture.
Result<bool> is_content(Database& db, const Image& image, std::span<const std::string> urls, std::span<const Showing> showings) {
  if (showings.empty() || is_stand_in(image, urls)) return false;
  MAGPIE_TRY(const bool furniture, is_furniture(db, image.id, showings));
  return !furniture;
}

Result<std::vector<PictureLabel>> labels_of(Database& db, ImageId image) {
  std::vector<PictureLabel> labels;
  MAGPIE_TRY(Query rows, db.query("SELECT u.url, l.source, l.label, l.api, l.artist, l.artist_url, l.page_url, l.licence, l.job, l.at "
                                  "FROM urls u JOIN labels l ON l.url = u.id WHERE u.image = ? ORDER BY l.source, l.label, u.id LIMIT ?",
                                  image, kLabelsMax));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    PictureLabel label;
    int column = 0;
    for (std::string* text :
         {&label.url, &label.source, &label.label, &label.api, &label.artist, &label.artist_url, &label.page_url, &label.licence}) {
      *text = row.string(column++);
    }
    label.job = static_cast<JobId>(row.int64(8));
    label.at = from_millis(row.int64(9));
    labels.push_back(std::move(label));
    return {};
  }));
  return labels;
}

Result<std::vector<Region>> regions_of(Database& db, ImageId image) {
  std::vector<Region> regions;
  MAGPIE_TRY(Query rows,
             db.query("SELECT label, score, x_min, y_min, x_max, y_max, colours FROM regions WHERE image = ? ORDER BY number", image));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    Region region;
    region.label = row.string(0);
    int column = 1;
    for (float* number : {&region.score, &region.left, &region.top, &region.right, &region.bottom})
      *number = static_cast<float>(row.real(column++));
    region.colours = decode_colours(row.blob(6));
    regions.push_back(std::move(region));
    return {};
  }));
  return regions;
}

Embedding embedding_from(std::string_view bytes) {
  Embedding vector(bytes.size() / sizeof(float));
  std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
  return vector;
}

Result<bool> is_named(Database& db, ImageId image) {
  MAGPIE_TRY(Query row, db.query("SELECT 1 FROM urls WHERE image = ? AND named = 1 LIMIT 1", image));
  return row.next();
}

Result<std::optional<Image>> image_row(Database& db, ImageId id) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id = ?", id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(image_from(row)) : std::nullopt;
}

Result<std::vector<ImageId>> image_ids(Query rows) {
  std::vector<ImageId> ids;
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    ids.push_back(static_cast<ImageId>(row.int64(0)));
    return {};
  }));
  return ids;
}

Result<std::vector<ImageId>> images_of_product(Database& db, ProductId product, PageId page) {
  MAGPIE_TRY(
      Query rows,
      db.query("SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? AND r.product = ? AND u.image IS NOT NULL "
               "GROUP BY u.image ORDER BY MIN(r.ord)",
               page, product));
  return image_ids(std::move(rows));
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(fs::path file, const CatalogOptions& options) : file_(std::move(file)), options_(options) {}

  Result<void> start() {
    if (!options_.read_only) {
      MAGPIE_TRY(Database writer, Database::open(file_, {}));
      MAGPIE_TRY_DO(migrate_catalog(writer));
      writer_.emplace(std::move(writer));
    }
    MAGPIE_TRY(const std::optional<std::string> seed, meta("url_seed"));
    MAGPIE_TRY(const std::optional<std::string> id, meta("collection_id"));
    if (!seed || !id) return fail(Code::kCorrupt, "{} has no url_seed or collection_id", file_.string());
    std::from_chars(seed->data(), seed->data() + seed->size(), url_seed_, 16);
    collection_id_ = *id;
    return {};
  }

  Result<std::unique_ptr<CatalogTransaction>> begin() override {
    if (!writer_) return fail(Code::kForbidden, "{} is open for reading only", file_.string());
    if (writing_.exchange(true)) return fail(Code::kBusy, "{} has a transaction under way", file_.string());
    return begin_catalog_transaction(*writer_, [this] { writing_ = false; });
  }

  Result<std::vector<DirtyImage>> take_dirty(std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<DirtyImage>> {
      std::vector<DirtyImage> dirty;
      MAGPIE_TRY(Query rows, db.query("SELECT image, sequence FROM to_index ORDER BY sequence LIMIT ?", limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        dirty.push_back({static_cast<ImageId>(row.int64(0)), static_cast<std::uint64_t>(row.int64(1))});
        return {};
      }));
      return dirty;
    });
  }

  Result<std::optional<IndexDocument>> index_document(ImageId id) const override {
    return read([&](Database& db) -> Result<std::optional<IndexDocument>> {
      MAGPIE_TRY(const std::optional<Image> image, image_row(db, id));
      if (!image) return std::optional<IndexDocument>();
      MAGPIE_TRY(const std::vector<Showing> showings, showings_of(db, id, kRobotsForbidsImages));
      MAGPIE_TRY(const std::vector<std::string> urls, urls_of(db, id));
      MAGPIE_TRY(const bool content, is_content(db, *image, urls, showings));
      if (!content) {
        MAGPIE_TRY(const bool named, is_named(db, id));
        if (!named) return std::optional<IndexDocument>();
      }
      MAGPIE_TRY(const std::vector<PictureLabel> labels, labels_of(db, id));
      IndexDocument document = make_index_document(*image, urls, showings, labels);
      MAGPIE_TRY(const std::vector<Region> regions, regions_of(db, id));
      for (const Region& region : regions) {
        if (std::ranges::find(document.classes, region.label) == document.classes.end()) document.classes.push_back(region.label);
      }
      MAGPIE_TRY(const std::vector<InheritedWord> inherited, read_inherited_words(db, id));
      for (const InheritedWord& word : inherited) document.inherited.push_back(word.word);
      return std::optional(std::move(document));
    });
  }

  Result<std::vector<ImageId>> images_shown_by(PageId page) const override {
    return read([&](Database& db) -> Result<std::vector<ImageId>> {
      MAGPIE_TRY(Query rows,
                 db.query("SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? AND u.image IS NOT NULL "
                          "GROUP BY u.image ORDER BY MIN(r.ord)",
                          page));
      return image_ids(std::move(rows));
    });
  }

  Result<std::optional<ImageId>> image_by_sha256(const Sha256& sha256) const override {
    return read([&](Database& db) -> Result<std::optional<ImageId>> {
      MAGPIE_TRY(Query row,
                 db.query("SELECT id FROM images WHERE sha256 = ?", Blob{{reinterpret_cast<const char*>(sha256.data()), sha256.size()}}));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(static_cast<ImageId>(row.int64(0))) : std::nullopt;
    });
  }

  Result<std::optional<Image>> image(ImageId id) const override {
    return read([&](Database& db) { return image_row(db, id); });
  }

  Result<std::optional<ImageDetails>> image_details(ImageId id) const override {
    return read([&](Database& db) -> Result<std::optional<ImageDetails>> {
      MAGPIE_TRY(std::optional<Image> image, image_row(db, id));
      if (!image) return std::optional<ImageDetails>();
      ImageDetails details;
      details.image = std::move(*image);
      MAGPIE_TRY(details.urls, urls_of(db, id));
      MAGPIE_TRY(details.showings, showings_of(db, id, 0));
      MAGPIE_TRY(details.labels, labels_of(db, id));
      MAGPIE_TRY(details.regions, regions_of(db, id));
      MAGPIE_TRY(details.indexable, is_named(db, id));
      if (!details.indexable) {
        MAGPIE_TRY(const std::vector<Showing> permitting, showings_of(db, id, kRobotsForbidsImages));
        MAGPIE_TRY(details.indexable, is_content(db, details.image, details.urls, permitting));
      }
      return std::optional(std::move(details));
    });
  }

  Result<std::optional<Embedding>> embedding(ImageId id, std::string_view space) const override {
    return read([&](Database& db) -> Result<std::optional<Embedding>> {
      MAGPIE_TRY(Query row, db.query("SELECT vector FROM embeddings WHERE space = ? AND image = ?", space, id));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(embedding_from(row.blob(0))) : std::nullopt;
    });
  }

  Result<std::vector<EmbeddedRegion>> regions(ImageId id, std::string_view space) const override {
    return read([&](Database& db) -> Result<std::vector<EmbeddedRegion>> {
      std::vector<EmbeddedRegion> found;
      MAGPIE_TRY(std::vector<Region> regions, regions_of(db, id));
      for (Region& region : regions) found.push_back({std::move(region), {}});
      if (found.empty()) return found;
      MAGPIE_TRY(Query rows, db.query("SELECT number, vector FROM region_embeddings WHERE image = ? AND space = ?", id, space));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        const auto number = static_cast<std::size_t>(row.int64(0));
        if (number >= 1 && number <= found.size()) found[number - 1].embedding = embedding_from(row.blob(1));
        return {};
      }));
      return found;
    });
  }

  Result<std::vector<ImageId>> copies(ImageId group) const override {
    return read([&](Database& db) -> Result<std::vector<ImageId>> {
      MAGPIE_TRY(Query rows, db.query("SELECT id FROM images WHERE copy_group = ? ORDER BY id", group));
      return image_ids(std::move(rows));
    });
  }

  Result<std::vector<CopyGroup>> copy_groups(ImageId after, bool unreviewed_only, std::size_t limit) const override {
    return read([&](Database& db) { return read_copy_groups(db, after, unreviewed_only, limit); });
  }
  Result<std::vector<CopyLink>> copy_links(ImageId group) const override {
    return read([&](Database& db) { return read_copy_links(db, group, kCopyLinksMax); });
  }
  Result<std::vector<CopyReview>> copy_reviews(std::size_t limit) const override {
    return read([&](Database& db) { return read_copy_reviews(db, std::nullopt, limit); });
  }
  Result<std::optional<CopyReview>> copy_review(std::uint64_t id) const override {
    return read([&](Database& db) -> Result<std::optional<CopyReview>> {
      MAGPIE_TRY(std::vector<CopyReview> found, read_copy_reviews(db, id, 1));
      return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
    });
  }
  Result<std::vector<CopyReview>> copy_reviews_since(std::uint64_t id) const override {
    return read([&](Database& db) { return read_copy_reviews_since(db, id); });
  }
  Result<void> each_copy(const std::function<Result<void>(ImageId, ImageId)>& visit) const override {
    return read([&](Database& db) { return read_each_copy(db, visit); });
  }
  Result<void> each_copy_link(const std::function<Result<void>(const CopyLink&)>& visit) const override {
    return read([&](Database& db) { return read_each_copy_link(db, visit); });
  }
  Result<void> each_copy_verdict(const std::function<Result<void>(const CopyPair&)>& visit) const override {
    return read([&](Database& db) { return read_each_copy_verdict(db, visit); });
  }

  Result<std::vector<std::string>> labelled_urls(std::string_view source, std::string_view label, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<std::string>> {
      std::vector<std::string> urls;
      MAGPIE_TRY(Query rows, db.query("SELECT u.url FROM labels l JOIN urls u ON u.id = l.url WHERE l.source = ? AND l.label = ? "
                                      "ORDER BY l.id DESC LIMIT ?",
                                      source, label, limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        urls.push_back(row.string(0));
        return {};
      }));
      return urls;
    });
  }

  Result<std::vector<LabelCount>> label_counts(std::string_view source) const override {
    return read([&](Database& db) -> Result<std::vector<LabelCount>> {
      std::vector<LabelCount> counts;
      // What redirects is counted at its target, which has the label, too.
      MAGPIE_TRY(Query rows, db.query("SELECT l.label, SUM(u.image IS NOT NULL), SUM(u.image IS NULL AND u.given_up = 0), "
                                      "SUM(u.image IS NULL AND u.given_up = 1) FROM labels l JOIN urls u ON u.id = l.url "
                                      "WHERE l.source = ? AND u.redirect = '' GROUP BY l.label ORDER BY l.label",
                                      source));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        const auto number = [&](int column) { return static_cast<std::uint64_t>(row.int64(column)); };
        counts.push_back({row.string(0), number(1), number(2), number(3)});
        return {};
      }));
      return counts;
    });
  }

  Result<std::map<std::string, std::string>> listings(JobId job) const override {
    return read([&](Database& db) -> Result<std::map<std::string, std::string>> {
      std::map<std::string, std::string> states;
      MAGPIE_TRY(Query rows, db.query("SELECT list, state FROM listings WHERE job = ?", job));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        states.emplace(row.string(0), row.string(1));
        return {};
      }));
      return states;
    });
  }

  Result<std::optional<PageDetails>> page(PageId id) const override {
    return read([&](Database& db) { return page_details(db, id); });
  }

  Result<std::optional<PageId>> page_by_url(std::string_view url) const override {
    return read([&](Database& db) -> Result<std::optional<PageId>> {
      MAGPIE_TRY(Query row, db.query("SELECT p.id FROM urls u JOIN pages p ON p.id = u.id WHERE u.url = ?", url));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(static_cast<PageId>(row.int64(0))) : std::nullopt;
    });
  }

  Result<std::optional<StoredProduct>> product(ProductId id) const override {
    return read([&](Database& db) -> Result<std::optional<StoredProduct>> {
      MAGPIE_TRY(std::optional<StoredProduct> stored, product_row(db, static_cast<std::int64_t>(id)));
      if (stored) { MAGPIE_TRY(stored->images, images_of_product(db, stored->id, stored->page)); }
      return stored;
    });
  }

  Result<std::vector<LikeProduct>> products_like(const StoredProduct& product, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<LikeProduct>> {
      std::map<std::int64_t, bool> found;  // with whether it shares a picture
      const auto take = [&](Query rows, bool shares_a_picture) {
        return each_row(rows, [&](const Query& row) -> Result<void> {
          found[row.int64(0)] |= shares_a_picture;
          return {};
        });
      };
      const auto id = static_cast<std::int64_t>(product.id);
      if (!product.product.gtin.empty()) {
        MAGPIE_TRY(Query rows,
                   db.query("SELECT id FROM products WHERE gtin <> '' AND ltrim(replace(replace(gtin, '-', ''), ' ', ''), '0') = "
                            "ltrim(replace(replace(?, '-', ''), ' ', ''), '0') AND id <> ? LIMIT ?",
                            product.product.gtin, id, limit));
        MAGPIE_TRY_DO(take(std::move(rows), false));
      }
      if (!makers_number(product.product.sku).empty() && !product.product.brand.empty()) {
        MAGPIE_TRY(
            Query rows,
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
        MAGPIE_TRY(std::optional<StoredProduct> stored, product_row(db, other));
        if (stored) like.push_back({std::move(*stored), shares_a_picture});
      }
      return like;
    });
  }

  Result<std::vector<ProductChange>> price_changes(ProductId id, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<ProductChange>> {
      MAGPIE_TRY(Query rows,
                 db.query(MAGPIE_SELECT_CHANGES "WHERE c.product = ? AND c.field = 'price' ORDER BY c.id DESC LIMIT ?", id, limit));
      MAGPIE_TRY(std::vector<ProductChange> changes, changes_from(std::move(rows)));
      std::ranges::reverse(changes);
      return changes;
    });
  }

  Result<std::optional<UrlDetails>> why(std::string_view url) const override {
    return read([&](Database& db) -> Result<std::optional<UrlDetails>> {
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
    });
  }

  Result<void> each_image(const std::function<Result<void>(const Image&)>& visit) const override {
    return read([&](Database& db) -> Result<void> {
      MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images ORDER BY id"));
      return each_row(rows, [&](const Query& row) { return visit(image_from(row)); });
    });
  }

  Result<void> each_embedding(std::string_view space,
                              const std::function<Result<void>(ImageId, std::span<const float>)>& visit) const override {
    return read([&](Database& db) -> Result<void> {
      MAGPIE_TRY(Query rows, db.query("SELECT image, vector FROM embeddings WHERE space = ? ORDER BY image", space));
      Embedding vector;
      return each_row(rows, [&](const Query& row) {
        const std::string_view bytes = row.blob(1);
        vector.resize(bytes.size() / sizeof(float));
        std::memcpy(vector.data(), bytes.data(), vector.size() * sizeof(float));
        return visit(static_cast<ImageId>(row.int64(0)), vector);
      });
    });
  }

  Result<void> each_page(const std::function<Result<void>(PageId, const std::string& url)>& visit) const override {
    return read([&](Database& db) -> Result<void> {
      MAGPIE_TRY(Query rows, db.query("SELECT p.id, u.url FROM pages p JOIN urls u ON u.id = p.id ORDER BY p.id"));
      return each_row(rows, [&](const Query& row) { return visit(static_cast<PageId>(row.int64(0)), row.string(1)); });
    });
  }

  Result<void> each_product(const std::function<Result<void>(const StoredProduct&)>& visit) const override {
    return read([&](Database& db) -> Result<void> {
      MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_PRODUCT_COLUMNS " FROM products ORDER BY id"));
      return each_row(rows, [&](const Query& row) { return visit(product_from(row)); });
    });
  }

  Result<std::vector<UrlRecord>> due(JobId job, Timestamp now, bool all, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<UrlRecord>> {
      std::vector<UrlRecord> due;
      const auto collect = [&](const Query& row) -> Result<void> {
        due.push_back({.url = row.string(0),
                       .kind = static_cast<UrlKind>(row.int64(1)),
                       .depth = static_cast<std::uint16_t>(row.int64(2)),
                       .job = job});
        if (due.back().kind == UrlKind::kSitemap) due.back().priority = 0;
        return {};
      };
      if (all) {
        MAGPIE_TRY(Query rows, db.query("SELECT url, kind, depth FROM urls WHERE job = ? AND cause = 0 AND fetched_at IS NOT NULL AND "
                                        "redirect = '' LIMIT ?",
                                        job, limit));
        MAGPIE_TRY_DO(each_row(rows, collect));
      } else {
        MAGPIE_TRY(Query rows, db.query("SELECT url, kind, depth FROM urls WHERE job = ? AND due_at > 0 AND due_at <= ? "
                                        "ORDER BY due_at LIMIT ?",
                                        job, to_millis(now), limit));
        MAGPIE_TRY_DO(each_row(rows, collect));
      }
      return due;
    });
  }

  Result<std::vector<ProductChange>> changes(std::uint64_t after, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<ProductChange>> {
      MAGPIE_TRY(Query rows, db.query(MAGPIE_SELECT_CHANGES "WHERE c.id > ? ORDER BY c.id LIMIT ?", after, limit));
      return changes_from(std::move(rows));
    });
  }

  Result<std::vector<Fetch>> failures(std::optional<Cause> cause, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<Fetch>> {
      std::vector<Fetch> failures;
      const auto collect = [&](const Query& row) -> Result<void> {
        failures.push_back(fetch_from(row));
        return {};
      };
      if (cause) {
        MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_FETCH_COLUMNS
                                        " FROM urls WHERE cause = ? AND cause > 0 ORDER BY fetched_at DESC, id DESC LIMIT ?",
                                        static_cast<int>(*cause), limit));
        MAGPIE_TRY_DO(each_row(rows, collect));
      } else {
        MAGPIE_TRY(Query rows,
                   db.query("SELECT " MAGPIE_FETCH_COLUMNS " FROM urls WHERE cause > 0 ORDER BY fetched_at DESC, id DESC LIMIT ?", limit));
        MAGPIE_TRY_DO(each_row(rows, collect));
      }
      return failures;
    });
  }

  Result<std::vector<WaitingImage>> waiting_images(std::int64_t after, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<WaitingImage>> {
      std::vector<WaitingImage> waiting;
      MAGPIE_TRY(Query rows,
                 db.query("SELECT " MAGPIE_FETCH_COLUMNS
                          ", id FROM urls WHERE id > ? AND kind = ? AND cause = 0 AND image IS NULL AND file > 0 AND redirect = '' "
                          "ORDER BY id LIMIT ?",
                          after, static_cast<int>(UrlKind::kImage), limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        waiting.push_back({row.int64(kFetchJobColumn + 1), static_cast<JobId>(row.int64(kFetchJobColumn)), fetch_from(row)});
        return {};
      }));
      return waiting;
    });
  }

  Result<std::vector<Image>> images_without(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<Image>> {
      std::vector<Image> without;
      MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id > ?1 AND ("
                                      "NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.space = ?2 AND e.image = images.id) OR "
                                      "EXISTS (SELECT 1 FROM regions r WHERE r.image = images.id AND NOT EXISTS (SELECT 1 FROM "
                                      "region_embeddings v WHERE v.image = r.image AND v.number = r.number AND v.space = ?2))) "
                                      "ORDER BY id LIMIT ?3",
                                      after, space, limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        without.push_back(image_from(row));
        return {};
      }));
      return without;
    });
  }

  Result<std::vector<Image>> images_undetected(std::string_view detector, std::string_view space, ImageId after,
                                               std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<Image>> {
      std::vector<Image> undetected;
      MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id > ? AND detector <> ? AND EXISTS "
                                      "(SELECT 1 FROM embeddings e WHERE e.space = ? AND e.image = images.id) ORDER BY id LIMIT ?",
                                      after, detector, space, limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        undetected.push_back(image_from(row));
        return {};
      }));
      return undetected;
    });
  }

  Result<std::vector<Image>> images_uncompared(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<Image>> {
      std::vector<Image> uncompared;
      MAGPIE_TRY(Query rows,
                 db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id > ? "
                          "AND NOT EXISTS (SELECT 1 FROM copy_sketches c WHERE c.image = images.id) "
                          "AND NOT EXISTS (SELECT 1 FROM to_index i WHERE i.image = images.id) "
                          "AND EXISTS (SELECT 1 FROM embeddings e WHERE e.space = ? AND e.image = images.id) ORDER BY id LIMIT ?",
                          after, space, limit));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        uncompared.push_back(image_from(row));
        return {};
      }));
      return uncompared;
    });
  }

  Result<std::optional<std::string>> copy_sketch(ImageId id) const override {
    return read([&](Database& db) -> Result<std::optional<std::string>> {
      MAGPIE_TRY(Query row, db.query("SELECT sketch FROM copy_sketches WHERE image = ?", id));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(std::string(row.blob(0))) : std::nullopt;
    });
  }

  Result<std::vector<ImageId>> images_to_surround(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) -> Result<std::vector<ImageId>> {
      MAGPIE_TRY(Query rows,
                 db.query("SELECT id FROM images WHERE id > ?1 "
                          "AND NOT EXISTS (SELECT 1 FROM surroundings s WHERE s.image = images.id AND s.space = ?2) "
                          "AND NOT EXISTS (SELECT 1 FROM to_index i WHERE i.image = images.id) "
                          "AND EXISTS (SELECT 1 FROM embeddings e WHERE e.space = ?2 AND e.image = images.id) ORDER BY id LIMIT ?3",
                          after, space, limit));
      return image_ids(std::move(rows));
    });
  }
  Result<std::optional<Surroundings>> surroundings(ImageId id) const override {
    return read([&](Database& db) { return read_surroundings(db, id); });
  }
  Result<std::vector<InheritedWord>> inherited_words(ImageId id) const override {
    return read([&](Database& db) { return read_inherited_words(db, id); });
  }
  Result<std::vector<ImageId>> heirs(ImageId source) const override {
    return read([&](Database& db) { return read_heirs(db, source); });
  }
  Result<std::optional<NoteworthyFeatures>> noteworthy_features(ImageId id) const override {
    return read([&](Database& db) { return read_noteworthy_features(db, id); });
  }

  Result<std::vector<std::string>> own_words(ImageId id) const override {
    return read([&](Database& db) -> Result<std::vector<std::string>> {
      MAGPIE_TRY(const std::vector<Showing> showings, showings_of(db, id, kRobotsForbidsImages));
      MAGPIE_TRY(const std::vector<PictureLabel> labels, labels_of(db, id));
      return magpie::own_words(showings, labels);
    });
  }

  Result<LastImages> last_images() const override {
    return read([&](Database& db) -> Result<LastImages> {
      MAGPIE_TRY(Query row, db.query("SELECT (SELECT ifnull(max(id), 0) FROM images), (SELECT ifnull(max(image), 0) FROM copy_sketches)"));
      MAGPIE_TRY_DO(row.next());
      return LastImages{static_cast<ImageId>(row.int64(0)), static_cast<ImageId>(row.int64(1))};
    });
  }

  Result<CatalogStats> stats() const override {
    return read([&](Database& db) -> Result<CatalogStats> {
      CatalogStats stats;
      MAGPIE_TRY(
          Query row,
          db.query("SELECT (SELECT COUNT(*) FROM pages), (SELECT COUNT(*) FROM products), (SELECT COUNT(*) FROM images), "
                   "(SELECT COUNT(*) FROM urls WHERE image IS NOT NULL), (SELECT COUNT(*) FROM urls), (SELECT COUNT(*) FROM to_index)"));
      MAGPIE_TRY_DO(row.next());
      int column = 0;
      for (std::uint64_t* count : {&stats.pages, &stats.products, &stats.images, &stats.image_urls, &stats.urls, &stats.to_index}) {
        *count = static_cast<std::uint64_t>(row.int64(column++));
      }
      MAGPIE_TRY(Query shops, db.query("SELECT shop, COUNT(*) FROM pages GROUP BY shop"));
      MAGPIE_TRY_DO(each_row(shops, [&](const Query& shop) -> Result<void> {
        stats.pages_by_shop[shop.string(0)] = static_cast<std::uint64_t>(shop.int64(1));
        return {};
      }));
      MAGPIE_TRY(Query causes, db.query("SELECT cause, COUNT(*) FROM urls WHERE cause > 0 GROUP BY cause"));
      MAGPIE_TRY_DO(each_row(causes, [&](const Query& cause) -> Result<void> {
        stats.failures_by_cause[static_cast<Cause>(cause.int64(0))] = static_cast<std::uint64_t>(cause.int64(1));
        stats.failures += static_cast<std::uint64_t>(cause.int64(1));
        return {};
      }));
      return stats;
    });
  }

  Result<std::vector<Job>> jobs() const override {
    return read([&](Database& db) -> Result<std::vector<Job>> {
      std::vector<Job> jobs;
      MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_JOB_COLUMNS " FROM jobs ORDER BY id DESC"));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        jobs.push_back(job_from(row));
        return {};
      }));
      return jobs;
    });
  }

  Result<std::optional<Job>> job(JobId id) const override {
    return read([&](Database& db) -> Result<std::optional<Job>> {
      MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_JOB_COLUMNS " FROM jobs WHERE id = ?", id));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(job_from(row)) : std::nullopt;
    });
  }

  Result<std::vector<HostVisit>> host_visits(std::string_view host) const override {
    return read([&](Database& db) -> Result<std::vector<HostVisit>> {
      std::vector<HostVisit> visits;
      MAGPIE_TRY(Query rows, db.query("SELECT job, run_started_at, next_allowed_at, report FROM host_visits WHERE host = ? "
                                      "ORDER BY run_started_at, job",
                                      host));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        visits.push_back(
            {std::string(host), static_cast<JobId>(row.int64(0)), from_millis(row.int64(1)), from_millis(row.int64(2)), row.string(3)});
        return {};
      }));
      return visits;
    });
  }

  Result<std::map<std::string, Timestamp>> resting_hosts(Timestamp now) const override {
    return read([&](Database& db) -> Result<std::map<std::string, Timestamp>> {
      std::map<std::string, Timestamp> resting;
      MAGPIE_TRY(Query rows,
                 db.query("SELECT host, MAX(next_allowed_at) FROM host_visits WHERE next_allowed_at > ? GROUP BY host", to_millis(now)));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        resting.emplace(row.string(0), from_millis(row.int64(1)));
        return {};
      }));
      return resting;
    });
  }

  Result<std::vector<LearntSelector>> selectors(std::string_view host) const override {
    return read([&](Database& db) -> Result<std::vector<LearntSelector>> {
      std::vector<LearntSelector> found;
      MAGPIE_TRY(Query rows, db.query("SELECT field, path, words, value, agreed, disagreed FROM selectors WHERE host = ?", host));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        found.push_back({{.field = row.string(0), .path = row.string(1), .words = row.string(2), .value = row.string(3)},
                         static_cast<std::uint32_t>(row.int64(4)),
                         static_cast<std::uint32_t>(row.int64(5))});
        return {};
      }));
      return found;
    });
  }

  Result<ForgetPlan> plan_forgetting(const ForgetTarget& target) const override {
    return read([&](Database& db) { return plan_forgetting_in(db, target); });
  }

  Result<Refusals> refusals() const override {
    return read([&](Database& db) -> Result<Refusals> {
      Refusals refusals(url_seed_);
      MAGPIE_TRY(Query rows, db.query("SELECT mark FROM refusals"));
      MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
        refusals.add(static_cast<std::uint64_t>(row.int64(0)));
        return {};
      }));
      return refusals;
    });
  }

  Result<bool> refers_to(Store store, std::uint32_t file) const override {
    return read([&](Database& db) -> Result<bool> {
      MAGPIE_TRY(Query row, db.query(store == Store::kArchive
                                         ? "SELECT EXISTS (SELECT 1 FROM urls WHERE file = ?1) OR EXISTS (SELECT 1 FROM pages WHERE "
                                           "file = ?1) OR EXISTS (SELECT 1 FROM images WHERE file = ?1)"
                                         : "SELECT EXISTS (SELECT 1 FROM images WHERE thumbnail_file = ?1 OR preview_file = ?1)",
                                     file));
      MAGPIE_TRY_DO(row.next());
      return row.int64(0) != 0;
    });
  }

  Result<void> compact() override {
    if (!writer_) return fail(Code::kForbidden, "{} is open for reading only", file_.string());
    if (writing_.exchange(true)) return fail(Code::kBusy, "{} has a transaction under way", file_.string());
    readers_.with([](auto& idle) { idle.clear(); });
    auto done = writer_->execute("VACUUM");
    if (done) done = writer_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    writing_ = false;
    return done;
  }

  Result<HostSummary> host_summary(std::string_view host) const override {
    return read([&](Database& db) -> Result<HostSummary> {
      HostSummary summary;
      // An address is a scheme, the host and a path: two ranges of the index over addresses. '0' comes behind '/'.
      for (const std::string_view scheme : {"http://", "https://"}) {
        MAGPIE_TRY(Query rows, db.query("SELECT cause, image IS NOT NULL, COUNT(*) FROM urls WHERE url >= ? AND url < ? AND "
                                        "(cause > 0 OR image IS NOT NULL) GROUP BY 1, 2",
                                        fmt::format("{}{}/", scheme, host), fmt::format("{}{}0", scheme, host)));
        MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
          const auto count = static_cast<std::uint64_t>(row.int64(2));
          if (row.int64(0) != 0) summary.failures_by_cause[static_cast<Cause>(row.int64(0))] += count;
          if (row.int64(1) != 0) summary.images += count;
          return {};
        }));
      }
      MAGPIE_TRY(Query pages, db.query("SELECT robots, COUNT(*) FROM pages WHERE shop = ? GROUP BY robots", host));
      MAGPIE_TRY_DO(each_row(pages, [&](const Query& row) -> Result<void> {
        const auto count = static_cast<std::uint64_t>(row.int64(1));
        const RobotsMeta robots = robots_from(row.int64(0));
        summary.pages += count;
        summary.noindex += robots.noindex ? count : 0;
        summary.nofollow += robots.nofollow ? count : 0;
        summary.noimageindex += robots.noimageindex ? count : 0;
        summary.noai += robots.noai ? count : 0;
        return {};
      }));
      return summary;
    });
  }

  Result<std::optional<std::string>> meta(std::string_view key) const override {
    return read([&](Database& db) -> Result<std::optional<std::string>> {
      MAGPIE_TRY(Query row, db.query("SELECT value FROM meta WHERE key = ?", key));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(row.string(0)) : std::nullopt;
    });
  }

  std::uint64_t url_seed() const override { return url_seed_; }
  std::string collection_id() const override { return collection_id_; }

 private:
  static Result<std::optional<PageDetails>> page_details(Database& db, PageId id) {
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

  static StoredRef ref_from(const Query& row) {
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

  Result<std::unique_ptr<Database>> take_reader() const {
    std::unique_ptr<Database> reader = readers_.with([](auto& idle) -> std::unique_ptr<Database> {
      if (idle.empty()) return nullptr;
      auto last = std::move(idle.back());
      idle.pop_back();
      return last;
    });
    if (reader) return reader;
    MAGPIE_TRY(Database opened, Database::open(file_, {.read_only = true}));
    MAGPIE_TRY_DO(check_catalog_version(opened));
    return std::make_unique<Database>(std::move(opened));
  }

  /// Runs `use(Database&)` on a connection of its own, all of it on one committed state.
  template <class Use>
  auto read(Use&& use) const -> decltype(use(std::declval<Database&>())) {
    MAGPIE_TRY(std::unique_ptr<Database> reader, take_reader());
    auto answer = [&]() -> decltype(use(*reader)) {
      MAGPIE_TRY(const Transaction state, Transaction::begin(*reader, Transaction::Kind::kRead));
      return use(*reader);
    }();
    readers_.with([&](auto& idle) {
      if (idle.size() < options_.readers_max) idle.push_back(std::move(reader));
    });
    return answer;
  }

  const fs::path file_;
  const CatalogOptions options_;
  std::optional<Database> writer_;
  std::atomic<bool> writing_{false};
  mutable Guarded<std::vector<std::unique_ptr<Database>>> readers_;
  std::uint64_t url_seed_ = 0;
  std::string collection_id_;
};

}  // namespace

Result<std::unique_ptr<Catalog>> open_catalog(const fs::path& file, const CatalogOptions& options) {
  auto catalog = std::make_unique<SqliteCatalog>(file, options);
  MAGPIE_TRY_DO(catalog->start());
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace magpie
