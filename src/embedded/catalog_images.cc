#include "embedded/catalog_images.h"

#include <algorithm>
#include <cstring>

#include "embedded/catalog_pages.h"
#include "embedded/catalog_rows.h"
#include "embedded/catalog_surroundings.h"
#include "embedded/index_document.h"

namespace magpie {
namespace {

struct Addresses {
  std::vector<std::int64_t> ids;
  std::vector<std::string> urls;
};

Result<Addresses> addresses_of(Database& db, ImageId image) {
  Addresses addresses;
  MAGPIE_TRY(Query rows, db.query("SELECT id, url FROM urls WHERE image = ? ORDER BY id LIMIT ?", image, kImageUrlsMax));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    addresses.ids.push_back(row.int64(0));
    addresses.urls.push_back(row.string(1));
    return {};
  }));
  return addresses;
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

#define MAGPIE_SELECT_SHOWINGS                                                                                                   \
  "SELECT r.page, pu.url, p.title, p.description, p.language, p.shop, p.keywords, p.robots, u.url, r.alt, r.caption, r.origin, " \
  "r.product, "                                                                                                                  \
  "r.language FROM image_refs r JOIN pages p ON p.id = r.page JOIN urls pu ON pu.id = r.page JOIN urls u ON u.id = r.url "

Result<void> add_showings(Database& db, Query rows, std::vector<Showing>& showings) {
  return each_row(rows, [&](const Query& row) -> Result<void> {
    Showing showing = showing_from(row);
    if (!row.is_null(12)) { MAGPIE_TRY(showing.product, read_product_alone(db, row.int64(12))); }
    showings.push_back(std::move(showing));
    return {};
  });
}

/// Places that show the picture on pages whose robots bits have none of `forbidden`; products' first.
Result<std::vector<Showing>> showings_of(Database& db, const Addresses& addresses, int forbidden) {
  std::vector<Showing> showings;
  for (const std::int64_t url : addresses.ids) {
    // The order is that of the index image_refs_by_url read backwards, so a logo on a million pages costs kShowingsMax rows.
    MAGPIE_TRY(Query rows, db.query(MAGPIE_SELECT_SHOWINGS "WHERE r.url = ? AND (p.robots & ?) = 0 "
                                                           "ORDER BY r.product DESC, r.page DESC, r.ord DESC LIMIT ?",
                                    url, forbidden, kShowingsMax));
    MAGPIE_TRY_DO(add_showings(db, std::move(rows), showings));
  }
  std::ranges::stable_sort(showings, {}, [](const Showing& showing) { return std::pair(!showing.product, showing.page); });
  return showings;
}

/// The first of showings_of() on any page: found in the index alone, then read.
Result<std::vector<Showing>> first_showing_of(Database& db, const Addresses& addresses) {
  struct Place {
    bool is_alone = true;  // of no product
    std::int64_t page = 0, ord = 0, url = 0;
  };
  std::optional<Place> first;
  for (const std::int64_t url : addresses.ids) {
    MAGPIE_TRY(Query rows,
               db.query("SELECT product, page, ord FROM image_refs WHERE url = ? ORDER BY product DESC, page DESC, ord DESC LIMIT ?", url,
                        kShowingsMax));
    MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
      const Place place{row.is_null(0), row.int64(1), row.int64(2), url};
      if (!first || std::pair(place.is_alone, place.page) < std::pair(first->is_alone, first->page)) first = place;
      return {};
    }));
  }
  std::vector<Showing> showings;
  if (!first) return showings;
  MAGPIE_TRY(Query rows, db.query(MAGPIE_SELECT_SHOWINGS "WHERE r.page = ? AND r.ord = ?", first->page, first->ord));
  MAGPIE_TRY_DO(add_showings(db, std::move(rows), showings));
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
                                  "FROM urls u JOIN labels l ON l.url = u.id WHERE u.image = ? "
                                  "ORDER BY l.label = '', l.source, l.label, u.id LIMIT ?",  // any number of pages may speak of a licence
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

}  // namespace

