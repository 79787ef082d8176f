#pragma once
// One collection is one folder. It is made by `magpie init`, found upwards from the current folder or named by --collection, and
// managed by one process at a time.
//   magpie.yaml    settings that differ from the defaults        archive/   WARC files: every answer, bit for bit
//   catalog.db     what is known of pages, products, pictures    frontier/  addresses known and waiting
//   index/         words, facts and vectors, rebuilt at will     variants/  thumbnails and previews
//   lock           held by the manager                           manager.sock  where the manager listens for other commands
#include <map>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

class SettingsRegistry;

class CollectionFolder {
 public:
  /// Makes the folder and its magpie.yaml. kBusy if there is a collection already, kForbidden, kUnavailable.
  static Result<CollectionFolder> create(const fs::path& path);
  /// The folder itself if it holds a collection. kNotFound says how to make one.
  static Result<CollectionFolder> open(const fs::path& path);
  /// The nearest folder at or above the current one that holds a collection.
  static Result<CollectionFolder> find();
  /// `named` if given (made into a collection first if it is new or empty and `create_it`), else find().
  static Result<CollectionFolder> choose(const std::string& named, bool create_it);

  const fs::path& path() const { return path_; }
  fs::path settings_file() const { return path_ / "magpie.yaml"; }
  fs::path archive() const { return path_ / "archive"; }
  fs::path frontier() const { return path_ / "frontier"; }
  fs::path catalog() const { return path_ / "catalog.db"; }
  fs::path index() const { return path_ / "index"; }  // the first one; Collection::index_name() knows which it is now
  fs::path variants() const { return path_ / "variants"; }
  fs::path shops() const { return path_ / "shops"; }            // app/shops.h
  fs::path bridge() const { return path_ / "bridge"; }          // app/collection_bridge.h
  fs::path browser() const { return path_ / "browser"; }        // a running browser's profile; removed behind it
  fs::path keys() const { return path_ / "keys"; }              // serve/access_keys.h
  fs::path forgetting() const { return path_ / "forgetting"; }  // what is being forgotten, until it is (app/forgetting.h)
  fs::path socket() const { return path_ / "manager.sock"; }

  /// Reads magpie.yaml into the registry; nested keys are joined by dots. kBadInput names the file, the key and the nearest name.
  Result<void> read_settings(SettingsRegistry& registry) const;

  /// Held while a process manages the collection; let go when destroyed or when the process ends, however it ends.
  class Lock {
   public:
    explicit Lock(UniqueFd fd) : fd_(std::move(fd)) {}

   private:
    UniqueFd fd_;
  };
  /// kBusy names the process that holds it.
  Result<Lock> lock() const;

 private:
  explicit CollectionFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace magpie
