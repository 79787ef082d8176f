#pragma once
// Rows of catalog.db to records and back; shared by its writer and its readers.
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

std::int64_t to_millis(Timestamp time);
Timestamp from_millis(std::int64_t millis);

/// Lists of texts lie in one column: base/wire.h's form would hide them from other tools, so they are JSON arrays.
std::string to_json_list(const std::vector<std::string>& values);
std::vector<std::string> from_json_list(std::string_view json);

/// Bits of pages.robots. Persisted: append only.
inline constexpr int kRobotsNoIndex = 1, kRobotsNoFollow = 2, kRobotsNoImageIndex = 4, kRobotsNoAi = 8;
inline constexpr int kRobotsForbidsImages = kRobotsNoIndex | kRobotsNoImageIndex;
int robots_bits(const RobotsMeta& robots);
RobotsMeta robots_from(std::int64_t bits);

std::string encode_colours(const std::vector<ColourShare>& colours);
std::vector<ColourShare> decode_colours(std::string_view bytes);

ArchivePlace place_at(const Query& row, int column);

#define MAGPIE_FETCH_COLUMNS                                                                                                               \
  "url, kind, redirect, status, cause, detail, content_type, etag, last_modified, fetched_at, took_ms, body_bytes, file, offset, length, " \
  "job"
Fetch fetch_from(const Query& row);
inline constexpr int kFetchJobColumn = 15;

#define MAGPIE_IMAGE_COLUMNS                                                                                                             \
  "id, sha256, format, width, height, frames, orientation, bytes, phash, dhash, pdq, pdq_quality, brightness, colours, "                 \
  "file, offset, length, thumbnail_file, thumbnail_offset, thumbnail_length, preview_file, preview_offset, preview_length, fetched_at, " \
  "copy_group, colour_grid, duration_ms, plays"
Image image_from(const Query& row);

#define MAGPIE_PRODUCT_COLUMNS                                                                                                     \
  "id, page, name, brand, description, sku, gtin, category, price, price_micros, currency, old_price, availability, images, url, " \
  "evidence, variants"
/// A list of texts, four an entry: field, origin's number, sure_percent, otherwise.
std::string to_json(const std::vector<FieldEvidence>& evidence);
/// A list of texts, for each variant: how many options, their names and values, sku, gtin, price, currency, old price, availability, image.
std::string to_json(const std::vector<ProductVariant>& variants);
/// Of a row with MAGPIE_PRODUCT_COLUMNS from the first column on.
StoredProduct product_from(const Query& row);

#define MAGPIE_JOB_COLUMNS "id, name, seeds, settings, state, detail, created_at, started_at, finished_at, counters"
Job job_from(const Query& row);

/// Calls `use` for each row until it fails.
template <class Use>
Result<void> each_row(Query& rows, Use&& use) {
  while (true) {
    MAGPIE_TRY(const bool more, rows.next());
    if (!more) return {};
    MAGPIE_TRY_DO(use(rows));
  }
}

/// The ids in the first column.
Result<std::vector<ImageId>> image_ids(Query& rows);

}  // namespace magpie
