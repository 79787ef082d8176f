#include "embedded/catalog_copies.h"

#include <chrono>
#include <cmath>
#include <set>

#include "base/wire.h"
#include "embedded/catalog_rows.h"

namespace magpie {
namespace {

ImageId image_at(const Query& row, int column) { return static_cast<ImageId>(row.int64(column)); }

// A tone's red and blue, -255..255, in one number.
constexpr std::int64_t kToneUnit = 512;

std::optional<std::int64_t> packed(const std::optional<Tone>& tone) {
  if (!tone) return std::nullopt;
  return (std::lround(tone->red) + 255) * kToneUnit + std::lround(tone->blue) + 255;
}

std::optional<Tone> tone_at(const Query& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  const std::int64_t both = row.int64(column);
  return Tone{static_cast<double>(both / kToneUnit - 255), static_cast<double>(both % kToneUnit - 255)};
}

CopyLink link_from(const Query& row) {
  return {.image = image_at(row, 0),
          .other = image_at(row, 1),
          .cause = static_cast<CopyCause>(row.int64(2)),
          .words = row.string(3),
          .tone = tone_at(row, 4),
          .other_tone = tone_at(row, 5)};
}

std::string encode_images(const std::vector<ImageId>& images) {
  WireWriter out;
  out.u64(images.size());
  for (const ImageId image : images) out.u64(image);
  return out.take();
}

std::vector<ImageId> decode_images(std::string_view bytes) {
  WireReader in(bytes);
  std::vector<ImageId> images(in.count());
  for (ImageId& image : images) image = static_cast<ImageId>(in.u64());
  return images;
}

std::string encode_pairs(const std::vector<CopyPair>& pairs) {
  WireWriter out;
  out.u64(pairs.size());
  for (const CopyPair& pair : pairs) {
    out.u64(pair.image);
    out.u64(pair.other);
    out.u64(pair.verdict ? static_cast<std::uint64_t>(*pair.verdict) : 0);
  }
  return out.take();
}

std::vector<CopyPair> decode_pairs(std::string_view bytes) {
  WireReader in(bytes);
  std::vector<CopyPair> pairs(in.count());
  for (CopyPair& pair : pairs) {
    pair.image = static_cast<ImageId>(in.u64());
    pair.other = static_cast<ImageId>(in.u64());
    if (const std::uint64_t verdict = in.u64(); verdict != 0) pair.verdict = static_cast<CopyVerdict>(verdict);
  }
  return pairs;
}

CopyReview review_from(const Query& row) {
  return {.id = static_cast<std::uint64_t>(row.int64(0)),
          .action = static_cast<CopyAction>(row.int64(1)),
          .images = decode_images(row.blob(2)),
          .before = decode_pairs(row.blob(3)),
          .at = from_millis(row.int64(4)),
          .undone = row.int64(5) != 0};
}

/// Of "keep" reviews that hold, the pictures each speaks of, as they are encoded.
Result<std::set<std::string>> kept_groups(Database& db) {
  std::set<std::string> kept;
  MAGPIE_TRY(Query rows, db.query("SELECT images FROM copy_reviews WHERE action = ? AND undone = 0", static_cast<int>(CopyAction::kKeep)));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    kept.insert(std::string(row.blob(0)));
    return {};
  }));
  return kept;
}

}  // namespace

Result<void> put_copy_link(Database& db, const CopyLink& link) {
  MAGPIE_TRY_DO(db.run("INSERT OR REPLACE INTO copy_links (image, other, cause, words, tone, other_tone) VALUES (?, ?, ?, ?, ?, ?)",
                       link.image, link.other, static_cast<int>(link.cause), link.words, packed(link.tone), packed(link.other_tone)));
  return {};
}

Result<void> set_copy_verdict(Database& db, const CopyPair& pair) {
  if (pair.verdict)
    MAGPIE_TRY_DO(db.run("INSERT OR REPLACE INTO copy_verdicts (image, other, verdict) VALUES (?, ?, ?)", pair.image, pair.other,
                         static_cast<int>(*pair.verdict)));
  else MAGPIE_TRY_DO(db.run("DELETE FROM copy_verdicts WHERE image = ? AND other = ?", pair.image, pair.other));
  return {};
}

Result<std::uint64_t> add_copy_review(Database& db, const CopyReview& review) {
  MAGPIE_TRY_DO(db.run("INSERT INTO copy_reviews (action, images, before, at, undone) VALUES (?, ?, ?, ?, 0)",
                       static_cast<int>(review.action), Blob{encode_images(review.images)}, Blob{encode_pairs(review.before)},
                       to_millis(review.at)));
  return static_cast<std::uint64_t>(db.last_id());
}

