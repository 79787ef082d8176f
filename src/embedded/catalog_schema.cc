#include "embedded/catalog_schema.h"

#include "base/hash.h"

namespace magpie {
namespace {

// Step n brings version n to n + 1. A step that was released is never changed; a new one is added behind it.
constexpr const char* kSteps[] = {
    R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, seeds TEXT NOT NULL, settings TEXT NOT NULL, state INTEGER NOT NULL,
  detail TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER, finished_at INTEGER, counters TEXT NOT NULL);

-- Every address that was fetched or that a page shows as a picture, with its last exchange.
CREATE TABLE urls (
  id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, job INTEGER NOT NULL DEFAULT 0,
  fetched_at INTEGER, status INTEGER NOT NULL DEFAULT 0, cause INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '',
  content_type TEXT NOT NULL DEFAULT '', etag TEXT NOT NULL DEFAULT '', last_modified TEXT NOT NULL DEFAULT '',
  redirect TEXT NOT NULL DEFAULT '', took_ms INTEGER NOT NULL DEFAULT 0, body_bytes INTEGER NOT NULL DEFAULT 0,
  file INTEGER NOT NULL DEFAULT 0, offset INTEGER NOT NULL DEFAULT 0, length INTEGER NOT NULL DEFAULT 0,
  image INTEGER REFERENCES images(id),
  given_up INTEGER NOT NULL DEFAULT 0,
  named INTEGER NOT NULL DEFAULT 0);
CREATE INDEX urls_by_image ON urls(image) WHERE image IS NOT NULL;
CREATE INDEX urls_by_cause ON urls(cause, fetched_at) WHERE cause > 0;

-- id is that of its address in urls.
CREATE TABLE pages (
  id INTEGER PRIMARY KEY REFERENCES urls(id), canonical TEXT NOT NULL, title TEXT NOT NULL, description TEXT NOT NULL,
  language TEXT NOT NULL, charset TEXT NOT NULL, site_name TEXT NOT NULL, keywords TEXT NOT NULL, shop TEXT NOT NULL,
  robots INTEGER NOT NULL, fetched_at INTEGER NOT NULL, file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  signature INTEGER NOT NULL);
CREATE INDEX pages_by_shop ON pages(shop);

CREATE TABLE products (
  id INTEGER PRIMARY KEY AUTOINCREMENT, page INTEGER NOT NULL REFERENCES pages(id), ord INTEGER NOT NULL, name TEXT NOT NULL,
  brand TEXT NOT NULL, description TEXT NOT NULL, sku TEXT NOT NULL, gtin TEXT NOT NULL, category TEXT NOT NULL,
  price TEXT NOT NULL, price_micros INTEGER, currency TEXT NOT NULL, old_price TEXT NOT NULL, availability TEXT NOT NULL,
  images TEXT NOT NULL, url TEXT NOT NULL, UNIQUE (page, ord));

-- url is the candidate in use: number `candidate` of [first, alternatives...].
CREATE TABLE image_refs (
  page INTEGER NOT NULL REFERENCES pages(id), ord INTEGER NOT NULL, url INTEGER NOT NULL REFERENCES urls(id),
  candidate INTEGER NOT NULL, first TEXT NOT NULL, alternatives TEXT NOT NULL, origin INTEGER NOT NULL, alt TEXT NOT NULL,
  caption TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, of_product INTEGER NOT NULL, product INTEGER,
  PRIMARY KEY (page, ord)) WITHOUT ROWID;
CREATE INDEX image_refs_by_url ON image_refs(url, product);

CREATE TABLE images (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 BLOB NOT NULL UNIQUE, format TEXT NOT NULL, width INTEGER NOT NULL,
  height INTEGER NOT NULL, frames INTEGER NOT NULL, orientation INTEGER NOT NULL, bytes INTEGER NOT NULL, phash INTEGER NOT NULL,
  dhash INTEGER NOT NULL, pdq BLOB NOT NULL, pdq_quality INTEGER NOT NULL, brightness REAL NOT NULL, colours BLOB NOT NULL,
  file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  thumbnail_file INTEGER NOT NULL, thumbnail_offset INTEGER NOT NULL, thumbnail_length INTEGER NOT NULL,
  preview_file INTEGER NOT NULL, preview_offset INTEGER NOT NULL, preview_length INTEGER NOT NULL,
  fetched_at INTEGER NOT NULL, copy_group INTEGER NOT NULL, colour_grid BLOB NOT NULL);
CREATE INDEX images_by_copy_group ON images(copy_group);

-- float32, little-endian.
CREATE TABLE embeddings (id INTEGER PRIMARY KEY, space TEXT NOT NULL, image INTEGER NOT NULL REFERENCES images(id), vector BLOB NOT NULL,
  UNIQUE (space, image));

CREATE TABLE to_index (sequence INTEGER PRIMARY KEY AUTOINCREMENT, image INTEGER NOT NULL UNIQUE);
)sql",
    R"sql(
-- What products' pages said differently at a later visit.
CREATE TABLE product_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, product INTEGER NOT NULL, page INTEGER NOT NULL REFERENCES urls(id), name TEXT NOT NULL,
  at INTEGER NOT NULL, field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL);
