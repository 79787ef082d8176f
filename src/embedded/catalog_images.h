#pragma once
// Pictures of the catalog: all that is said of one, joined. SQL only; core/catalog.h says what each call means.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

Result<std::optional<Image>> read_image(Database& db, ImageId id);
Result<std::optional<IndexDocument>> read_index_document(Database& db, ImageId id);
Result<std::optional<ImageDetails>> read_image_details(Database& db, ImageId id);
Result<std::vector<ImageDetails>> read_images_in_brief(Database& db, std::span<const ImageId> ids);
Result<std::vector<EmbeddedRegion>> read_regions(Database& db, ImageId id, std::string_view space);
Result<std::vector<std::string>> read_own_words(Database& db, ImageId id);
Result<std::vector<ImageId>> read_images_shown_by(Database& db, PageId page);
Result<std::optional<ImageId>> read_image_by_sha256(Database& db, const Sha256& sha256);
Result<std::vector<std::string>> read_labelled_urls(Database& db, std::string_view source, std::string_view label, std::size_t limit);
Result<std::vector<LabelCount>> read_label_counts(Database& db, std::string_view source);
Result<std::optional<Embedding>> read_embedding(Database& db, ImageId id, std::string_view space);

}  // namespace magpie
