#include "embedded/catalog_forget.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <set>

#include "core/frontier.h"
#include "embedded/catalog_copies.h"
#include "embedded/catalog_rows.h"
#include "embedded/catalog_surroundings.h"
#include "net/url.h"

// Pictures of products whose page is none of those, and that are no list's entry for one of those.
#define MAGPIE_OTHERS_PICTURES                                                                                                      \
  "SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url JOIN products o ON o.id = r.product WHERE u.image IS NOT NULL AND " \
  "r.page NOT IN (SELECT value FROM json_each(?2)) AND o.url NOT IN (SELECT url FROM urls WHERE id IN (SELECT value FROM json_each(?2)))"

namespace magpie {
namespace {

using Ids = std::set<std::int64_t>;

/// As JSON, for json_each(): SQLite takes no lists.
std::string json_of(const Ids& ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

Result<Ids> collect(Result<Query> rows) {
  if (!rows) return Failure(rows.error());
  Ids ids;
  while (true) {
    MAGPIE_TRY(const bool more, rows->next());
    if (!more) return ids;
    ids.insert(rows->int64(0));
  }
}

// ---- what a target comes to

class Planner {
 public:
  Planner(Database& database, const ForgetTarget& target) : db_(database) { plan_.target = target; }

  Result<ForgetPlan> make() {
    const std::string& name = plan_.target.name;
    if (name.empty()) return fail(Code::kBadInput, "name what is to be forgotten");
    switch (plan_.target.kind) {
      case ForgetKind::kPicture: MAGPIE_TRY_DO(take_picture(name)); break;
      case ForgetKind::kPage: MAGPIE_TRY_DO(take_page(name)); break;
      case ForgetKind::kHost: MAGPIE_TRY_DO(take_host(name)); break;
      case ForgetKind::kLabel: MAGPIE_TRY_DO(take_label(name)); break;
      case ForgetKind::kArtist: MAGPIE_TRY_DO(add(urls_, db_.query("SELECT url FROM labels WHERE artist = ?", name))); break;
    }
    if (plan_.target.kind == ForgetKind::kLabel || plan_.target.kind == ForgetKind::kArtist) {
      MAGPIE_TRY_DO(add(
          images_,
          db_.query("SELECT DISTINCT image FROM urls WHERE image IS NOT NULL AND id IN (SELECT value FROM json_each(?))", json_of(urls_))));
    }
    if (urls_.empty() && images_.empty() && !known_host_)
      return fail(Code::kNotFound, "nothing is known of the {} '{}'", to_string(plan_.target.kind), name);
    MAGPIE_TRY_DO(finish());
    return std::move(plan_);
  }

 private:
  static Result<void> add(Ids& into, Result<Query> rows) {
    MAGPIE_TRY(const Ids more, collect(std::move(rows)));
    into.insert(more.begin(), more.end());
    return {};
  }

  Result<void> take_picture(const std::string& name) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error == std::errc() && end == name.data() + name.size()) {
      MAGPIE_TRY_DO(add(images_, db_.query("SELECT id FROM images WHERE id = ?", id)));
    } else if (const auto digest = sha256_from_hex(name)) {
      const std::string_view bytes(reinterpret_cast<const char*>(digest->data()), digest->size());
      MAGPIE_TRY_DO(add(images_, db_.query("SELECT id FROM images WHERE sha256 = ?", Blob{bytes})));
    } else {
      MAGPIE_TRY(const std::string url, canonical(name));
      MAGPIE_TRY_DO(add(images_, db_.query("SELECT image FROM urls WHERE url = ? AND image IS NOT NULL", url)));
    }
    if (!plan_.target.copies) return {};
    return add(images_, db_.query("SELECT id FROM images WHERE copy_group IN (SELECT copy_group FROM images WHERE id IN "
                                  "(SELECT value FROM json_each(?)))",
                                  json_of(images_)));
  }