CREATE INDEX product_changes_by_product ON product_changes(product);
)sql",
    R"sql(
-- What each run of a crawl did to each host, for the host's owner.
CREATE TABLE host_visits (
  host TEXT NOT NULL, run_started_at INTEGER NOT NULL, job INTEGER NOT NULL, next_allowed_at INTEGER NOT NULL, report TEXT NOT NULL,
  PRIMARY KEY (host, run_started_at, job)) WITHOUT ROWID;
)sql",
    R"sql(
-- When a page or sitemap is due again: due_at, 0 for never; interval_s behind visited_at. lastmod: what a sitemap says, 0 when nothing.
ALTER TABLE urls ADD COLUMN visited_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN interval_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN lastmod INTEGER NOT NULL DEFAULT 0;
ALTER TABLE urls ADD COLUMN depth INTEGER NOT NULL DEFAULT 1;
UPDATE urls SET visited_at = fetched_at, interval_s = 86400, due_at = fetched_at + 86400000
  WHERE fetched_at IS NOT NULL AND id IN (SELECT id FROM pages);
CREATE INDEX urls_by_due ON urls(job, due_at) WHERE due_at > 0;
-- How often the sitemaps of a host foretold rightly whether a page had changed, and how often not.
CREATE TABLE lastmod_proofs (host TEXT PRIMARY KEY, proved INTEGER NOT NULL, failed INTEGER NOT NULL) WITHOUT ROWID;
)sql",
    R"sql(
-- What collected sources say of pictures, and where they have it from.
CREATE TABLE labels (
  id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL REFERENCES urls(id), source TEXT NOT NULL, label TEXT NOT NULL,
  api TEXT NOT NULL, artist TEXT NOT NULL, artist_url TEXT NOT NULL, page_url TEXT NOT NULL, licence TEXT NOT NULL,
  job INTEGER NOT NULL, at INTEGER NOT NULL, UNIQUE (url, source, label));
CREATE INDEX labels_by_label ON labels(source, label);
-- Where the reading of each list of a collect job stands.
CREATE TABLE listings (job INTEGER NOT NULL, list TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (job, list)) WITHOUT ROWID;
)sql",
    R"sql(
-- Why each field of a product has its value: JSON, as catalog_rows.cc writes it.
ALTER TABLE products ADD COLUMN evidence TEXT NOT NULL DEFAULT '[]';
-- Where a host's pages show the fields of their products, and how many pages bore that out.
CREATE TABLE selectors (
  host TEXT NOT NULL, field TEXT NOT NULL, path TEXT NOT NULL, words TEXT NOT NULL, value TEXT NOT NULL,
  agreed INTEGER NOT NULL, disagreed INTEGER NOT NULL, PRIMARY KEY (host, field, path, words, value)) WITHOUT ROWID;
)sql",
    R"sql(
-- The versions a product is sold in: JSON, as catalog_rows.cc writes it.
ALTER TABLE products ADD COLUMN variants TEXT NOT NULL DEFAULT '[]';
-- Of a picture's words on a page, where it is another than the page's.
ALTER TABLE image_refs ADD COLUMN language TEXT NOT NULL DEFAULT '';
)sql",
    R"sql(
-- What was detected in pictures, the best score first; sides in shares of the upright picture. detector: who looked last, '' nobody.
ALTER TABLE images ADD COLUMN detector TEXT NOT NULL DEFAULT '';
CREATE TABLE regions (
  image INTEGER NOT NULL REFERENCES images(id) ON DELETE CASCADE, number INTEGER NOT NULL, label TEXT NOT NULL, score REAL NOT NULL,
  x_min REAL NOT NULL, y_min REAL NOT NULL, x_max REAL NOT NULL, y_max REAL NOT NULL, colours BLOB NOT NULL,
  PRIMARY KEY (image, number)) WITHOUT ROWID;
CREATE TABLE region_embeddings (
  id INTEGER PRIMARY KEY, image INTEGER NOT NULL REFERENCES images(id) ON DELETE CASCADE, number INTEGER NOT NULL, space TEXT NOT NULL,
  vector BLOB NOT NULL, UNIQUE (image, number, space));
)sql",
    R"sql(
