#include <algorithm>
#include <map>
#include <numeric>
#include <thread>

#include "analyse/copies.h"
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

// Sets of pictures that are joined pair by pair; the smallest member stands for its set.
class Clusters {
 public:
  explicit Clusters(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  std::size_t of(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    a = of(a), b = of(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

Clusters cluster(const std::vector<Result<PictureFacts>>& pictures) {
  Clusters clusters(pictures.size());
  analyse::CopyFinder finder;
  std::map<Sha256, std::size_t> by_bytes;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (!pictures[i]) continue;
    const PictureFacts& facts = *pictures[i];
    const auto [same, is_new] = by_bytes.emplace(facts.sha256, i);
    if (!is_new) {
      clusters.join(i, same->second);
      continue;
    }
    const analyse::CopyEvidence evidence{.hashes = facts.hashes, .size = facts.upright, .colours = facts.colour_grid};
    for (const analyse::Copy& copy : finder.copies_of(evidence)) clusters.join(i, copy.image);
    finder.add(i, evidence);
  }
  return clusters;
}

}  // namespace

int inspect_duplicates(InspectArgs args) {
  if (args.size() != 1) {
    fmt::print(stderr, "magpie: inspect duplicates wants one folder: magpie inspect duplicates DIR\n");
    return 2;
  }
  const Result<std::vector<fs::path>> files = files_below(args[0]);
  if (!files) {
    fmt::print(stderr, "magpie: {}\n", files.error().message);
    return 2;
  }
  PictureReader reader(std::clamp(std::thread::hardware_concurrency(), 1u, 8u));
  const std::vector<Result<PictureFacts>> pictures = reader.read_all(*files);
  Clusters clusters = cluster(pictures);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const std::string path = (*files)[i].string();
    if (!pictures[i]) {
      fmt::print(stderr, "magpie: {} is left out: {}\n", path, pictures[i].error().message);
      continue;
    }
    JsonWriter json;
    json.begin_object().field("cluster", clusters.of(i)).field("path", path).end_object();
    print_line(json.text());
  }
  return 0;
}

}  // namespace magpie::cmd