  static Result<std::string> canonical(const std::string& name) {
    const auto url = Url::parse(name);
    if (!url) return fail(Code::kBadInput, "'{}' is no address", name);
    return canonical_url(*url).href();
  }

  Result<void> take_page(const std::string& name) {
    MAGPIE_TRY(const std::string url, canonical(name));
    MAGPIE_TRY_DO(add(urls_, db_.query("SELECT id FROM urls WHERE url = ?1 OR redirect = ?1", url)));
    MAGPIE_TRY_DO(
        add(urls_, db_.query("SELECT id FROM pages WHERE canonical = ?1 OR (canonical <> '' AND canonical = (SELECT p.canonical FROM "
                             "pages p JOIN urls u ON u.id = p.id WHERE u.url = ?1))",
                             url)));
    const std::string pages = json_of(urls_);
    // Its products' pictures, but what is another product's, too. A list that names the same product is no other product.
    MAGPIE_TRY(const Ids own, collect(db_.query("SELECT DISTINCT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page IN "
                                                "(SELECT value FROM json_each(?)) AND r.product IS NOT NULL AND u.image IS NOT NULL",
                                                pages)));
    MAGPIE_TRY_DO(
        add(images_, db_.query("SELECT value FROM json_each(?1) WHERE value NOT IN (" MAGPIE_OTHERS_PICTURES ")", json_of(own), pages)));
    // Their near-copies on the same host, such as smaller ones in lists.
    MAGPIE_TRY_DO(
        add(images_, db_.query("SELECT i.id FROM images i WHERE i.copy_group IN (SELECT copy_group FROM images WHERE id IN "
                               "(SELECT value FROM json_each(?1))) AND i.id NOT IN (" MAGPIE_OTHERS_PICTURES
                               ") AND NOT EXISTS (SELECT 1 FROM urls u WHERE u.image = i.id AND substr(u.url, 1, length(?3)) <> ?3)",
                               json_of(images_), pages, origin_of(url) + "/")));
    return take_shown_only_by(pages);
  }

  /// Pictures that no other page shows and no source or seed names.
  Result<void> take_shown_only_by(const std::string& pages) {
    return add(images_,
               db_.query("SELECT DISTINCT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page IN (SELECT value FROM "
                         "json_each(?1)) AND u.image IS NOT NULL AND NOT EXISTS (SELECT 1 FROM urls o WHERE o.image = u.image AND "
                         "(o.named = 1 OR EXISTS (SELECT 1 FROM image_refs s WHERE s.url = o.id AND s.page NOT IN (SELECT value FROM "
                         "json_each(?1)))))",
                         pages));
  }

  static std::string origin_of(const std::string& url) {
    const auto parsed = Url::parse(url);
    return parsed ? fmt::format("{}//{}", parsed->protocol(), parsed->host()) : url;
  }

  Result<void> take_host(const std::string& name) {
    const auto parsed = Url::parse(name.find("://") == std::string::npos ? fmt::format("http://{}/", name) : name);
    if (!parsed || parsed->host().empty()) return fail(Code::kBadInput, "'{}' is no host", name);
    plan_.host = parsed->host();
    MAGPIE_TRY(const Ids urls, urls_of_host());
    const std::string all = json_of(urls);
    MAGPIE_TRY(const Ids visits, collect(db_.query("SELECT 1 FROM host_visits WHERE host = ? LIMIT 1", plan_.host)));
    known_host_ = !urls.empty() || !visits.empty();
    // Pictures that nobody else gives.
    MAGPIE_TRY_DO(
        add(images_, db_.query("SELECT DISTINCT u.image FROM urls u WHERE u.id IN (SELECT value FROM json_each(?1)) AND u.image IS NOT "
                               "NULL AND NOT EXISTS (SELECT 1 FROM urls o WHERE o.image = u.image AND o.id NOT IN (SELECT value FROM "
                               "json_each(?1)))",
                               all)));
    return take_shown_only_by(all);
  }

