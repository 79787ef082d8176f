#pragma once
// An open collection: the embedded implementation behind every port. The one place that names src/embedded.
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "app/collection_folder.h"
#include "base/guarded.h"
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
  static constexpr std::string_view kIndexName = "index_name";  // in the catalog's meta
  Archive& archive() { return *archive_; }
  std::mutex& archive_writing() { return archive_writing_; }
  VariantStore& variants() { return *variants_; }
  Catalog& catalog() { return *catalog_; }
  Frontier& frontier() { return *frontier_; }  // only when managing
  /// What is searched. Another may take its place; whoever works with this one keeps it alive, and the last one leaves nothing of it
  /// behind. Thread-safe.
  std::shared_ptr<embedded::Index> index() const;
  /// Of index(); they live until another takes its place.
  TextIndex& text() { return index()->text(); }
  VectorIndex& vectors() { return index()->vectors(); }

  // One thread at a time does what follows.
  /// Makes an empty index of vectors of `space` in a folder of its own. One that was there before is thrown away.
  Result<std::shared_ptr<embedded::Index>> begin_next_index(std::string_view space);
  void drop_next_index();
  /// The folder within the collection's that it is in. It is the collection's once the catalog names it (kIndexName).
  const std::string& next_index_name() const { return next_->name; }
  /// Once the catalog does: it is what is searched from now on.
  void use_next_index();
  /// Nothing of what was removed from the index, or from the next one, is left on the disk (embedded/index.h).
  Result<void> purge_index();

 private:
  explicit Collection(CollectionFolder folder) : folder_(std::move(folder)) {}
  struct OpenIndex {
    ~OpenIndex();
    std::string name;
    fs::path folder;
    std::unique_ptr<embedded::Index> index;
    std::atomic<bool> is_superseded{false};  // its folder goes with it
  };
  static Result<std::shared_ptr<OpenIndex>> open_index(const CollectionFolder& folder, std::string name, embedded::IndexOptions options);
  Result<std::string> read_index_name() const;
  CollectionFolder folder_;
  std::unique_ptr<CollectionFolder::Lock> lock_;
  std::mutex archive_writing_;
  std::unique_ptr<Archive> archive_;
  std::unique_ptr<VariantStore> variants_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Frontier> frontier_;
  Guarded<std::shared_ptr<OpenIndex>> index_;
  std::shared_ptr<OpenIndex> next_;
};

}  // namespace magpie
