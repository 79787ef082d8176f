#include "embedded/catalog_surroundings.h"

#include <algorithm>
#include <map>

#include "embedded/catalog_images.h"
#include "embedded/catalog_rows.h"

namespace magpie {

namespace {

/// The words whose sources say them.
Result<std::vector<InheritedWord>> still_said(Database& db, const std::vector<InheritedWord>& words) {
  std::map<ImageId, std::vector<std::string>> said;
  std::vector<InheritedWord> kept;
  for (const InheritedWord& word : words) {
    const auto [source, is_new] = said.try_emplace(word.source);
    if (is_new) { MAGPIE_TRY(source->second, read_own_words(db, word.source)); }
    if (std::ranges::find(source->second, word.word) != source->second.end()) kept.push_back(word);
  }
  return kept;
}

}  // namespace

Result<bool> put_surroundings(Database& db, ImageId image, const Surroundings& found) {
  MAGPIE_TRY_DO(db.run("INSERT OR REPLACE INTO surroundings (image, space, rarity, look_alikes, own_words) VALUES (?, ?, ?, ?, ?)", image,
                       found.space, static_cast<double>(found.rarity), found.look_alikes, found.own_words));
  MAGPIE_TRY(const std::vector<InheritedWord> before, read_inherited_words(db, image));
  MAGPIE_TRY(const std::vector<InheritedWord> words, still_said(db, found.words));
  if (before == words) return false;
  MAGPIE_TRY_DO(db.run("DELETE FROM inherited_words WHERE image = ?", image));
  for (const InheritedWord& word : words) {
    MAGPIE_TRY_DO(db.run("INSERT OR REPLACE INTO inherited_words (image, word, weight, source) VALUES (?, ?, ?, ?)", image, word.word,
                         static_cast<double>(word.weight), word.source));
  }
  return true;
}

Result<void> outdate_surroundings(Database& db, ImageId image) {
  MAGPIE_TRY_DO(db.run("DELETE FROM surroundings WHERE image = ?", image));
  return {};
}

Result<void> remove_surroundings(Database& db, std::string_view images) {
  constexpr std::string_view kHeirs = "SELECT DISTINCT image FROM inherited_words WHERE source IN (SELECT value FROM json_each(?1))";
  MAGPIE_TRY_DO(db.run(fmt::format("INSERT OR REPLACE INTO to_index (image) SELECT id FROM images WHERE id IN ({})", kHeirs), images));
  MAGPIE_TRY_DO(
      db.run(fmt::format("DELETE FROM surroundings WHERE image IN ({}) OR image IN (SELECT value FROM json_each(?1))", kHeirs), images));
  MAGPIE_TRY_DO(
      db.run("DELETE FROM inherited_words WHERE source IN (SELECT value FROM json_each(?1)) OR image IN "
             "(SELECT value FROM json_each(?1))",
             images));
  return {};
}

Result<std::optional<Surroundings>> read_surroundings(Database& db, ImageId image) {
  Surroundings found;
  {
    MAGPIE_TRY(Query row, db.query("SELECT space, rarity, look_alikes, own_words FROM surroundings WHERE image = ?", image));
    MAGPIE_TRY(const bool known, row.next());
    if (!known) return std::optional<Surroundings>();
    found.space = row.string(0);
    found.rarity = static_cast<float>(row.real(1));
    found.look_alikes = static_cast<std::uint32_t>(row.int64(2));
    found.own_words = static_cast<std::uint32_t>(row.int64(3));
  }
  MAGPIE_TRY(found.words, read_inherited_words(db, image));
  return std::optional(std::move(found));
}

Result<std::vector<InheritedWord>> read_inherited_words(Database& db, ImageId image) {
  std::vector<InheritedWord> words;
  MAGPIE_TRY(Query rows, db.query("SELECT word, weight, source FROM inherited_words WHERE image = ? ORDER BY weight DESC, word", image));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    words.push_back({row.string(0), static_cast<float>(row.real(1)), static_cast<ImageId>(row.int64(2))});
    return {};
  }));
  return words;
}

Result<std::vector<ImageId>> read_heirs(Database& db, ImageId source) {
  std::vector<ImageId> heirs;
  MAGPIE_TRY(Query rows, db.query("SELECT DISTINCT image FROM inherited_words WHERE source = ? ORDER BY image", source));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    heirs.push_back(static_cast<ImageId>(row.int64(0)));
    return {};
  }));
  return heirs;
}

Result<std::optional<NoteworthyFeatures>> read_noteworthy_features(Database& db, ImageId image) {
  constexpr std::string_view kShown = "FROM urls u JOIN image_refs r ON r.url = u.id WHERE u.image = i.id";
  MAGPIE_TRY(
      Query row,
      db.query(fmt::format("SELECT i.width * i.height, i.frames, i.fetched_at, ifnull(s.rarity, 1), ifnull(s.look_alikes, 0), "
                           "ifnull(s.own_words, 0), (SELECT count(*) FROM inherited_words w WHERE w.image = i.id), "
                           "(SELECT count(*) FROM images c WHERE c.copy_group = i.copy_group AND c.id <> i.id), "
                           "(SELECT count(DISTINCT r.page) {0}), "
                           "(SELECT count(DISTINCT p.shop) FROM pages p WHERE p.id IN (SELECT r.page {0})), "
                           "(SELECT count(DISTINCT r.product) {0}), "
                           "(SELECT count(*) FROM product_changes c WHERE c.field = 'price' AND c.product IN (SELECT r.product {0})), "
                           "(SELECT count(*) FROM urls u JOIN labels l ON l.url = u.id WHERE u.image = i.id AND l.label <> ''), "
                           "(SELECT count(*) FROM regions g WHERE g.image = i.id) "
                           "FROM images i LEFT JOIN surroundings s ON s.image = i.id WHERE i.id = ?",
                           kShown),
               image));
  MAGPIE_TRY(const bool known, row.next());
  if (!known) return std::optional<NoteworthyFeatures>();
  NoteworthyFeatures features;
  features.pixels = static_cast<std::uint64_t>(row.int64(0));
  features.frames = static_cast<std::uint32_t>(row.int64(1));
  features.fetched_at = from_millis(row.int64(2));
  features.rarity = static_cast<float>(row.real(3));
  int column = 4;
  for (std::uint32_t* count : {&features.look_alikes, &features.own_words, &features.inherited_words, &features.copies, &features.pages,
                               &features.shops, &features.products, &features.price_changes, &features.labels, &features.regions})
    *count = static_cast<std::uint32_t>(row.int64(column++));
  return std::optional(features);
}

}  // namespace magpie
