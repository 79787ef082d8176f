#include "embedded/catalog.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>

#include "base/guarded.h"
#include "embedded/catalog_copies.h"
#include "embedded/catalog_crawls.h"
#include "embedded/catalog_forget.h"
#include "embedded/catalog_images.h"
#include "embedded/catalog_pages.h"
#include "embedded/catalog_rows.h"
#include "embedded/catalog_schema.h"
#include "embedded/catalog_surroundings.h"
#include "embedded/catalog_waiting.h"
#include "embedded/catalog_writer.h"

namespace magpie {
namespace {

constexpr std::int64_t kMappedMax = std::int64_t{1} << 40;  // all that SQLite takes: what searches read is all over the file

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
    return read([&](Database& db) { return read_index_document(db, id); });
  }

  Result<std::vector<ImageId>> images_shown_by(PageId page) const override {
    return read([&](Database& db) { return read_images_shown_by(db, page); });
  }

  Result<std::optional<ImageId>> image_by_sha256(const Sha256& sha256) const override {
    return read([&](Database& db) { return read_image_by_sha256(db, sha256); });
  }

  Result<std::optional<Image>> image(ImageId id) const override {
    return read([&](Database& db) { return read_image(db, id); });
  }

  Result<std::vector<ImageDetails>> images_in_brief(std::span<const ImageId> ids) const override {
    return read([&](Database& db) { return read_images_in_brief(db, ids); });
  }
  Result<std::optional<ImageDetails>> image_details(ImageId id) const override {
    return read([&](Database& db) { return read_image_details(db, id); });
  }

  Result<std::optional<Embedding>> embedding(ImageId id, std::string_view space) const override {
    return read([&](Database& db) { return read_embedding(db, id, space); });
  }

  Result<std::vector<EmbeddedRegion>> regions(ImageId id, std::string_view space) const override {
    return read([&](Database& db) { return read_regions(db, id, space); });
  }

  Result<std::vector<ImageId>> copies(ImageId group) const override {
    return read([&](Database& db) -> Result<std::vector<ImageId>> {
      MAGPIE_TRY(Query rows, db.query("SELECT id FROM images WHERE copy_group = ? ORDER BY id", group));
      return image_ids(rows);
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
    return read([&](Database& db) { return read_labelled_urls(db, source, label, limit); });
  }

  Result<std::vector<LabelCount>> label_counts(std::string_view source) const override {
    return read([&](Database& db) { return read_label_counts(db, source); });
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
    return read([&](Database& db) { return read_page(db, id); });
  }

  Result<std::optional<PageId>> page_by_url(std::string_view url) const override {
    return read([&](Database& db) { return read_page_by_url(db, url); });
  }

  Result<std::optional<StoredProduct>> product(ProductId id) const override {
    return read([&](Database& db) { return read_product(db, id); });
  }

  Result<std::vector<LikeProduct>> products_like(const StoredProduct& product, std::size_t limit) const override {
    return read([&](Database& db) { return read_products_like(db, product, limit); });
  }

  Result<std::vector<ProductChange>> price_changes(ProductId id, std::size_t limit) const override {
    return read([&](Database& db) { return read_price_changes(db, id, limit); });
  }

  Result<std::optional<UrlDetails>> why(std::string_view url) const override {
    return read([&](Database& db) { return read_why(db, url); });
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
    return read([&](Database& db) { return read_due(db, job, now, all, limit); });
  }

  Result<std::vector<ProductChange>> changes(std::uint64_t after, std::size_t limit) const override {
    return read([&](Database& db) { return read_changes(db, after, limit); });
  }

  Result<std::vector<Fetch>> failures(std::optional<Cause> cause, std::size_t limit) const override {
    return read([&](Database& db) { return read_failures(db, cause, limit); });
  }

  Result<std::vector<WaitingImage>> waiting_images(std::int64_t after, std::size_t limit) const override {
    return read([&](Database& db) { return read_waiting_images(db, after, limit); });
  }

  Result<std::vector<Image>> images_without(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) { return read_images_without(db, space, after, limit); });
  }

  Result<std::vector<Image>> images_undetected(std::string_view detector, std::string_view space, ImageId after,
                                               std::size_t limit) const override {
    return read([&](Database& db) { return read_images_undetected(db, detector, space, after, limit); });
  }

  Result<std::vector<Image>> images_uncompared(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) { return read_images_uncompared(db, space, after, limit); });
  }

  Result<std::optional<std::string>> copy_sketch(ImageId id) const override {
    return read([&](Database& db) -> Result<std::optional<std::string>> {
      MAGPIE_TRY(Query row, db.query("SELECT sketch FROM copy_sketches WHERE image = ?", id));
      MAGPIE_TRY(const bool found, row.next());
      return found ? std::optional(std::string(row.blob(0))) : std::nullopt;
    });
  }

  Result<std::vector<ImageId>> images_to_surround(std::string_view space, ImageId after, std::size_t limit) const override {
    return read([&](Database& db) { return read_images_to_surround(db, space, after, limit); });
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
    return read([&](Database& db) { return read_own_words(db, id); });
  }

  Result<LastImages> last_images() const override {
    return read([&](Database& db) -> Result<LastImages> {
      MAGPIE_TRY(Query row, db.query("SELECT (SELECT ifnull(max(id), 0) FROM images), (SELECT ifnull(max(image), 0) FROM copy_sketches)"));
      MAGPIE_TRY_DO(row.next());
      return LastImages{static_cast<ImageId>(row.int64(0)), static_cast<ImageId>(row.int64(1))};
    });
  }

  Result<CatalogStats> stats() const override {
    return read([&](Database& db) { return read_stats(db); });
  }

  Result<std::vector<Job>> jobs() const override {
    return read([&](Database& db) { return read_jobs(db); });
  }

  Result<std::optional<Job>> job(JobId id) const override {
    return read([&](Database& db) { return read_job(db, id); });
  }

  Result<std::vector<HostVisit>> host_visits(std::string_view host) const override {
    return read([&](Database& db) { return read_host_visits(db, host); });
  }

  Result<std::map<std::string, Timestamp>> resting_hosts(Timestamp now) const override {
    return read([&](Database& db) { return read_resting_hosts(db, now); });
  }

  Result<std::vector<LearntSelector>> selectors(std::string_view host) const override {
    return read([&](Database& db) { return read_selectors(db, host); });
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
    return read([&](Database& db) { return read_host_summary(db, host); });
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
  Result<std::unique_ptr<Database>> take_reader() const {
    std::unique_ptr<Database> reader = readers_.with([](auto& idle) -> std::unique_ptr<Database> {
      if (idle.empty()) return nullptr;
      auto last = std::move(idle.back());
      idle.pop_back();
      return last;
    });
    if (reader) return reader;
    MAGPIE_TRY(Database opened, Database::open(file_, {.read_only = true, .mapped_max = kMappedMax}));
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
