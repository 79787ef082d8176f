#pragma once
// TextIndex and VectorIndex on the local disk, both over one index::Engine, so that one commit covers both. See index/engine.h for
// files, threads and crashes.
#include <memory>
#include <optional>
#include <string>

#include "base/files.h"
#include "core/text_index.h"
#include "core/vector_index.h"

namespace magpie::embedded {

struct IndexOptions {
  bool read_only = false;                        // any number of these beside one writer; sees its commits after refresh()
  std::string vector_space;                      // core/embedder.h: space(); "" accepts what is there
  bool merge_in_background = true;               // false: within commit()
  std::optional<std::size_t> graph_vectors_min;  // from how many vectors on a segment gets a graph; index/graph_file.h says why so many
};

class Index {
 public:
  virtual ~Index() = default;
  /// Both live as long as this object.
  virtual TextIndex& text() = 0;
  virtual VectorIndex& vectors() = 0;
  /// For a read-only index: takes over what the writer has committed since; true if there was something. False for a writer.
  virtual Result<bool> refresh() = 0;
  /// Everything into one segment: the fastest to search. Takes seconds per gigabyte; searches and commits go on meanwhile.
  virtual Result<void> merge_all() = 0;
  /// Writes segments that have removed rows anew, so that nothing of those is left on the disk.
  virtual Result<void> purge() = 0;
  /// Reads every byte and checks its sums. kCorrupt names what is damaged.
  virtual Result<void> verify() const = 0;
  /// Size on disk of the last commit.
  virtual std::uint64_t bytes() const = 0;
};

/// Opens the folder, made if missing unless read-only (then it counts as empty). kBusy: another process writes there.
/// kBadInput: vectors of another space. kCorrupt.
Result<std::unique_ptr<Index>> open_index(const fs::path& folder, IndexOptions options = {});

}  // namespace magpie::embedded
