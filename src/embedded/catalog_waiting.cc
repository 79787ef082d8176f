#include "embedded/catalog_waiting.h"

#include "embedded/catalog_rows.h"

namespace magpie {

Result<std::vector<UrlRecord>> read_due(Database& db, JobId job, Timestamp now, bool all, std::size_t limit) {
  std::vector<UrlRecord> due;
  const auto collect = [&](const Query& row) -> Result<void> {
    due.push_back(
        {.url = row.string(0), .kind = static_cast<UrlKind>(row.int64(1)), .depth = static_cast<std::uint16_t>(row.int64(2)), .job = job});
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
}

Result<std::vector<WaitingImage>> read_waiting_images(Database& db, std::int64_t after, std::size_t limit) {
  std::vector<WaitingImage> waiting;
  MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_FETCH_COLUMNS
                                  ", id FROM urls WHERE id > ? AND kind = ? AND cause = 0 AND image IS NULL AND file > 0 AND redirect = '' "
                                  "ORDER BY id LIMIT ?",
                                  after, static_cast<int>(UrlKind::kImage), limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    waiting.push_back({row.int64(kFetchJobColumn + 1), static_cast<JobId>(row.int64(kFetchJobColumn)), fetch_from(row)});
    return {};
  }));
  return waiting;
}

Result<std::vector<Image>> read_images_without(Database& db, std::string_view space, ImageId after, std::size_t limit) {
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
}

Result<std::vector<Image>> read_images_undetected(Database& db, std::string_view detector, std::string_view space, ImageId after,
                                                  std::size_t limit) {
  std::vector<Image> undetected;
  MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id > ? AND detector <> ? AND EXISTS "
                                  "(SELECT 1 FROM embeddings e WHERE e.space = ? AND e.image = images.id) ORDER BY id LIMIT ?",
                                  after, detector, space, limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    undetected.push_back(image_from(row));
    return {};
  }));
  return undetected;
}

Result<std::vector<Image>> read_images_uncompared(Database& db, std::string_view space, ImageId after, std::size_t limit) {
  std::vector<Image> uncompared;
  MAGPIE_TRY(Query rows, db.query("SELECT " MAGPIE_IMAGE_COLUMNS " FROM images WHERE id > ? "
                                  "AND NOT EXISTS (SELECT 1 FROM copy_sketches c WHERE c.image = images.id) "
                                  "AND NOT EXISTS (SELECT 1 FROM to_index i WHERE i.image = images.id) "
                                  "AND EXISTS (SELECT 1 FROM embeddings e WHERE e.space = ? AND e.image = images.id) ORDER BY id LIMIT ?",
                                  after, space, limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    uncompared.push_back(image_from(row));
    return {};
  }));
  return uncompared;
}

Result<std::vector<ImageId>> read_images_to_surround(Database& db, std::string_view space, ImageId after, std::size_t limit) {
  MAGPIE_TRY(Query rows, db.query("SELECT id FROM images WHERE id > ?1 "
                                  "AND NOT EXISTS (SELECT 1 FROM surroundings s WHERE s.image = images.id AND s.space = ?2) "
                                  "AND NOT EXISTS (SELECT 1 FROM to_index i WHERE i.image = images.id) "
                                  "AND EXISTS (SELECT 1 FROM embeddings e WHERE e.space = ?2 AND e.image = images.id) ORDER BY id LIMIT ?3",
                                  after, space, limit));
  return image_ids(rows);
}

}  // namespace magpie
