#include "embedded/catalog_writer.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/hash.h"
#include "base/wire.h"
#include "core/frontier.h"
#include "core/price.h"
#include "embedded/catalog_copies.h"
#include "embedded/catalog_forget.h"
#include "embedded/catalog_images.h"
#include "embedded/catalog_rows.h"
#include "embedded/catalog_surroundings.h"
#include "net/url.h"

namespace magpie {
namespace {

constexpr int kRedirectsMax = 5;

/// What decides whether a page says the same as at its last visit. Fetch times and links stay out.
std::int64_t page_signature(const Page& page) {
  WireWriter out;
  for (const std::string* text : {&page.canonical, &page.title, &page.description, &page.language, &page.charset, &page.site_name})
    out.bytes(*text);
  out.strings(page.keywords);
  out.u64(static_cast<std::uint64_t>(robots_bits(page.robots)));
  for (const ImageRef& ref : page.images) {
    out.bytes(ref.url);
    out.strings(ref.alternatives);
    out.bytes(ref.alt);
    out.bytes(ref.caption);
    if (!ref.language.empty()) out.bytes(ref.language);
    for (const std::uint64_t number :
         {std::uint64_t(ref.origin), std::uint64_t(ref.width), std::uint64_t(ref.height), std::uint64_t(ref.of_product)})
      out.u64(number);
    if (!ref.licence.terms.empty()) {
      for (const std::string* text : {&ref.licence.terms, &ref.licence.credit, &ref.licence.page}) out.bytes(*text);
    }
  }
  for (const Product& product : page.products) {
    for (const std::string* text :
         {&product.name, &product.brand, &product.description, &product.sku, &product.gtin, &product.category, &product.url,
          &product.offer.price, &product.offer.currency, &product.offer.old_price, &product.offer.availability}) {
      out.bytes(*text);
    }
    out.strings(product.images);
    if (!product.variants.empty()) out.bytes(to_json(product.variants));
  }
  return static_cast<std::int64_t>(signature64(out.text(), 0));
}

constexpr std::chrono::seconds kSitemapEvery{3'600};

std::string shop_of(const std::string& url) {
  const auto parsed = Url::parse(url);
  return parsed ? std::string(parsed->host()) : std::string();
}

/// Whether a failure says that what the address gave before is gone, and not only that it could not be asked.
bool says_gone(Cause cause) {
  return cause == Cause::kNotFound || cause == Cause::kContentType || cause == Cause::kDecode || cause == Cause::kOptedOut;
}

void add_once(std::vector<std::string>& list, const std::string& value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

struct UrlRow {
  std::int64_t id = 0;
  std::string url;
  ImageId image = kNoId;
  bool given_up = false;
  bool wanted() const { return image == kNoId && !given_up; }
  bool dead() const { return image == kNoId && given_up; }
};

struct NotedFetch {
  std::int64_t id = 0;
  ImageId image = kNoId;  // it gave until now
};

class SqliteTransaction final : public CatalogTransaction {
 public:
  SqliteTransaction(Database& database, Transaction transaction, std::function<void()> ended)
      : db_(database), transaction_(std::in_place, std::move(transaction)), ended_(std::move(ended)) {}
  ~SqliteTransaction() override {
    transaction_.reset();
    ended_();
  }

  Result<NextCandidates> record_fetch(const Fetch& fetch, JobId job) override {
    if (fetch.status == 304) return note_unchanged(fetch, job);
    MAGPIE_TRY(const NotedFetch noted, note_fetch(fetch, job));
    if (fetch.kind == UrlKind::kSitemap && fetch.redirect.empty()) {
      MAGPIE_TRY_DO(db_.run("UPDATE urls SET interval_s = ?, due_at = fetched_at + ? WHERE id = ?", kSitemapEvery.count(),
                            kSitemapEvery.count() * 1'000, noted.id));
    }
    if (fetch.kind != UrlKind::kImage || fetch.redirect.empty()) return NextCandidates();
    return follow_redirect(noted, fetch.redirect);
  }

  Result<RecordedPage> record_page(const Fetch& fetch, const Page& page, JobId job) override {
    MAGPIE_TRY(NotedFetch noted, note_fetch(fetch, job));
    if (page.url != fetch.url) {  // the fetch followed redirects by itself: both addresses were asked
      Fetch landed = fetch;
      landed.url = page.url;
      MAGPIE_TRY(noted, note_fetch(landed, job));
    }
    RecordedPage recorded;
    recorded.id = static_cast<PageId>(noted.id);
    const std::int64_t signature = page_signature(page);
    MAGPIE_TRY(const std::optional<std::int64_t> before, signature_of(noted.id));
    if (before == signature) {
      recorded.changed = false;
      MAGPIE_TRY_DO(db_.run("UPDATE pages SET fetched_at = ?, file = ?, offset = ?, length = ? WHERE id = ?", to_millis(fetch.fetched_at),
                            fetch.place.file, fetch.place.offset, fetch.place.length, noted.id));
      MAGPIE_TRY(recorded.images_wanted, wanted_on(noted.id));
      return recorded;
    }
    if (before) MAGPIE_TRY_DO(clear_refs(noted.id));
    MAGPIE_TRY(const auto read_at, first_int64("SELECT fetched_at FROM pages WHERE id = ?", noted.id));
    MAGPIE_TRY_DO(write_page(noted.id, fetch, page, signature));
    std::vector<StoredProduct> known;
    if (before) { MAGPIE_TRY(known, products_of(noted.id)); }
    recorded.products_new = news_among(known, page.products);
    MAGPIE_TRY(const auto products, write_products(noted.id, page));
    // The same bytes read in another way are a better reading, and nothing that the shop has changed.
    if (read_at != to_millis(fetch.fetched_at)) MAGPIE_TRY_DO(note_changes(known, page, noted.id, fetch.fetched_at));
    MAGPIE_TRY_DO(write_refs(noted.id, page, products, recorded.images_wanted));
    MAGPIE_TRY_DO(write_licences(noted.id, page, job, fetch.fetched_at));
    return recorded;
  }

  Result<RecordedImage> record_image(const Fetch& fetch, const Image& image, std::span<const ImageEmbedding> embeddings,
                                     JobId job) override {
    MAGPIE_TRY(const NotedFetch noted, note_fetch(fetch, job));
    RecordedImage recorded;
    MAGPIE_TRY(const std::optional<std::int64_t> known, first_int64("SELECT id FROM images WHERE sha256 = ?", Blob{as_text(image.sha256)}));
    recorded.is_new = !known;
    if (known) {
      recorded.id = static_cast<ImageId>(*known);
    } else {
      MAGPIE_TRY(recorded.id, add_image(image));
    }
    for (const ImageEmbedding& embedding : embeddings) MAGPIE_TRY_DO(set_embedding(recorded.id, embedding));
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET image = ? WHERE id = ?", recorded.id, noted.id));
    MAGPIE_TRY_DO(mark(recorded.id));
    if (noted.image != kNoId && noted.image != recorded.id) MAGPIE_TRY_DO(mark(noted.image));
    return recorded;
  }

  Result<NextCandidates> record_failure(const Fetch& fetch, JobId job) override {
    MAGPIE_TRY(const NotedFetch noted, note_fetch(fetch, job));
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET given_up = 1 WHERE id = ?", noted.id));
    if (fetch.kind == UrlKind::kPage && fetch.cause == Cause::kNotFound) MAGPIE_TRY_DO(forget_page(noted.id, fetch.fetched_at));
    if (noted.image != kNoId) {
      if (!says_gone(fetch.cause)) return NextCandidates();
      MAGPIE_TRY_DO(take_image_from(noted));
    }
    return fall_back(noted.id);
  }

  Result<void> name_image(std::string_view url) override {
    MAGPIE_TRY(const UrlRow row, intern(url));
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET named = 1 WHERE id = ?", row.id));
    return row.image == kNoId ? Result<void>() : mark(row.image);
  }

  Result<bool> add_label(const PictureLabel& label) override {
    MAGPIE_TRY_DO(name_image(label.url));
    MAGPIE_TRY(const UrlRow row, intern(label.url));
    MAGPIE_TRY(const auto known,
               first_int64("SELECT 1 FROM labels WHERE url = ? AND source = ? AND label = ?", row.id, label.source, label.label));
    MAGPIE_TRY_DO(
        db_.run("INSERT INTO labels (url, source, label, api, artist, artist_url, page_url, licence, job, at) VALUES (?, ?, ?, ?, ?, ?, ?, "
                "?, ?, ?) ON CONFLICT (url, source, label) DO UPDATE SET api = excluded.api, artist = excluded.artist, artist_url = "
                "excluded.artist_url, page_url = excluded.page_url, licence = excluded.licence, job = excluded.job, at = excluded.at",
                row.id, label.source, label.label, label.api, label.artist, label.artist_url, label.page_url, label.licence, label.job,
                to_millis(label.at)));
    return !known;
  }

  Result<void> set_listing(JobId job, std::string_view list, std::string_view state) override {
    if (state.empty()) MAGPIE_TRY_DO(db_.run("DELETE FROM listings WHERE job = ? AND list = ?", job, list));
    else MAGPIE_TRY_DO(db_.run("INSERT OR REPLACE INTO listings (job, list, state) VALUES (?, ?, ?)", job, list, state));
    return {};
  }

  Result<void> set_copy_group(ImageId image, ImageId group) override {
    MAGPIE_TRY(const std::optional<std::int64_t> before, first_int64("SELECT copy_group FROM images WHERE id = ?", image));
    if (!before) return fail(Code::kNotFound, "there is no picture {}", image);
    if (*before == group) return {};
    MAGPIE_TRY_DO(db_.run("UPDATE images SET copy_group = ? WHERE id = ?", group, image));
    return mark(image);
  }

  Result<void> put_copy_link(const CopyLink& link) override { return magpie::put_copy_link(db_, link); }
  Result<void> set_copy_verdict(const CopyPair& pair) override { return magpie::set_copy_verdict(db_, pair); }
  Result<std::uint64_t> add_copy_review(const CopyReview& review) override { return magpie::add_copy_review(db_, review); }
  Result<void> undo_copy_review(std::uint64_t id) override { return magpie::undo_copy_review(db_, id); }

  Result<void> set_embedding(ImageId image, const ImageEmbedding& embedding) override {
    const std::string_view bytes(reinterpret_cast<const char*>(embedding.vector.data()), embedding.vector.size_bytes());
    MAGPIE_TRY_DO(db_.run(
        "INSERT INTO embeddings (space, image, vector) VALUES (?, ?, ?) ON CONFLICT (space, image) DO UPDATE SET vector = excluded.vector",
        embedding.space, image, Blob{bytes}));
    return embedding.reindex ? mark(image) : Result<void>();
  }

  Result<void> set_regions(ImageId image, const ImageRegions& found) override {
    if (found.regions.size() > kRegionsMax)
      return fail(Code::kTooLarge, "{} regions; a picture has at most {}", found.regions.size(), kRegionsMax);
    MAGPIE_TRY(const std::int64_t same,
               db_.run("UPDATE images SET detector = detector WHERE id = ?1 AND ?2 IN (detector, '')", image, found.detector));
    if (same == 0) {
      MAGPIE_TRY(const std::int64_t known, db_.run("UPDATE images SET detector = ?2 WHERE id = ?1", image, found.detector));
      if (known == 0) return fail(Code::kNotFound, "there is no picture {}", image);
      MAGPIE_TRY_DO(db_.run("DELETE FROM region_embeddings WHERE image = ?", image));
    }
    MAGPIE_TRY_DO(
        db_.run("DELETE FROM region_embeddings WHERE image = ? AND (space = ? OR number > ?)", image, found.space, found.regions.size()));
    MAGPIE_TRY_DO(db_.run("DELETE FROM regions WHERE image = ?", image));
    int number = 0;
    for (const auto& [region, embedding] : found.regions) {
      MAGPIE_TRY_DO(
          db_.run("INSERT INTO regions (image, number, label, score, x_min, y_min, x_max, y_max, colours) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  image, ++number, region.label, static_cast<double>(region.score), static_cast<double>(region.left),
                  static_cast<double>(region.top), static_cast<double>(region.right), static_cast<double>(region.bottom),
                  Blob{encode_colours(region.colours)}));
      if (embedding.empty()) continue;
      const std::string_view bytes(reinterpret_cast<const char*>(embedding.data()), embedding.size() * sizeof(float));
      MAGPIE_TRY_DO(db_.run("INSERT INTO region_embeddings (image, number, space, vector) VALUES (?, ?, ?, ?)", image, number, found.space,
                            Blob{bytes}));
    }
    return found.reindex ? mark(image) : Result<void>();
  }

  Result<void> set_copy_sketch(ImageId image, std::string_view sketch) override {
    MAGPIE_TRY(
        const std::int64_t rows,
        db_.run("INSERT OR REPLACE INTO copy_sketches (image, sketch) SELECT id, ?2 FROM images WHERE id = ?1", image, Blob{sketch}));
    if (rows == 0) return fail(Code::kNotFound, "there is no picture {}", image);
    return {};
  }

  Result<void> set_surroundings(const Onlooker& from, const Surroundings& found) override {
    MAGPIE_TRY(const auto group, first_int64("SELECT copy_group FROM images WHERE id = ?", from.image));
    if (!group) return fail(Code::kNotFound, "there is no picture {}", from.image);
    MAGPIE_TRY(const std::vector<std::string> own_words, read_own_words(db_, from.image));
    if (*group != from.copy_group || own_words != from.own_words) return mark(from.image);
    MAGPIE_TRY(const bool changed, put_surroundings(db_, from.image, found));
    if (changed) MAGPIE_TRY_DO(db_.run("INSERT OR REPLACE INTO to_index (image) VALUES (?)", from.image));
    return {};
  }

  Result<void> disinherit(std::span<const ImageId> sources) override {
    const std::vector<std::int64_t> ids(sources.begin(), sources.end());
    return sources.empty() ? Result<void>() : remove_surroundings(db_, fmt::format("[{}]", fmt::join(ids, ",")));
  }

  Result<void> set_variants(ImageId image, const VariantPlace& thumbnail, const VariantPlace& preview) override {
    MAGPIE_TRY(const std::int64_t changed,
               db_.run("UPDATE images SET thumbnail_file = ?, thumbnail_offset = ?, thumbnail_length = ?, preview_file = ?, preview_offset "
                       "= ?, preview_length = ? WHERE id = ?",
                       thumbnail.file, thumbnail.offset, thumbnail.length, preview.file, preview.offset, preview.length, image));
    if (changed == 0) return fail(Code::kNotFound, "there is no picture {}", image);
    return {};
  }

  Result<void> mark_dirty(std::span<const ImageId> images) override {
    for (const ImageId image : images) MAGPIE_TRY_DO(mark(image));
    return {};
  }

  Result<void> clear_dirty(std::span<const DirtyImage> taken) override {
    for (const DirtyImage& dirty : taken)
      MAGPIE_TRY_DO(db_.run("DELETE FROM to_index WHERE sequence = ? AND image = ?", dirty.sequence, dirty.id));
    return {};
  }

  Result<JobId> add_job(const Job& job) override {
    MAGPIE_TRY_DO(
        db_.run("INSERT INTO jobs (name, seeds, settings, state, detail, created_at, started_at, finished_at, counters) VALUES (?, ?, ?, "
                "?, ?, ?, ?, ?, ?)",
                job.name, to_json_list(job.seeds), job.settings_json, static_cast<int>(job.state), job.detail, to_millis(job.created_at),
                millis_or_null(job.started_at), millis_or_null(job.finished_at), job.counters_json));
    return static_cast<JobId>(db_.last_id());
  }

  Result<void> update_job(const Job& job) override {
    MAGPIE_TRY(const std::int64_t changed,
               db_.run("UPDATE jobs SET settings = ?, state = ?, detail = ?, started_at = ?, finished_at = ?, counters = ? WHERE id = ?",
                       job.settings_json, static_cast<int>(job.state), job.detail, millis_or_null(job.started_at),
                       millis_or_null(job.finished_at), job.counters_json, job.id));
    if (changed == 0) return fail(Code::kNotFound, "there is no job {}", job.id);
    return {};
  }

  Result<void> schedule_visit(PageId page, bool changed, std::uint16_t depth, const RevisitPace& pace) override {
    MAGPIE_TRY(Query row, db_.query("SELECT url, fetched_at, visited_at, interval_s, lastmod FROM urls WHERE id = ?", page));
    MAGPIE_TRY(const bool found, row.next());
    if (!found) return fail(Code::kNotFound, "there is no page {}", page);
    const std::string host(host_of_url(row.text(0)));
    const std::int64_t fetched_at = row.int64(1), visited_at = row.int64(2), before = row.int64(3), lastmod = row.int64(4);
    const bool listed = lastmod > 0 && lastmod <= fetched_at;
    if (visited_at > 0 && listed) {
      const bool foretold = (lastmod > visited_at) == changed;
      MAGPIE_TRY_DO(
          db_.run("INSERT INTO lastmod_proofs VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET proved = proved + excluded.proved, "
                  "failed = failed + excluded.failed",
                  host, foretold ? 1 : 0, foretold ? 0 : 1));
    }
    std::int64_t interval = pace.first.count();
    if (before > 0 && changed) interval = before / 2;
    else if (before > 0) interval = fetched_at - visited_at >= before * 1'000 ? before + before / 2 : before;
    const std::int64_t most = std::max(pace.least, pace.most).count();
    interval = std::clamp<std::int64_t>(interval, pace.least.count(), most);
    bool trusted = false;
    if (listed) { MAGPIE_TRY(trusted, is_trusted(host)); }
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET visited_at = ?, interval_s = ?, due_at = ?, depth = ? WHERE id = ?", fetched_at, interval,
                          fetched_at + (trusted ? most : interval) * 1'000, depth, page));
    return {};
  }

  Result<bool> note_lastmod(std::string_view url, Timestamp lastmod, Timestamp now, const RevisitPace& pace) override {
    if (lastmod > now) return false;
    MAGPIE_TRY(Query row, db_.query("SELECT id, visited_at FROM urls WHERE url = ? AND visited_at > 0", url));
    MAGPIE_TRY(const bool found, row.next());
    if (!found) return false;
    const std::int64_t id = row.int64(0), visited_at = row.int64(1), time = to_millis(lastmod);
    MAGPIE_TRY_DO(row.next());
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET lastmod = ? WHERE id = ?", time, id));
    MAGPIE_TRY(const bool trusted, is_trusted(host_of_url(url)));
    if (!trusted) return false;
    const auto millis = [](std::chrono::seconds seconds) { return seconds.count() * 1'000; };
    const bool news = time > visited_at;
    const std::int64_t due_at = visited_at + millis(news ? pace.least : std::max(pace.least, pace.most));
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET due_at = ? WHERE id = ? AND due_at > 0", due_at, id));
    return news && due_at <= to_millis(now);
  }

  Result<void> set_selectors(std::string_view host, std::span<const LearntSelector> selectors) override {
    MAGPIE_TRY_DO(db_.run("DELETE FROM selectors WHERE host = ?", host));
    for (const LearntSelector& one : selectors) {
      const FieldSelector& selector = one.selector;
      MAGPIE_TRY_DO(db_.run("INSERT INTO selectors VALUES (?, ?, ?, ?, ?, ?, ?)", host, selector.field, selector.path, selector.words,
                            selector.value, one.agreed, one.disagreed));
    }
    return {};
  }

  Result<void> put_host_visit(const HostVisit& visit) override {
    MAGPIE_TRY_DO(db_.run("INSERT OR REPLACE INTO host_visits (host, run_started_at, job, next_allowed_at, report) VALUES (?, ?, ?, ?, ?)",
                          visit.host, to_millis(visit.run_started_at), visit.job, to_millis(visit.next_allowed_at), visit.report_json));
    return {};
  }

  Result<ForgetCounts> forget(const ForgetPlan& plan) override {
    MAGPIE_TRY_DO(db_.execute("PRAGMA secure_delete = ON"));
    MAGPIE_TRY(const std::uint64_t seed, url_seed());
    for (const auto& [kind, mark] : marks_of(plan, seed))
      MAGPIE_TRY_DO(db_.run("INSERT OR IGNORE INTO refusals VALUES (?, ?)", static_cast<std::int64_t>(mark), static_cast<int>(kind)));
    return forget_in(db_, plan);
  }

  Result<std::uint64_t> allow(const ForgetPlan& plan) override {
    MAGPIE_TRY(const std::uint64_t seed, url_seed());
    std::uint64_t allowed = 0;
    for (const auto& [kind, mark] : marks_of(plan, seed)) {
      MAGPIE_TRY(const std::int64_t gone, db_.run("DELETE FROM refusals WHERE mark = ?", static_cast<std::int64_t>(mark)));
      allowed += static_cast<std::uint64_t>(gone);
    }
    return allowed;
  }

  Result<void> move_places(Store store, const std::vector<MovedPlace>& places) override {
    if (places.empty()) return {};
    const std::uint32_t from = places.front().from.file;
    std::map<std::uint64_t, ArchivePlace> moved;
    for (const MovedPlace& place : places) moved.emplace(place.from.offset, place.to);
    const auto move = [&](std::string_view rows, std::string_view update) { return move_rows(rows, update, moved, from); };
    if (store == Store::kArchive) {
      MAGPIE_TRY_DO(move("SELECT id, offset FROM urls WHERE file = ?", "UPDATE urls SET file = ?, offset = ?, length = ? WHERE id = ?"));
      MAGPIE_TRY_DO(move("SELECT id, offset FROM pages WHERE file = ?", "UPDATE pages SET file = ?, offset = ?, length = ? WHERE id = ?"));
      return move("SELECT id, offset FROM images WHERE file = ?", "UPDATE images SET file = ?, offset = ?, length = ? WHERE id = ?");
    }
    MAGPIE_TRY_DO(move("SELECT id, thumbnail_offset FROM images WHERE thumbnail_file = ?",
                       "UPDATE images SET thumbnail_file = ?, thumbnail_offset = ?, thumbnail_length = ? WHERE id = ?"));
    return move("SELECT id, preview_offset FROM images WHERE preview_file = ?",
                "UPDATE images SET preview_file = ?, preview_offset = ?, preview_length = ? WHERE id = ?");
  }

  Result<void> set_meta(std::string_view key, std::string_view value) override {
    MAGPIE_TRY_DO(db_.run("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value));
    return {};
  }

  Result<void> commit() override { return transaction_->commit(); }

 private:
  static std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::optional<std::int64_t> millis_or_null(const std::optional<Timestamp>& time) {
    return time ? std::optional(to_millis(*time)) : std::nullopt;
  }

  template <class... Args>
  Result<std::optional<std::int64_t>> first_int64(std::string_view sql, const Args&... args) {
    MAGPIE_TRY(Query row, db_.query(sql, args...));
    MAGPIE_TRY(const bool found, row.next());
    return found ? std::optional(row.int64(0)) : std::nullopt;
  }

  Result<void> mark(ImageId image) {
    MAGPIE_TRY_DO(db_.run("INSERT OR REPLACE INTO to_index (image) VALUES (?)", image));
    return outdate_surroundings(db_, image);
  }

  // ---- addresses

  /// Whether the host's sitemaps have proved right (CatalogTransaction::schedule_visit).
  Result<bool> is_trusted(std::string_view host) {
    MAGPIE_TRY(const auto trusted,
               first_int64("SELECT 1 FROM lastmod_proofs WHERE host = ? AND proved >= ? AND failed * 20 <= proved", host, kLastmodProofs));
    return trusted.has_value();
  }

  Result<NotedFetch> note_fetch(const Fetch& fetch, JobId job) {
    MAGPIE_TRY(
        Query row,
        db_.query("INSERT INTO urls (url, kind, job, fetched_at, status, cause, detail, content_type, etag, last_modified, "
                  "redirect, took_ms, body_bytes, file, offset, length) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (url) DO UPDATE SET kind = excluded.kind, "
                  "job = excluded.job, fetched_at = excluded.fetched_at, "
                  "status = excluded.status, cause = excluded.cause, detail = excluded.detail, content_type = "
                  "excluded.content_type, etag = excluded.etag, "
                  "last_modified = excluded.last_modified, redirect = excluded.redirect, took_ms = excluded.took_ms, body_bytes = "
                  "excluded.body_bytes, file = excluded.file, "
                  "offset = excluded.offset, length = excluded.length, given_up = 0, "
                  "due_at = CASE WHEN due_at > 0 AND excluded.cause <> ? THEN excluded.fetched_at + interval_s * 1000 ELSE 0 END "
                  "RETURNING id, image",
                  fetch.url, static_cast<int>(fetch.kind), job, to_millis(fetch.fetched_at), fetch.status, static_cast<int>(fetch.cause),
                  fetch.detail, fetch.content_type, fetch.etag, fetch.last_modified, fetch.redirect, fetch.took.count(), fetch.body_bytes,
                  fetch.place.file, fetch.place.offset, fetch.place.length, static_cast<int>(Cause::kNotFound)));
    MAGPIE_TRY_DO(row.next());
    const NotedFetch noted{row.int64(0), static_cast<ImageId>(row.int64(1))};
    MAGPIE_TRY_DO(row.next());  // the row is written when the statement has ended
    return noted;
  }

  Result<NextCandidates> note_unchanged(const Fetch& fetch, JobId job) {
    MAGPIE_TRY(
        const std::int64_t changed,
        db_.run("UPDATE urls SET status = 304, cause = 0, detail = '', given_up = 0, fetched_at = ?, took_ms = ?, job = ? WHERE url = ?",
                to_millis(fetch.fetched_at), fetch.took.count(), job, fetch.url));
    if (changed == 0) MAGPIE_TRY_DO(note_fetch(fetch, job));
    return NextCandidates();
  }

  /// The row of an address as a picture, made if it is not there.
  Result<UrlRow> intern(std::string_view url) {
    UrlRow row;
    row.url = url;
    MAGPIE_TRY(Query known, db_.query("SELECT id, image, given_up, redirect FROM urls WHERE url = ?", url));
    MAGPIE_TRY(const bool found, known.next());
    if (found) {
      row.id = known.int64(0);
      row.image = static_cast<ImageId>(known.int64(1));
      row.given_up = known.int64(2) != 0;
      redirect_ = known.text(3);
      return row;
    }
    redirect_.clear();
    MAGPIE_TRY_DO(db_.run("INSERT INTO urls (url, kind) VALUES (?, ?)", url, static_cast<int>(UrlKind::kImage)));
    row.id = db_.last_id();
    return row;
  }

  /// The row at the end of an address's known redirects.
  Result<UrlRow> resolve(std::string_view url) {
    MAGPIE_TRY(UrlRow row, intern(url));
    for (int hops = 0; hops < kRedirectsMax && row.image == kNoId && !redirect_.empty(); ++hops) {
      const std::string target = redirect_;
      MAGPIE_TRY(row, intern(target));
    }
    return row;
  }

  // ---- what is written anew under another number

  Result<std::uint64_t> url_seed() {
    MAGPIE_TRY(Query row, db_.query("SELECT value FROM meta WHERE key = 'url_seed'"));
    MAGPIE_TRY([[maybe_unused]] const bool found, row.next());
    std::uint64_t seed = 0;
    const std::string text = row.string(0);
    std::from_chars(text.data(), text.data() + text.size(), seed, 16);
    return seed;
  }

  /// Rows whose place begins where a moved one began. `rows` gives id and offset of those that lie in a file.
  Result<void> move_rows(std::string_view rows, std::string_view update, const std::map<std::uint64_t, ArchivePlace>& moved,
                         std::uint32_t from) {
    std::vector<std::pair<std::int64_t, ArchivePlace>> found;
    {
      MAGPIE_TRY(Query row, db_.query(rows, from));
      while (true) {
        MAGPIE_TRY(const bool more, row.next());
        if (!more) break;
        const auto place = moved.find(static_cast<std::uint64_t>(row.int64(1)));
        if (place != moved.end()) found.emplace_back(row.int64(0), place->second);
      }
    }
    for (const auto& [id, to] : found) MAGPIE_TRY_DO(db_.run(update, to.file, to.offset, to.length, id));
    return {};
  }

  Result<void> take_image_from(const NotedFetch& noted) {
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET image = NULL WHERE id = ?", noted.id));
    return mark(noted.image);
  }

  Result<NextCandidates> follow_redirect(const NotedFetch& noted, const std::string& target) {
    if (noted.image != kNoId) MAGPIE_TRY_DO(take_image_from(noted));
    MAGPIE_TRY(const UrlRow row, resolve(target));
    if (row.id == noted.id) return NextCandidates();  // a loop; whoever follows it will give up
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET named = 1 WHERE id = ? AND (SELECT named FROM urls WHERE id = ?) = 1", row.id, noted.id));
    MAGPIE_TRY_DO(
        db_.run("INSERT OR IGNORE INTO labels (url, source, label, api, artist, artist_url, page_url, licence, job, at) SELECT ?, source, "
                "label, api, artist, artist_url, page_url, licence, job, at FROM labels WHERE url = ? ORDER BY id",
                row.id, noted.id));
    MAGPIE_TRY_DO(db_.run("UPDATE image_refs SET url = ? WHERE url = ?", row.id, noted.id));
    if (row.image != kNoId) MAGPIE_TRY_DO(mark(row.image));
    if (row.dead()) return fall_back(row.id);
    return row.wanted() ? NextCandidates{row.url} : NextCandidates();
  }

  /// Every reference that uses the address goes on to its next candidate that has not failed; it stays where it is when there is none.
  Result<NextCandidates> fall_back(std::int64_t url) {
    struct Ref {
      std::int64_t page, ord, candidate;
      std::vector<std::string> alternatives;
    };
    std::vector<Ref> refs;
    {
      MAGPIE_TRY(Query row,
                 db_.query("SELECT page, ord, candidate, alternatives FROM image_refs WHERE url = ? AND alternatives <> '[]'", url));
      while (true) {
        MAGPIE_TRY(const bool more, row.next());
        if (!more) break;
        refs.push_back({row.int64(0), row.int64(1), row.int64(2), from_json_list(row.text(3))});
      }
    }
    NextCandidates next;
    for (const Ref& ref : refs) {
      // Candidate n is alternatives[n - 1].
      for (auto i = static_cast<std::size_t>(ref.candidate); i < ref.alternatives.size(); ++i) {
        MAGPIE_TRY(const UrlRow row, resolve(ref.alternatives[i]));
        if (row.dead() || row.id == url) continue;
        MAGPIE_TRY_DO(db_.run("UPDATE image_refs SET url = ?, candidate = ? WHERE page = ? AND ord = ?", row.id, i + 1, ref.page, ref.ord));
        MAGPIE_TRY_DO(db_.run("UPDATE OR IGNORE labels SET url = ? WHERE url = ? AND source = (SELECT url FROM urls WHERE id = ?)", row.id,
                              url, ref.page));
        if (row.image != kNoId) MAGPIE_TRY_DO(mark(row.image));
        else add_once(next, row.url);
        break;
      }
    }
    return next;
  }

  // ---- pages

  Result<std::optional<std::int64_t>> signature_of(std::int64_t page) {
    return first_int64("SELECT signature FROM pages WHERE id = ?", page);
  }

  Result<std::vector<std::string>> wanted_on(std::int64_t page) {
    std::vector<std::string> wanted;
    MAGPIE_TRY(Query row, db_.query("SELECT u.url FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? AND u.image IS NULL AND "
                                    "u.given_up = 0 ORDER BY r.ord",
                                    page));
    while (true) {
      MAGPIE_TRY(const bool more, row.next());
      if (!more) return wanted;
      add_once(wanted, row.string(0));
    }
  }

  Result<void> clear_refs(std::int64_t page) {
    MAGPIE_TRY_DO(
        db_.run("INSERT OR REPLACE INTO to_index (image) SELECT DISTINCT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE "
                "r.page = ? AND u.image IS NOT NULL",
                page));
    MAGPIE_TRY_DO(
        db_.run("DELETE FROM surroundings WHERE image IN (SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE "
                "r.page = ?)",
                page));
    MAGPIE_TRY_DO(db_.run("DELETE FROM image_refs WHERE page = ?", page));
    MAGPIE_TRY_DO(db_.run("DELETE FROM labels WHERE source = (SELECT url FROM urls WHERE id = ?)", page));
    return {};
  }

  Result<void> forget_page(std::int64_t page, Timestamp at) {
    MAGPIE_TRY(const std::vector<StoredProduct> known, products_of(page));
    MAGPIE_TRY_DO(note_changes(known, Page(), page, at));
    MAGPIE_TRY_DO(clear_refs(page));
    MAGPIE_TRY_DO(db_.run("DELETE FROM products WHERE page = ?", page));
    MAGPIE_TRY_DO(db_.run("DELETE FROM pages WHERE id = ?", page));
    return {};
  }

  Result<void> write_page(std::int64_t id, const Fetch& fetch, const Page& page, std::int64_t signature) {
    MAGPIE_TRY_DO(
        db_.run("INSERT INTO pages (id, canonical, title, description, language, charset, site_name, keywords, shop, robots, fetched_at, "
                "file, offset, length, signature) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET canonical = excluded.canonical, title "
                "= excluded.title, "
                "description = excluded.description, language = excluded.language, charset = excluded.charset, site_name = "
                "excluded.site_name, keywords = excluded.keywords, "
                "shop = excluded.shop, robots = excluded.robots, fetched_at = excluded.fetched_at, file = excluded.file, offset = "
                "excluded.offset, length = excluded.length, "
                "signature = excluded.signature",
                id, page.canonical, page.title, page.description, page.language, page.charset, page.site_name, to_json_list(page.keywords),
                shop_of(page.url), robots_bits(page.robots), to_millis(fetch.fetched_at), fetch.place.file, fetch.place.offset,
                fetch.place.length, signature));
    return {};
  }

  // ---- the change feed

  Result<std::vector<StoredProduct>> products_of(std::int64_t page) {
    std::vector<StoredProduct> products;
    MAGPIE_TRY(Query row, db_.query("SELECT " MAGPIE_PRODUCT_COLUMNS " FROM products WHERE page = ? ORDER BY ord", page));
    while (true) {
      MAGPIE_TRY(const bool more, row.next());
      if (!more) return products;
      products.push_back(product_from(row));
    }
  }

  /// A product is known by its number, else by its name: its rank on the page may have changed.
  static bool is_same(const Product& a, const Product& b) { return !a.sku.empty() && !b.sku.empty() ? a.sku == b.sku : a.name == b.name; }

  static std::string price_text(const Offer& offer) {
    if (offer.price.empty()) return {};
    return offer.currency.empty() ? offer.price : fmt::format("{} {}", offer.price, offer.currency);
  }

  /// Which of the page's products is which of those known before: by rank where that fits, else the first that fits and is not taken.
  static std::vector<const Product*> match(const std::vector<StoredProduct>& known, const std::vector<Product>& now) {
    std::vector<const Product*> matches(known.size());
    std::vector<bool> taken(now.size());
    for (std::size_t i = 0; i < std::min(known.size(), now.size()); ++i) {
      if (!is_same(known[i].product, now[i])) continue;
      matches[i] = &now[i];
      taken[i] = true;
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
      for (std::size_t j = 0; matches[i] == nullptr && j < now.size(); ++j) {
        if (taken[j] || !is_same(known[i].product, now[j])) continue;
        matches[i] = &now[j];
        taken[j] = true;
      }
    }
    return matches;
  }

  /// Those that can be bought, for a person: "S / red, M / red". Empty where the page does not say of any that it can or cannot.
  static std::string variants_in_stock(const std::vector<ProductVariant>& variants) {
    std::vector<std::string> in_stock;
    bool is_told = false;
    for (const ProductVariant& variant : variants) {
      is_told = is_told || !variant.offer.availability.empty();
      std::vector<std::string_view> chosen;
      for (const VariantOption& option : variant.options) chosen.push_back(option.value);
      if (variant.offer.availability != "OutOfStock")
        in_stock.push_back(chosen.empty() ? variant.sku : fmt::format("{}", fmt::join(chosen, " / ")));
    }
    if (!is_told) return {};
    constexpr std::size_t kNamedMax = 20;
    const std::size_t more = in_stock.size() > kNamedMax ? in_stock.size() - kNamedMax : 0;
    in_stock.resize(in_stock.size() - more);
    if (more > 0) in_stock.push_back(fmt::format("{} more", more));
    return in_stock.empty() ? "none" : fmt::format("{}", fmt::join(in_stock, ", "));
  }

  static std::size_t news_among(const std::vector<StoredProduct>& known, const std::vector<Product>& now) {
    const std::vector<const Product*> matches = match(known, now);
    return now.size() - (matches.size() - static_cast<std::size_t>(std::ranges::count(matches, nullptr)));
  }

  /// Products keep their ids by rank. A change names the id only where rank and product still go together.
  Result<void> note_changes(const std::vector<StoredProduct>& known, const Page& now, std::int64_t page, Timestamp at) {
    const std::vector<const Product*> matches = match(known, now.products);
    for (std::size_t i = 0; i < known.size(); ++i) {
      const Product& before = known[i].product;
      const Product* after = matches[i];
      const ProductId id = i < now.products.size() && after == &now.products[i] ? known[i].id : 0;
      const auto note = [&](std::string_view field, const std::string& was, const std::string& is) -> Result<void> {
        if (was == is) return {};
        MAGPIE_TRY_DO(db_.run("INSERT INTO product_changes (product, page, name, at, field, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)",
                              id, page, before.name, to_millis(at), field, was, is));
        return {};
      };
      const std::string price = price_text(before.offer);
      if (after == nullptr) {
        MAGPIE_TRY_DO(note("gone", price.empty() ? "no price" : price, ""));
        continue;
      }
      MAGPIE_TRY_DO(note("price", price, price_text(after->offer)));
      MAGPIE_TRY_DO(note("availability", before.offer.availability, after->offer.availability));
      const std::string sold = variants_in_stock(before.variants), sells = variants_in_stock(after->variants);
      if (!sold.empty() && !sells.empty()) MAGPIE_TRY_DO(note("variants", sold, sells));
      const auto fresh = std::ranges::count_if(
          after->images, [&](const std::string& url) { return std::ranges::find(before.images, url) == before.images.end(); });
      if (fresh > 0) MAGPIE_TRY_DO(note("images", "", fmt::format("+{}", fresh)));
    }
    return {};
  }

  /// Product ids by the addresses of their pictures, and "" for the page's own product.
  Result<std::map<std::string, std::int64_t>> write_products(std::int64_t page_id, const Page& page) {
    std::map<std::string, std::int64_t> by_image;
    std::int64_t ord = 0;
    for (const Product& product : page.products) {
      MAGPIE_TRY(Query row,
                 db_.query("INSERT INTO products (page, ord, name, brand, description, sku, gtin, category, price, "
                           "price_micros, currency, old_price, availability, images, url, evidence, variants) "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (page, ord) DO UPDATE SET name = "
                           "excluded.name, brand = excluded.brand, "
                           "description = excluded.description, sku = excluded.sku, gtin = excluded.gtin, category = "
                           "excluded.category, price = excluded.price, "
                           "price_micros = excluded.price_micros, currency = excluded.currency, old_price = excluded.old_price, "
                           "availability = excluded.availability, "
                           "images = excluded.images, url = excluded.url, evidence = excluded.evidence, variants = excluded.variants "
                           "RETURNING id",
                           page_id, ord, product.name, product.brand, product.description, product.sku, product.gtin, product.category,
                           product.offer.price, price_micros(product.offer.price), product.offer.currency, product.offer.old_price,
                           product.offer.availability, to_json_list(product.images), product.url, to_json(product.evidence),
                           to_json(product.variants)));
      MAGPIE_TRY_DO(row.next());
      const std::int64_t id = row.int64(0);
      MAGPIE_TRY_DO(row.next());
      if (ord == 0) by_image.emplace("", id);
      for (const std::string& image : product.images) by_image.emplace(image, id);
      ++ord;
    }
    MAGPIE_TRY_DO(db_.run("DELETE FROM products WHERE page = ? AND ord >= ?", page_id, ord));
    return by_image;
  }

  static std::optional<std::int64_t> product_of(const ImageRef& ref, const std::map<std::string, std::int64_t>& products) {
    if (const auto named = products.find(ref.url); named != products.end()) return named->second;
    for (const std::string& alternative : ref.alternatives) {
      if (const auto named = products.find(alternative); named != products.end()) return named->second;
    }
    const auto own = products.find("");
    return ref.of_product && own != products.end() ? std::optional(own->second) : std::nullopt;
  }

  /// The first candidate that has not failed, and its number; the first of all when every one has.
  Result<std::pair<UrlRow, std::size_t>> choose(const ImageRef& ref) {
    MAGPIE_TRY(const UrlRow first, resolve(ref.url));
    if (!first.dead()) return std::pair(first, std::size_t{0});
    for (std::size_t i = 0; i < ref.alternatives.size(); ++i) {
      MAGPIE_TRY(const UrlRow row, resolve(ref.alternatives[i]));
      if (!row.dead()) return std::pair(row, i + 1);
    }
    return std::pair(first, std::size_t{0});
  }

  Result<void> write_refs(std::int64_t page_id, const Page& page, const std::map<std::string, std::int64_t>& products,
                          std::vector<std::string>& wanted) {
    std::int64_t ord = 0;
    for (const ImageRef& ref : page.images) {
      MAGPIE_TRY(const auto chosen, choose(ref));
      const UrlRow& row = chosen.first;
      MAGPIE_TRY_DO(
          db_.run("INSERT INTO image_refs (page, ord, url, candidate, first, alternatives, origin, alt, caption, width, height, "
                  "of_product, product, language) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  page_id, ord++, row.id, chosen.second, ref.url, to_json_list(ref.alternatives), static_cast<int>(ref.origin), ref.alt,
                  ref.caption, ref.width, ref.height, ref.of_product, product_of(ref, products), ref.language));
      if (row.image != kNoId) MAGPIE_TRY_DO(mark(row.image));
      if (row.wanted()) add_once(wanted, row.url);
    }
    return {};
  }

  /// What the page says of its pictures' licences, as labels whose source is the page; of the addresses that write_refs() chose.
  Result<void> write_licences(std::int64_t page_id, const Page& page, JobId job, Timestamp at) {
    std::int64_t ord = 0;
    for (const ImageRef& ref : page.images) {
      const std::int64_t place = ord++;
      if (ref.licence.terms.empty()) continue;
      MAGPIE_TRY_DO(
          db_.run("INSERT OR IGNORE INTO labels (url, source, label, api, artist, artist_url, page_url, licence, job, at) SELECT "
                  "r.url, u.url, '', u.url, ?, '', ?, ?, ?, ? FROM image_refs r JOIN urls u ON u.id = r.page WHERE r.page = ? AND "
                  "r.ord = ?",
                  ref.licence.credit, ref.licence.page, ref.licence.terms, job, to_millis(at), page_id, place));
    }
    return {};
  }

  // ---- pictures

  Result<ImageId> add_image(const Image& image) {
    MAGPIE_TRY_DO(db_.run(
        "INSERT INTO images (sha256, format, width, height, frames, orientation, bytes, phash, dhash, pdq, pdq_quality, "
        "brightness, colours, file, offset, length, "
        "thumbnail_file, thumbnail_offset, thumbnail_length, preview_file, preview_offset, preview_length, fetched_at, copy_group, "
        "colour_grid, duration_ms, plays) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        Blob{as_text(image.sha256)}, image.format, image.width, image.height, image.frames, image.orientation, image.bytes, image.phash,
        image.dhash, Blob{as_text(image.pdq)}, image.pdq_quality, static_cast<double>(image.brightness),
        Blob{encode_colours(image.colours)}, image.original.file, image.original.offset, image.original.length, image.thumbnail.file,
        image.thumbnail.offset, image.thumbnail.length, image.preview.file, image.preview.offset, image.preview.length,
        to_millis(image.fetched_at), image.copy_group, Blob{as_text(image.colour_grid)}, image.duration.count(), image.plays));
    const auto id = static_cast<ImageId>(db_.last_id());
    if (image.copy_group == kNoId) MAGPIE_TRY_DO(db_.run("UPDATE images SET copy_group = id WHERE id = ?", id));
    return id;
  }

  Database& db_;
  std::optional<Transaction> transaction_;
  std::function<void()> ended_;
  std::string redirect_;  // of the row that intern() gave last
};

}  // namespace

Result<std::unique_ptr<CatalogTransaction>> begin_catalog_transaction(Database& database, std::function<void()> ended) {
  auto transaction = Transaction::begin(database, Transaction::Kind::kWrite);
  if (!transaction) {
    ended();
    return Failure(transaction.error());
  }
  return std::unique_ptr<CatalogTransaction>(std::make_unique<SqliteTransaction>(database, std::move(*transaction), std::move(ended)));
}

}  // namespace magpie