-- Which pictures were found to be copies of which, what people said of pairs, and each time they did (core/copies.h).
CREATE TABLE copy_links (
  image INTEGER NOT NULL, other INTEGER NOT NULL, cause INTEGER NOT NULL, words TEXT NOT NULL, PRIMARY KEY (image, other)) WITHOUT ROWID;
INSERT INTO copy_links (image, other, cause, words) SELECT id, copy_group, 1, '' FROM images WHERE copy_group <> id;
CREATE TABLE copy_verdicts (
  image INTEGER NOT NULL, other INTEGER NOT NULL, verdict INTEGER NOT NULL, PRIMARY KEY (image, other)) WITHOUT ROWID;
CREATE TABLE copy_reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT, action INTEGER NOT NULL, images BLOB NOT NULL, before BLOB NOT NULL, at INTEGER NOT NULL,
  undone INTEGER NOT NULL);
)sql",
    R"sql(
-- What was forgotten and must not come back (core/refusals.h); kind names what the mark was made of.
CREATE TABLE refusals (mark INTEGER PRIMARY KEY, kind INTEGER NOT NULL);
)sql",
    R"sql(
-- How long an animation takes, shown once, and how many times it is shown (0: without end). Pictures that were there before have 0.
ALTER TABLE images ADD COLUMN duration_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE images ADD COLUMN plays INTEGER NOT NULL DEFAULT 0;
)sql",
    R"sql(
-- What pictures are compared by (copy_sketches), of those that were compared with the ones before them.
-- The tones of the two are of links found by looks, packed, null for pictures without colours.
ALTER TABLE copy_links ADD COLUMN tone INTEGER;
ALTER TABLE copy_links ADD COLUMN other_tone INTEGER;
CREATE TABLE copy_sketches (image INTEGER PRIMARY KEY REFERENCES images(id) ON DELETE CASCADE, sketch BLOB NOT NULL);
-- The same article in other shops.
CREATE INDEX products_by_gtin ON products(ltrim(replace(replace(gtin, '-', ''), ' ', ''), '0')) WHERE gtin <> '';
CREATE INDEX products_by_sku ON products(lower(replace(replace(replace(replace(replace(sku, '-', ''), ' ', ''), '/', ''), '.', ''), '_', ''))) WHERE sku <> '';
)sql",
    R"sql(
-- What look-alikes say of pictures (core/surroundings.h). A picture without surroundings is to be looked at, again perhaps.
CREATE TABLE surroundings (
  image INTEGER PRIMARY KEY REFERENCES images(id) ON DELETE CASCADE, space TEXT NOT NULL, rarity REAL NOT NULL,
  look_alikes INTEGER NOT NULL, own_words INTEGER NOT NULL);
CREATE TABLE inherited_words (
  image INTEGER NOT NULL REFERENCES images(id) ON DELETE CASCADE, word TEXT NOT NULL, weight REAL NOT NULL, source INTEGER NOT NULL,
  PRIMARY KEY (image, word)) WITHOUT ROWID;
CREATE INDEX inherited_words_by_source ON inherited_words(source);
)sql",
};
static_assert(std::size(kSteps) == kCatalogVersion);

Result<int> version_of(Database& database) {
  MAGPIE_TRY(Query row, database.query("PRAGMA user_version"));
  MAGPIE_TRY_DO(row.next());
  return static_cast<int>(row.int64(0));
}

Failure fail_newer(int version) {
  return fail(Code::kForbidden, "the catalog has version {} and this Magpie knows {}: use a newer Magpie", version, kCatalogVersion);
}

}  // namespace

Result<void> migrate_catalog(Database& database) {
  MAGPIE_TRY(const int seen, version_of(database));
  if (seen == kCatalogVersion) return {};
  MAGPIE_TRY(Transaction transaction, Transaction::begin(database, Transaction::Kind::kWrite));
  MAGPIE_TRY(const int version, version_of(database));  // another process may have been quicker
  if (version > kCatalogVersion) return fail_newer(version);
  for (int step = version; step < kCatalogVersion; ++step) MAGPIE_TRY_DO(database.execute(kSteps[step]));
  if (version == 0) {
    MAGPIE_TRY_DO(
        database.run("INSERT INTO meta VALUES ('collection_id', ?), ('url_seed', ?)", to_hex(random_u64()), to_hex(random_u64())));
  }
  MAGPIE_TRY_DO(database.execute(fmt::format("PRAGMA user_version = {}", kCatalogVersion)));
  return transaction.commit();
}

Result<void> check_catalog_version(Database& database) {
  MAGPIE_TRY(const int version, version_of(database));
  if (version > kCatalogVersion) return fail_newer(version);
  if (version < kCatalogVersion)
    return fail(Code::kForbidden, "the catalog has version {}: a command that writes brings it to {}", version, kCatalogVersion);
  return {};
}

}  // namespace magpie