Result<std::optional<Image>> read_image(Database& db, ImageId id) {
  MAGPIE_TRY(Query row, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id = ?", id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(image_from(row)) : std::nullopt;
}

Result<std::optional<IndexDocument>> read_index_document(Database& db, ImageId id) {
  MAGPIE_TRY(const std::optional<Image> image, read_image(db, id));
  if (!image) return std::optional<IndexDocument>();
  MAGPIE_TRY(const Addresses addresses, addresses_of(db, id));
  MAGPIE_TRY(const std::vector<Showing> showings, showings_of(db, addresses, kRobotsForbidsImages));
  MAGPIE_TRY(const bool content, is_content(db, *image, addresses.urls, showings));
  if (!content) {
    MAGPIE_TRY(const bool named, is_named(db, id));
    if (!named) return std::optional<IndexDocument>();
  }
  MAGPIE_TRY(const std::vector<PictureLabel> labels, labels_of(db, id));
  IndexDocument document = make_index_document(*image, addresses.urls, showings, labels);
  MAGPIE_TRY(const std::vector<Region> regions, regions_of(db, id));
  for (const Region& region : regions) {
    if (std::ranges::find(document.classes, region.label) == document.classes.end()) document.classes.push_back(region.label);
  }
  MAGPIE_TRY(const std::vector<InheritedWord> inherited, read_inherited_words(db, id));
  for (const InheritedWord& word : inherited) document.inherited.push_back(word.word);
  return std::optional(std::move(document));
}

Result<std::optional<ImageDetails>> read_image_details(Database& db, ImageId id) {
  MAGPIE_TRY(std::optional<Image> image, read_image(db, id));
  if (!image) return std::optional<ImageDetails>();
  ImageDetails details;
  details.image = std::move(*image);
  MAGPIE_TRY(Addresses addresses, addresses_of(db, id));
  MAGPIE_TRY(details.showings, showings_of(db, addresses, 0));
  MAGPIE_TRY(details.labels, labels_of(db, id));
  MAGPIE_TRY(details.regions, regions_of(db, id));
  MAGPIE_TRY(details.indexable, is_named(db, id));
  if (!details.indexable) {
    MAGPIE_TRY(const std::vector<Showing> permitting, showings_of(db, addresses, kRobotsForbidsImages));
    MAGPIE_TRY(details.indexable, is_content(db, details.image, addresses.urls, permitting));
  }
  details.urls = std::move(addresses.urls);
  return std::optional(std::move(details));
}

Result<std::vector<ImageDetails>> read_images_in_brief(Database& db, std::span<const ImageId> ids) {
  std::vector<ImageDetails> all;
  all.reserve(ids.size());
  for (const ImageId id : ids) {
    MAGPIE_TRY(std::optional<Image> image, read_image(db, id));
    if (!image) continue;
    ImageDetails& details = all.emplace_back();
    details.image = std::move(*image);
    MAGPIE_TRY(Addresses addresses, addresses_of(db, id));
    MAGPIE_TRY(details.showings, first_showing_of(db, addresses));
    details.urls = std::move(addresses.urls);
  }
  return all;
}

Result<std::vector<EmbeddedRegion>> read_regions(Database& db, ImageId id, std::string_view space) {
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
}

Result<std::vector<std::string>> read_own_words(Database& db, ImageId id) {
  MAGPIE_TRY(const Addresses addresses, addresses_of(db, id));
  MAGPIE_TRY(const std::vector<Showing> showings, showings_of(db, addresses, kRobotsForbidsImages));
  MAGPIE_TRY(const std::vector<PictureLabel> labels, labels_of(db, id));
  return magpie::own_words(showings, labels);
}

Result<std::vector<ImageId>> read_images_shown_by(Database& db, PageId page) {
  MAGPIE_TRY(Query rows, db.query("SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? AND u.image IS NOT NULL "
                                  "GROUP BY u.image ORDER BY MIN(r.ord)",
                                  page));
  return image_ids(rows);
}

Result<std::optional<ImageId>> read_image_by_sha256(Database& db, const Sha256& sha256) {
  MAGPIE_TRY(Query row,
             db.query("SELECT id FROM images WHERE sha256 = ?", Blob{{reinterpret_cast<const char*>(sha256.data()), sha256.size()}}));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(static_cast<ImageId>(row.int64(0))) : std::nullopt;
}

Result<std::vector<std::string>> read_labelled_urls(Database& db, std::string_view source, std::string_view label, std::size_t limit) {
  std::vector<std::string> urls;
  MAGPIE_TRY(Query rows, db.query("SELECT u.url FROM labels l JOIN urls u ON u.id = l.url WHERE l.source = ? AND l.label = ? "
                                  "ORDER BY l.id DESC LIMIT ?",
                                  source, label, limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    urls.push_back(row.string(0));
    return {};
  }));
  return urls;
}

Result<std::vector<LabelCount>> read_label_counts(Database& db, std::string_view source) {
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
}

Result<std::optional<Embedding>> read_embedding(Database& db, ImageId id, std::string_view space) {
  MAGPIE_TRY(Query row, db.query("SELECT vector FROM embeddings WHERE space = ? AND image = ?", space, id));
  MAGPIE_TRY(const bool found, row.next());
  return found ? std::optional(embedding_from(row.blob(0))) : std::nullopt;
}

}  // namespace magpie
