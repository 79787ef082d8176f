#pragma once
// An open collection: the embedded implementation behind every port. The one place that names src/embedded.
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "app/collection_folder.h"
#include "core/archive.h"
#include "core/catalog.h"
#include "core/frontier.h"
#include "core/text_index.h"
#include "core/variants.h"
#include "core/vector_index.h"
#include "embedded/index.h"

namespace magpie {

class Collection {
 public:
  /// For the one process that manages it: takes the lock, makes and repairs what is needed. kBusy names who holds it.
  static Result<std::unique_ptr<Collection>> open_to_manage(const CollectionFolder& folder);
  /// For any number of readers beside a manager. There is no frontier then. kNotFound while nothing was crawled yet.
  static Result<std::unique_ptr<Collection>> open_to_read(const CollectionFolder& folder);

  const CollectionFolder& folder() const { return folder_; }
  /// The folder within the collection's that its index is in; the catalog names another once a new one has taken the first one's place.
  const std::string& index_name() const { return index_name_; }
  static constexpr std::string_view kIndexName = "index_name";  // in the catalog's meta
  Archive& archive() { return *archive_; }
  std::mutex& archive_writing() { return archive_writing_; }
  VariantStore& variants() { return *variants_; }
  Catalog& catalog() { return *catalog_; }
  Frontier& frontier() { return *frontier_; }  // only when managing
  TextIndex& text() { return index_->text(); }
  VectorIndex& vectors() { return index_->vectors(); }
  /// Nothing of what was removed from the index is left on the disk (embedded/index.h).
  Result<void> purge_index() { return index_->purge(); }

 private:
  explicit Collection(CollectionFolder folder) : folder_(std::move(folder)) {}
  Result<void> read_index_name();
  CollectionFolder folder_;
  std::string index_name_;
  std::unique_ptr<CollectionFolder::Lock> lock_;
  std::mutex archive_writing_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<VariantStore> variants_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Frontier> frontier_;
  std::unique_ptr<embedded::Index> index_;
};

}  // namespace magpie
