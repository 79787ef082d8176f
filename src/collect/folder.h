#pragma once
// A folder of pictures on this machine as a source: which files it has, and the client that gives them to a crawl by file: addresses.
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "collect/description.h"
#include "collect/item.h"
#include "net/http_client.h"

namespace magpie::collect {

/// "file:///home/me/a%20b.jpg" of an absolute path.
std::string file_address(const fs::path& path);

/// Walks a folder and those in it, in the order of names, so that a picture's place does not depend on the disk. Files count as pictures by
/// their endings (.jpg, .png, .webp, …, in any letter case); what is hidden (".git", ".DS_Store") is passed over, and so are links to
/// folders and links out of `root`. Used by one thread. Memory: the names in the folders that are open.
class FolderWalk {
 public:
  /// `label` is that of all pictures; empty: each has the name of the folder below `root` that it lies in, as in an ImageFolder tree, and
  /// one that lies in `root` itself has none. kNotFound when `root` is no folder, kForbidden when it cannot be read.
  static Result<FolderWalk> open(const fs::path& root, std::string label, std::string licence);

  struct Piece {
    std::vector<Item> items;
    bool end = false;
  };
  /// The next `items_max` pictures. Sub-folders that cannot be read are passed over, and named in problems().
  Piece next(std::size_t items_max);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  FolderWalk(fs::path root, std::string label, std::string licence)
      : root_(std::move(root)), label_(std::move(label)), licence_(std::move(licence)) {}
  Result<void> enter(const fs::path& folder);
  Item item_of(const fs::path& file) const;

  fs::path root_;
  std::string label_, licence_;
  std::vector<fs::path> ahead_;  // what is still to be looked at, the next one last
  std::vector<std::string> problems_;
};

/// Answers for the files below `root`, which is absolute and without links, and for nothing else on this machine: 404 for what is not
/// there, 403 for what may not be read, 304 for what has not changed since. The body keeps to the request's limit (kTooLarge). Errors:
/// make_local_client().
Result<std::unique_ptr<HttpClient>> make_folder_client(const fs::path& root);

/// The folder of a description, with no links left in its path, as addresses have it.
fs::path root_of(const Description& description);

/// Whether it is the address of something below `root`.
bool is_in_folder(const Url& url, const fs::path& root);

}  // namespace magpie::collect