  // An address is a scheme, the host and a path: two ranges of the index over addresses. '0' comes behind '/'.
  Result<Ids> urls_of_host() {
    Ids ids;
    for (const std::string_view scheme : {"http://", "https://"}) {
      MAGPIE_TRY_DO(add(ids, db_.query("SELECT id FROM urls WHERE url >= ? AND url < ?", fmt::format("{}{}/", scheme, plan_.host),
                                       fmt::format("{}{}0", scheme, plan_.host))));
    }
    return ids;
  }

  Result<void> take_label(const std::string& name) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) return fail(Code::kBadInput, "a label is named SOURCE/LABEL, not '{}'", name);
    return add(urls_, db_.query("SELECT url FROM labels WHERE source = ? AND label = ?", name.substr(0, slash), name.substr(slash + 1)));
  }

  /// Ids to names: all addresses of the pictures, and what redirects to any of them.
  Result<void> finish() {
    MAGPIE_TRY_DO(add(urls_, db_.query("SELECT id FROM urls WHERE image IN (SELECT value FROM json_each(?))", json_of(images_))));
    MAGPIE_TRY_DO(add(urls_, db_.query("SELECT id FROM urls WHERE redirect <> '' AND redirect IN (SELECT url FROM urls WHERE id IN "
                                       "(SELECT value FROM json_each(?)))",
                                       json_of(urls_))));
    MAGPIE_TRY(Query urls, db_.query("SELECT url FROM urls WHERE id IN (SELECT value FROM json_each(?)) ORDER BY url", json_of(urls_)));
    while (true) {
      MAGPIE_TRY(const bool more, urls.next());
      if (!more) break;
      if (plan_.host.empty() || host_of_url(urls.text(0)) != plan_.host) plan_.urls.push_back(urls.string(0));
    }
    MAGPIE_TRY(Query images,
               db_.query("SELECT id, sha256 FROM images WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", json_of(images_)));
    while (true) {
      MAGPIE_TRY(const bool more, images.next());
      if (!more) return {};
      plan_.images.push_back(static_cast<ImageId>(images.int64(0)));
      std::memcpy(plan_.contents.emplace_back().data(), images.blob(1).data(), std::min(images.blob(1).size(), sizeof(Sha256)));
    }
  }

  Database& db_;
  ForgetPlan plan_;
  Ids urls_, images_;
  bool known_host_ = false;
};

// ---- the rows that go

class Forgetter {
 public:
  Forgetter(Database& database, const ForgetPlan& plan) : db_(database), plan_(plan), gone_(plan) {}

  Result<ForgetCounts> run() {
    MAGPIE_TRY_DO(find_rows());
    MAGPIE_TRY_DO(mark_what_changes());
    MAGPIE_TRY_DO(remove_pages());
    MAGPIE_TRY_DO(remove_mentions());
    MAGPIE_TRY_DO(remove_pictures());
    MAGPIE_TRY_DO(remove_inheritances());
    MAGPIE_TRY_DO(remove_host());
    return counts_;
  }

 private:
  template <class... Args>
  Result<void> count(std::uint64_t& into, std::string_view sql, const Args&... args) {
    MAGPIE_TRY(const std::int64_t changed, db_.run(sql, args...));
    into += static_cast<std::uint64_t>(changed);
    return {};
  }

