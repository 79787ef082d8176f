#include "app/collection.h"

#include "base/log.h"
#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/frontier.h"
#include "embedded/variants.h"

namespace magpie {
namespace {

/// What another index has taken the place of, and what was not finished.
void remove_other_indexes(const CollectionFolder& folder, const std::string& index_name) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path(), error)) {
    const std::string name = entry.path().filename().string();
    if (name == index_name || (name != "index" && !name.starts_with("index-"))) continue;
    std::error_code failed;
    if (!entry.is_symlink(failed) && entry.is_directory(failed)) fs::remove_all(entry.path(), failed);
    if (failed) log::warn("index.not_removed", {{"folder", entry.path().string()}, {"why", failed.message()}});
  }
}

}  // namespace

Result<void> Collection::read_index_name() {
  MAGPIE_TRY(const std::optional<std::string> name, catalog_->meta(kIndexName));
  index_name_ = name.value_or(folder_.index().filename().string());
  return {};
}

Result<std::unique_ptr<Collection>> Collection::open_to_manage(const CollectionFolder& folder) {
  std::unique_ptr<Collection> collection(new Collection(folder));
  MAGPIE_TRY(CollectionFolder::Lock lock, folder.lock());
  collection->lock_ = std::make_unique<CollectionFolder::Lock>(std::move(lock));
  MAGPIE_TRY(collection->archive_, open_archive(folder.archive()));
  MAGPIE_TRY(collection->variants_, open_variant_store(folder.variants()));
  MAGPIE_TRY(collection->catalog_, open_catalog(folder.catalog()));
  MAGPIE_TRY(collection->frontier_, open_frontier(folder.frontier()));
  MAGPIE_TRY_DO(collection->read_index_name());
  remove_other_indexes(folder, collection->index_name_);
  MAGPIE_TRY(collection->index_, embedded::open_index(folder.path() / collection->index_name_));
  return collection;
}

Result<std::unique_ptr<Collection>> Collection::open_to_read(const CollectionFolder& folder) {
  std::error_code error;
  if (!fs::exists(folder.catalog(), error)) {
    return fail(Code::kNotFound, "{} is empty; fill it with: magpie crawl --collection {} --agent NAME https://…", folder.path().string(),
                folder.path().string());
  }
  std::unique_ptr<Collection> collection(new Collection(folder));
  ArchiveOptions archive;
  archive.read_only = true;
  MAGPIE_TRY(collection->archive_, open_archive(folder.archive(), archive));
  VariantStoreOptions variants;
  variants.read_only = true;
  MAGPIE_TRY(collection->variants_, open_variant_store(folder.variants(), variants));
  CatalogOptions catalog;
  catalog.read_only = true;
  MAGPIE_TRY(collection->catalog_, open_catalog(folder.catalog(), catalog));
  embedded::IndexOptions index;
  index.read_only = true;
  MAGPIE_TRY_DO(collection->read_index_name());
  MAGPIE_TRY(collection->index_, embedded::open_index(folder.path() / collection->index_name_, index));
  return collection;
}

}  // namespace magpie
