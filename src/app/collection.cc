#include "app/collection.h"

#include "base/log.h"
#include "embedded/archive.h"
#include "embedded/catalog.h"
#include "embedded/frontier.h"
#include "embedded/variants.h"

namespace magpie {
namespace {

/// "index" -> "index-2" -> "index-3".
std::string next_name(const std::string& name) {
  const std::size_t dash = name.rfind('-');
  return fmt::format("index-{}", dash == std::string::npos ? 2 : std::strtoul(name.c_str() + dash + 1, nullptr, 10) + 1);
}

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

Collection::OpenIndex::~OpenIndex() {
  index.reset();
  std::error_code error;
  if (is_superseded) fs::remove_all(folder, error);
  if (error) log::warn("index.not_removed", {{"folder", folder.string()}, {"why", error.message()}});
}

Result<std::shared_ptr<Collection::OpenIndex>> Collection::open_index(const CollectionFolder& folder, std::string name,
                                                                      embedded::IndexOptions options) {
  const auto opened = std::make_shared<OpenIndex>();
  opened->folder = folder.path() / name;
  opened->name = std::move(name);
  MAGPIE_TRY(opened->index, embedded::open_index(opened->folder, std::move(options)));
  return opened;
}

Result<std::string> Collection::read_index_name() const {
  MAGPIE_TRY(const std::optional<std::string> name, catalog_->meta(kIndexName));
  return name.value_or(folder_.index().filename().string());
}

std::shared_ptr<embedded::Index> Collection::index() const {
  const auto opened = index_.with([](const auto& current) { return current; });
  return {opened, opened->index.get()};
}

Result<std::shared_ptr<embedded::Index>> Collection::begin_next_index(std::string_view space) {
  drop_next_index();
  const std::string name = index_.with([](const auto& current) { return next_name(current->name); });
  std::error_code error;
  fs::remove_all(folder_.path() / name, error);
  if (error) return fail(Code::kUnavailable, "{} cannot be removed: {}", (folder_.path() / name).string(), error.message());
  MAGPIE_TRY(next_, open_index(folder_, name, {.vector_space = std::string(space)}));
  return std::shared_ptr<embedded::Index>(next_, next_->index.get());
}

void Collection::drop_next_index() {
  if (next_) next_->is_superseded = true;
  next_.reset();
}

void Collection::use_next_index() {
  const auto before = index_.with([this](auto& current) { return std::exchange(current, std::move(next_)); });
  before->is_superseded = true;
  next_.reset();
}

Result<void> Collection::purge_index() {
  MAGPIE_TRY_DO(index()->purge());
  return next_ ? next_->index->purge() : Result<void>();
}

Result<std::unique_ptr<Collection>> Collection::open_to_manage(const CollectionFolder& folder) {
  std::unique_ptr<Collection> collection(new Collection(folder));
  MAGPIE_TRY(CollectionFolder::Lock lock, folder.lock());
  collection->lock_ = std::make_unique<CollectionFolder::Lock>(std::move(lock));
  MAGPIE_TRY(collection->archive_, open_archive(folder.archive()));
  MAGPIE_TRY(collection->variants_, open_variant_store(folder.variants()));
  MAGPIE_TRY(collection->catalog_, open_catalog(folder.catalog()));
  MAGPIE_TRY(collection->frontier_, open_frontier(folder.frontier()));
  MAGPIE_TRY(const std::string index_name, collection->read_index_name());
  remove_other_indexes(folder, index_name);
  MAGPIE_TRY(auto index, open_index(folder, index_name, {}));
  collection->index_.with([&](auto& current) { current = std::move(index); });
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
  while (true) {
    MAGPIE_TRY(const std::string index_name, collection->read_index_name());
    auto index = open_index(folder, index_name, {.read_only = true});
    MAGPIE_TRY(const std::string named_now, collection->read_index_name());
    if (named_now != index_name) continue;  // another took its place meanwhile
    if (!index) return Failure(index.error());
    collection->index_.with([&](auto& current) { current = *std::move(index); });
    return collection;
  }
}

}  // namespace magpie