  Result<void> find_rows() {
    Ids urls, images;
    for (const std::string& url : plan_.urls) {
      MAGPIE_TRY(const Ids found, collect(db_.query("SELECT id FROM urls WHERE url = ?", url)));
      urls.insert(found.begin(), found.end());
    }
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (plan_.host.empty()) break;
      MAGPIE_TRY(const Ids found, collect(db_.query("SELECT id FROM urls WHERE url >= ? AND url < ?",
                                                    fmt::format("{}{}/", scheme, plan_.host), fmt::format("{}{}0", scheme, plan_.host))));
      urls.insert(found.begin(), found.end());
    }
    for (const Sha256& content : plan_.contents) {
      const std::string_view bytes(reinterpret_cast<const char*>(content.data()), content.size());
      MAGPIE_TRY(const Ids found, collect(db_.query("SELECT id FROM images WHERE sha256 = ?", Blob{bytes})));
      images.insert(found.begin(), found.end());
    }
    urls_ = json_of(urls);
    images_ = json_of(images);
    return {};
  }

  /// Everything that a gone page shows or that a gone address gives; those that go themselves leave the index by the same list.
  Result<void> mark_what_changes() {
    MAGPIE_TRY_DO(
        db_.run("INSERT OR REPLACE INTO to_index (image) SELECT DISTINCT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE "
                "r.page IN (SELECT value FROM json_each(?)) AND u.image IS NOT NULL",
                urls_));
    MAGPIE_TRY_DO(
        db_.run("INSERT OR REPLACE INTO to_index (image) SELECT DISTINCT image FROM urls WHERE id IN (SELECT value FROM json_each(?)) "
                "AND image IS NOT NULL",
                urls_));
    MAGPIE_TRY_DO(
        db_.run("INSERT OR REPLACE INTO to_index (image) SELECT id FROM images WHERE copy_group IN (SELECT copy_group FROM images WHERE "
                "id IN (SELECT value FROM json_each(?)))",
                images_));
    return {};
  }

  Result<void> remove_pages() {
    MAGPIE_TRY_DO(count(counts_.showings, "DELETE FROM image_refs WHERE page IN (SELECT value FROM json_each(?))", urls_));
    MAGPIE_TRY_DO(count(counts_.products, "DELETE FROM products WHERE page IN (SELECT value FROM json_each(?))", urls_));
    MAGPIE_TRY_DO(count(counts_.changes, "DELETE FROM product_changes WHERE page IN (SELECT value FROM json_each(?))", urls_));
    MAGPIE_TRY_DO(count(counts_.labels,
                        "DELETE FROM labels WHERE source IN (SELECT url FROM urls WHERE id IN (SELECT value FROM json_each(?)))", urls_));
    return count(counts_.pages, "DELETE FROM pages WHERE id IN (SELECT value FROM json_each(?))", urls_);
  }

  /// What stays may speak of what goes: showings of a gone picture, in whatever size; lists that name a gone product; texts.
  Result<void> remove_mentions() {
    MAGPIE_TRY_DO(remove_showings());
    MAGPIE_TRY_DO(clear_products());
    MAGPIE_TRY_DO(
        clear_texts("SELECT id, url, title, description, canonical, site_name FROM (SELECT p.*, u.url FROM pages p JOIN urls u ON u.id "
                    "= p.id)",
                    "UPDATE pages SET title = ?2, description = ?3, canonical = ?4, site_name = ?5 WHERE id = ?1"));
    MAGPIE_TRY_DO(clear_texts("SELECT id, url, detail, redirect, '', '' FROM urls WHERE detail <> '' OR redirect <> ''",
                              "UPDATE urls SET detail = ?2, redirect = ?3 WHERE id = ?1 AND ?4 = ?5"));
    if (plan_.target.kind == ForgetKind::kArtist)
      MAGPIE_TRY_DO(count(counts_.labels, "DELETE FROM labels WHERE artist = ?", plan_.target.name));
    MAGPIE_TRY_DO(count(counts_.labels, "DELETE FROM labels WHERE url IN (SELECT value FROM json_each(?))", urls_));
    return clear_texts("SELECT id, '', api, artist_url, page_url, artist FROM labels",
                       "UPDATE labels SET api = ?2, artist_url = ?3, page_url = ?4, artist = ?5 WHERE id = ?1");
  }

  Result<void> remove_showings() {
    std::vector<std::pair<std::int64_t, std::int64_t>> doomed;
    {
      MAGPIE_TRY(Query rows,
                 db_.query("SELECT r.page, r.ord, u.url, r.first, r.alternatives FROM image_refs r JOIN urls u ON u.id = r.url"));
      while (true) {
        MAGPIE_TRY(const bool more, rows.next());
        if (!more) break;
        bool names = gone_.has(rows.text(2)) || gone_.has(rows.text(3));
        if (!names && rows.text(4) != "[]") {
          const std::vector<std::string> others = from_json_list(rows.text(4));
          names = std::any_of(others.begin(), others.end(), [&](const std::string& url) { return gone_.has(url); });
        }
        if (names) doomed.emplace_back(rows.int64(0), rows.int64(1));
      }
    }
    for (const auto& [page, ord] : doomed) {
      MAGPIE_TRY_DO(
          db_.run("INSERT OR REPLACE INTO to_index (image) SELECT u.image FROM image_refs r JOIN urls u ON u.id = r.url WHERE r.page = ? "
                  "AND r.ord = ? AND u.image IS NOT NULL",
                  page, ord));
      MAGPIE_TRY_DO(count(counts_.showings, "DELETE FROM image_refs WHERE page = ? AND ord = ?", page, ord));
      forget_signature(page);
    }
    return {};
  }

  Result<void> clear_products() {
    struct Change {
      std::int64_t id = 0, page = 0;
      bool is_gone = false;
      std::string images, description, variants;
    };
    std::vector<Change> changes;
    {
      MAGPIE_TRY(
          Query rows,
          db_.query("SELECT o.id, o.page, o.url, o.images, o.description, u.url, o.variants FROM products o JOIN urls u ON u.id = o.page"));
      while (true) {
        MAGPIE_TRY(const bool more, rows.next());
        if (!more) break;
        std::vector<std::string> images = from_json_list(rows.text(3));
        const std::size_t pruned = std::erase_if(images, [&](const std::string& url) { return gone_.has(url); });
        std::string description = rows.string(4);
        std::string variants = rows.string(6);
        const std::size_t mentions = gone_.overwrite(description, rows.text(5)) + gone_.overwrite(variants, rows.text(5));
        const bool is_gone = gone_.has(rows.text(2));  // a list's entry for a gone product
        counts_.mentions += mentions + pruned;
        if (pruned + mentions > 0 || is_gone)
          changes.push_back({rows.int64(0), rows.int64(1), is_gone, to_json_list(images), std::move(description), std::move(variants)});
      }
    }
    for (const Change& change : changes) {
      forget_signature(change.page);
      if (!change.is_gone) {
        MAGPIE_TRY_DO(db_.run("UPDATE products SET images = ?, description = ?, variants = ? WHERE id = ?", change.images,
                              change.description, change.variants, change.id));
        continue;
      }
      MAGPIE_TRY_DO(db_.run("UPDATE image_refs SET product = NULL WHERE product = ?", change.id));
      MAGPIE_TRY_DO(db_.run("DELETE FROM product_changes WHERE product = ?", change.id));
      MAGPIE_TRY_DO(count(counts_.products, "DELETE FROM products WHERE id = ?", change.id));
    }
    return flush_signatures();
  }

  /// Overwrites gone addresses in four texts of each row: `select` gives its id, what they are relative to, and them.
  Result<void> clear_texts(std::string_view select, std::string_view update) {
    std::vector<std::pair<std::int64_t, std::array<std::string, 4>>> changes;
    {
      MAGPIE_TRY(Query rows, db_.query(select));
      while (true) {
        MAGPIE_TRY(const bool more, rows.next());
        if (!more) break;
        std::array<std::string, 4> texts;
        std::size_t mentions = 0;
        for (int i = 0; i < 4; ++i) mentions += gone_.overwrite(texts[static_cast<std::size_t>(i)] = rows.string(2 + i), rows.text(1));
        counts_.mentions += mentions;
        if (mentions > 0) changes.emplace_back(rows.int64(0), std::move(texts));
      }
    }
    for (const auto& [id, texts] : changes) MAGPIE_TRY_DO(db_.run(update, id, texts[0], texts[1], texts[2], texts[3]));
    return {};
  }

  // A page that has lost something is no more what it said: its next visit writes it anew.
  void forget_signature(std::int64_t page) { changed_pages_.insert(page); }
  Result<void> flush_signatures() {
    MAGPIE_TRY_DO(db_.run("UPDATE pages SET signature = 0 WHERE id IN (SELECT value FROM json_each(?))", json_of(changed_pages_)));
    return {};
  }

  Result<void> remove_pictures() {
    MAGPIE_TRY_DO(db_.run("UPDATE urls SET image = NULL WHERE image IN (SELECT value FROM json_each(?))", images_));
    MAGPIE_TRY_DO(count(counts_.addresses, "DELETE FROM urls WHERE id IN (SELECT value FROM json_each(?))", urls_));
    MAGPIE_TRY_DO(count(counts_.vectors, "DELETE FROM embeddings WHERE image IN (SELECT value FROM json_each(?))", images_));
    MAGPIE_TRY_DO(count(counts_.pictures, "DELETE FROM images WHERE id IN (SELECT value FROM json_each(?))", images_));
    MAGPIE_TRY_DO(remove_copies());
    MAGPIE_TRY_DO(regroup());
    // What stays was perhaps kept as a gone address gave it.
    MAGPIE_TRY_DO(
        db_.run("UPDATE images SET (file, offset, length) = (SELECT u.file, u.offset, u.length FROM urls u WHERE u.image = images.id AND "
                "u.file > 0 AND u.cause = 0 AND u.redirect = '' ORDER BY u.fetched_at DESC LIMIT 1) WHERE NOT EXISTS (SELECT 1 FROM urls o "
                "WHERE o.image = images.id AND o.file = images.file AND o.offset = images.offset) AND EXISTS (SELECT 1 FROM urls u WHERE "
                "u.image = images.id AND u.file > 0 AND u.cause = 0 AND u.redirect = '')"));
    return {};
  }

  /// Words that went on from pictures that are gone, or may have come from a page that is.
  Result<void> remove_inheritances() {
    std::string changed;
    {
      MAGPIE_TRY(Query row, db_.query("SELECT json_group_array(image) FROM to_index"));
      MAGPIE_TRY_DO(row.next());
      changed = row.string(0);
    }
    return remove_surroundings(db_, changed);
  }

  /// What was found and said of a gone picture and another; what a person said of several goes as a whole.
  Result<void> remove_copies() {
    for (const std::string_view sql :
         {"DELETE FROM copy_links WHERE image IN (SELECT value FROM json_each(?1)) OR other IN (SELECT value FROM json_each(?1))",
          "DELETE FROM copy_verdicts WHERE image IN (SELECT value FROM json_each(?1)) OR other IN (SELECT value FROM json_each(?1))"})
      MAGPIE_TRY_DO(db_.run(sql, images_));
    const std::set<ImageId> gone(plan_.images.begin(), plan_.images.end());
    MAGPIE_TRY(const std::vector<CopyReview> reviews, read_copy_reviews(db_, std::nullopt, SIZE_MAX >> 1));
    for (const CopyReview& review : reviews) {
      const auto is_gone = [&](ImageId id) { return gone.contains(id); };
      const bool names = std::any_of(review.images.begin(), review.images.end(), is_gone) ||
                         std::any_of(review.before.begin(), review.before.end(),
                                     [&](const CopyPair& pair) { return is_gone(pair.image) || is_gone(pair.other); });
      if (names) MAGPIE_TRY_DO(db_.run("DELETE FROM copy_reviews WHERE id = ?", review.id));
    }
    return {};
  }

  /// Groups bear the id of their first picture. What was joined through a gone picture alone stays together.
  Result<void> regroup() {
    std::vector<std::pair<std::int64_t, std::int64_t>> groups;
    {
      MAGPIE_TRY(Query rows,
                 db_.query("SELECT copy_group, MIN(id) FROM images WHERE copy_group NOT IN (SELECT id FROM images) GROUP BY 1"));
      while (true) {
        MAGPIE_TRY(const bool more, rows.next());
        if (!more) break;
        groups.emplace_back(rows.int64(0), rows.int64(1));
      }
    }
    for (const auto& [gone, first] : groups)
      MAGPIE_TRY_DO(count(counts_.regrouped, "UPDATE images SET copy_group = ? WHERE copy_group = ?", first, gone));
    return {};
  }

  Result<void> remove_host() {
    MAGPIE_TRY_DO(clear_jobs());
    if (plan_.host.empty()) return {};
    MAGPIE_TRY_DO(count(counts_.visits, "DELETE FROM host_visits WHERE host = ?", plan_.host));
    MAGPIE_TRY_DO(count(counts_.selectors, "DELETE FROM selectors WHERE host = ?", plan_.host));
    MAGPIE_TRY_DO(db_.run("DELETE FROM lastmod_proofs WHERE host = ?", plan_.host));
    // One text for all hosts (crawl/picture_sizes.h), learnt anew within a few pages.
    MAGPIE_TRY_DO(db_.run("DELETE FROM meta WHERE key = 'picture_sizes' AND instr(value, ?) > 0", plan_.host));
    return {};
  }

  /// A crawl loses the seeds that are gone, and goes when it has no other.
  Result<void> clear_jobs() {
    struct Change {
      std::int64_t id = 0;
      std::vector<std::string> seeds;
      std::string detail;
    };
    std::vector<Change> changes;
    {
      MAGPIE_TRY(Query rows, db_.query("SELECT id, seeds, detail FROM jobs"));
      while (true) {
        MAGPIE_TRY(const bool more, rows.next());
        if (!more) break;
        Change change{rows.int64(0), from_json_list(rows.text(1)), rows.string(2)};
        const std::size_t pruned = std::erase_if(change.seeds, [&](const std::string& seed) { return gone_.has(seed); });
        if (pruned + gone_.overwrite(change.detail, "") > 0) changes.push_back(std::move(change));
      }
    }
    for (const Change& change : changes) {
      if (change.seeds.empty()) {
        MAGPIE_TRY_DO(count(counts_.jobs, "DELETE FROM jobs WHERE id = ?", change.id));
        MAGPIE_TRY_DO(db_.run("UPDATE urls SET due_at = 0 WHERE job = ?", change.id));
        continue;
      }
      MAGPIE_TRY_DO(db_.run("UPDATE jobs SET seeds = ?, name = ?, detail = ? WHERE id = ?", to_json_list(change.seeds),
                            change.seeds.front(), change.detail, change.id));
    }
    return {};
  }

  Database& db_;
  const ForgetPlan& plan_;
  const GoneAddresses gone_;
  std::string urls_, images_;  // ids as JSON
  Ids changed_pages_;
  ForgetCounts counts_;
};

}  // namespace

Result<ForgetPlan> plan_forgetting_in(Database& database, const ForgetTarget& target) { return Planner(database, target).make(); }

Result<ForgetCounts> forget_in(Database& database, const ForgetPlan& plan) { return Forgetter(database, plan).run(); }

std::vector<std::pair<RefusedKind, std::uint64_t>> marks_of(const ForgetPlan& plan, std::uint64_t seed) {
  std::vector<std::pair<RefusedKind, std::uint64_t>> marks;
  const auto add = [&](RefusedKind kind, std::string_view what) { marks.emplace_back(kind, refusal_mark(seed, kind, what)); };
  if (!plan.host.empty()) add(RefusedKind::kHost, plan.host);
  for (const std::string& url : plan.urls) add(RefusedKind::kAddress, url);
  for (const Sha256& content : plan.contents) add(RefusedKind::kPicture, to_hex(content));
  if (plan.target.kind == ForgetKind::kLabel) add(RefusedKind::kLabel, plan.target.name);
  if (plan.target.kind == ForgetKind::kArtist) add(RefusedKind::kArtist, plan.target.name);
  return marks;
}

}  // namespace magpie
