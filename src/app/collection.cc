#include "app/collection.h"

#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/frontier.h"
#include "embedded/variants.h"

namespace magpie {

Result<std::unique_ptr<Collection>> Collection::open_to_manage(const CollectionFolder& folder) {
  std::unique_ptr<Collection> collection(new Collection(folder));
  MAGPIE_TRY(CollectionFolder::Lock lock, folder.lock());
  collection->lock_ = std::make_unique<CollectionFolder::Lock>(std::move(lock));
  MAGPIE_TRY(collection->archive_, open_archive(folder.archive()));
  MAGPIE_TRY(collection->variants_, open_variant_store(folder.variants()));
  MAGPIE_TRY(collection->catalog_, open_catalog(folder.catalog()));
  MAGPIE_TRY(collection->frontier_, open_frontier(folder.frontier()));
  MAGPIE_TRY(collection->index_, embedded::open_index(folder.index()));
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
  MAGPIE_TRY(collection->index_, embedded::open_index(folder.index(), index));
  return collection;
}

}  // namespace magpie