Result<void> undo_copy_review(Database& db, std::uint64_t id) {
  MAGPIE_TRY(Query row, db.query("UPDATE copy_reviews SET undone = 1 WHERE id = ? RETURNING id", id));
  MAGPIE_TRY(const bool found, row.next());
  if (!found) return fail(Code::kNotFound, "there is no review {}", id);
  MAGPIE_TRY_DO(row.next());
  return {};
}

Result<std::vector<CopyGroup>> read_copy_groups(Database& db, ImageId after, bool unreviewed_only, std::size_t limit) {
  MAGPIE_TRY(const std::set<std::string> kept, kept_groups(db));
  std::vector<CopyGroup> groups;
  // Read as far as groups are wanted: the index of groups gives them in this order.
  MAGPIE_TRY(Query ids,
             db.query("SELECT DISTINCT copy_group FROM images WHERE copy_group > ? AND copy_group <> id ORDER BY copy_group", after));
  while (groups.size() < limit) {
    MAGPIE_TRY(const bool more, ids.next());
    if (!more) break;
    CopyGroup group{.id = image_at(ids, 0), .images = {}};
    MAGPIE_TRY(Query images, db.query("SELECT id FROM images WHERE copy_group = ? ORDER BY id", group.id));
    MAGPIE_TRY_DO(each_row(images, [&](const Query& row) -> Result<void> {
      group.images.push_back(image_at(row, 0));
      return {};
    }));
    group.is_reviewed = kept.contains(encode_images(group.images));
    if (!unreviewed_only || !group.is_reviewed) groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<CopyLink>> read_copy_links(Database& db, ImageId group, std::size_t limit) {
  std::vector<CopyLink> links;
  MAGPIE_TRY(Query rows,
             db.query("SELECT l.image, l.other, l.cause, l.words, l.tone, l.other_tone FROM images a JOIN copy_links l ON "
                      "l.image = a.id JOIN images b ON b.id = "
                      "l.other WHERE a.copy_group = ? AND b.copy_group = a.copy_group AND l.cause <> ? ORDER BY l.image, l.other LIMIT ?",
                      group, static_cast<int>(CopyCause::kOtherColour), limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    links.push_back(link_from(row));
    return {};
  }));
  return links;
}

Result<std::vector<CopyReview>> read_copy_reviews(Database& db, std::optional<std::uint64_t> id, std::size_t limit) {
  std::vector<CopyReview> reviews;
  MAGPIE_TRY(Query rows,
             db.query("SELECT id, action, images, before, at, undone FROM copy_reviews WHERE ? = 0 OR id = ? ORDER BY id DESC LIMIT ?",
                      id ? 1 : 0, id.value_or(0), limit));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    reviews.push_back(review_from(row));
    return {};
  }));
  return reviews;
}

Result<std::vector<CopyReview>> read_copy_reviews_since(Database& db, std::uint64_t id) {
  std::vector<CopyReview> reviews;
  MAGPIE_TRY(Query rows, db.query("SELECT id, action, images, before, at, undone FROM copy_reviews WHERE id > ? ORDER BY id", id));
  MAGPIE_TRY_DO(each_row(rows, [&](const Query& row) -> Result<void> {
    reviews.push_back(review_from(row));
    return {};
  }));
  return reviews;
}

Result<void> read_each_copy(Database& db, const std::function<Result<void>(ImageId, ImageId)>& visit) {
  MAGPIE_TRY(Query rows, db.query("SELECT id, copy_group FROM images WHERE copy_group <> id ORDER BY id"));
  return each_row(rows, [&](const Query& row) { return visit(image_at(row, 0), image_at(row, 1)); });
}

Result<void> read_each_copy_link(Database& db, const std::function<Result<void>(const CopyLink&)>& visit) {
  MAGPIE_TRY(Query rows, db.query("SELECT image, other, cause, words, tone, other_tone FROM copy_links ORDER BY image, other"));
  return each_row(rows, [&](const Query& row) { return visit(link_from(row)); });
}

Result<void> read_each_copy_verdict(Database& db, const std::function<Result<void>(const CopyPair&)>& visit) {
  MAGPIE_TRY(Query rows, db.query("SELECT image, other, verdict FROM copy_verdicts ORDER BY image, other"));
  return each_row(rows, [&](const Query& row) {
    return visit({.image = image_at(row, 0), .other = image_at(row, 1), .verdict = static_cast<CopyVerdict>(row.int64(2))});
  });
}

}  // namespace magpie
