#pragma once
// What waits in the catalog: addresses that are due, pictures that a stage has not come to. SQL only; core/catalog.h says what each call
// means.
#include <string_view>
#include <vector>

#include "core/catalog.h"
#include "store/sqlite.h"

namespace magpie {

Result<std::vector<UrlRecord>> read_due(Database& db, JobId job, Timestamp now, bool all, std::size_t limit);
Result<std::vector<WaitingImage>> read_waiting_images(Database& db, std::int64_t after, std::size_t limit);
Result<std::vector<Image>> read_images_without(Database& db, std::string_view space, ImageId after, std::size_t limit);
Result<std::vector<Image>> read_images_undetected(Database& db, std::string_view detector, std::string_view space, ImageId after,
                                                  std::size_t limit);
Result<std::vector<Image>> read_images_uncompared(Database& db, std::string_view space, ImageId after, std::size_t limit);
Result<std::vector<ImageId>> read_images_to_surround(Database& db, std::string_view space, ImageId after, std::size_t limit);

}  // namespace magpie
