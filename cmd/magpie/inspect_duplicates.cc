#include <algorithm>
#include <map>
#include <optional>
#include <thread>

#include "analyse/copy_search.h"
#include "inspect.h"
#include "picture_facts.h"

namespace magpie::cmd {
namespace {

Result<std::vector<fs::path>> files_below(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->is_regular_file()) files.push_back(at->path());
  }
  if (error) return fail(Code::kNotFound, "{}: {}", folder.string(), error.message());
  std::sort(files.begin(), files.end());
  return files;
}

// What is known of one file.
struct Entry {
  std::optional<Error> error;
  std::size_t same_bytes_as = 0;  // itself, or the first file with these bytes
  std::uint32_t sketched = 0;     // its number in the search, if it is the first
  std::optional<analyse::CopyLink> link;
};

class DuplicateSearch {
 public:
  explicit DuplicateSearch(std::vector<fs::path> files) : files_(std::move(files)), entries_(files_.size()) {}

  void run() {
    PictureReader reader(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
    reader.sketch_all(files_, [this](std::size_t i, Result<FileSketch> file) { take(i, std::move(file)); });
  }

  void print() const {
    for (std::size_t i = 0; i < files_.size(); ++i) print(i);
  }

 private:
  void take(std::size_t i, Result<FileSketch> file) {
    Entry& entry = entries_[i];
    entry.same_bytes_as = i;
    if (!file) {
      entry.error = std::move(file.error());
      return;
    }
    const auto [first, is_new] = by_bytes_.emplace(file->sha256, i);
    entry.same_bytes_as = first->second;
    if (!is_new) return;
    entry.sketched = static_cast<std::uint32_t>(search_.size());
    std::vector<analyse::CopyLink> links = search_.add(std::move(file->sketch));
    file_of_.push_back(i);
    if (!links.empty()) entry.link = std::move(links.front());
  }

  void print(std::size_t i) const {
    const Entry& entry = entries_[i];
    const std::string path = files_[i].string();
    if (entry.error) {
      fmt::print(stderr, "magpie: {} is left out: {}\n", path, entry.error->message);
      return;
    }
    JsonWriter json;
    json.begin_object().field("cluster", file_of_[search_.group_of(entries_[entry.same_bytes_as].sketched)]).field("path", path);
    if (entry.same_bytes_as != i) {
      json.field("copy_of", files_[entry.same_bytes_as].string()).field("how", "the same bytes");
    } else if (entry.link) {
      json.field("copy_of", files_[file_of_[entry.link->picture]].string()).field("how", analyse::describe(entry.link->overlap));
    }
    print_line(json.end_object().text());
  }

  std::vector<fs::path> files_;
  std::vector<Entry> entries_;
  std::map<Sha256, std::size_t> by_bytes_;
  std::vector<std::size_t> file_of_;  // by number in the search
  analyse::CopySearch search_;
};

}  // namespace

int inspect_duplicates(InspectArgs args) {
  if (args.size() != 1) {
    fmt::print(stderr, "magpie: inspect duplicates wants one folder: magpie inspect duplicates DIR\n");
    return 2;
  }
  Result<std::vector<fs::path>> files = files_below(args[0]);
  if (!files) {
    fmt::print(stderr, "magpie: {}\n", files.error().message);
    return 2;
  }
  DuplicateSearch search(std::move(*files));
  search.run();
  search.print();
  return 0;
}

}  // namespace magpie::cmd
