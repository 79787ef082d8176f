#pragma once
// The embedded search engine: one folder of immutable segments and a manifest, one writer, any number of readers in any number of
// processes. Text and vectors of a picture share one id and one commit, so a filter, a word and a likeness always speak of the same
// pictures.
//
//   writer   add/remove  → memory (analysed at once)
//            commit      → segment file, fsync → manifest replaced (that is the commit) → new snapshot published
//            merger      → background thread: reads old segments, writes one new, replaces the manifest; then builds the graphs that large
//                          segments lack, merging in between whenever there is something to merge
//   reader   snapshot()  → shared_ptr to what the last commit left; files live until the last snapshot that uses them is gone
//
// kill -9 at any moment leaves the last commit: files that the manifest does not name are removed when a writer opens the folder.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "base/bounded_queue.h"
#include "base/files.h"
#include "base/guarded.h"
#include "core/records.h"
#include "index/build_segment.h"
#include "index/manifest.h"
#include "index/snapshot.h"

namespace magpie::index {

enum class Access { kWrite, kRead };

struct EngineOptions {
  Access access = Access::kWrite;
  std::string vector_space;                          // name of the model the vectors come from; "" accepts what is there
  bool merge_in_background = true;                   // false: inside commit(), for tests and one-shot builds
  std::size_t graph_vectors_min = kGraphVectorsMin;  // segments with as many vectors, and sketches, get a graph
};

/// Bytes of text in one document at most.
inline constexpr std::size_t kDocumentTextMax = 1 << 20;

/// All functions are thread-safe. Writers wait for one another; snapshot() waits for nobody.
class Engine {
 public:
  /// Opens the folder, making it when writing. kBusy: another process writes there. kBadInput: its vectors are of another space (the
  /// message says to rebuild). kCorrupt: manifest or a segment is damaged. A reader of a folder that is not there sees an empty index.
  static Result<std::unique_ptr<Engine>> open(const fs::path& folder, EngineOptions options = {});
  ~Engine();

  // Contracts: core/text_index.h and core/vector_index.h. What was added and not committed is kept in memory: about 7 KB a picture
  // with a 1,280-component vector, so commit at least every 100,000.
  Result<void> add_document(IndexDocument document);
  Result<void> remove_document(ImageId id);
  Result<void> add_vectors(ImageId id, std::span<const PictureVector> vectors);
  Result<void> remove_vectors(ImageId id);
  Result<void> commit();

  std::shared_ptr<const Snapshot> snapshot() const;
  /// For readers: takes over what a writer of another process committed. True if there was something new. Cheap when there was not: reads
  /// the manifest.
  Result<bool> refresh();
  /// Merges everything into one segment, and builds its graph if it is large. Waits for a running merge.
  Result<void> merge_all();
  /// Merges every segment that has dead rows into a new one, so that nothing of a removed document or vector is left in the folder. Waits
  /// for a running merge. Cost: the segments that have any.
  Result<void> purge();
  /// Checks the sums of every byte of every segment.
  Result<void> verify() const;

 private:
  struct Writer {
    Pending pending;
    IdSet removed_documents, removed_vectors;  // since the last commit, dead in all older segments
    bool any_removed = false;
    std::uint64_t next_segment = 1;
    std::string vector_space;
    std::uint32_t dims = 0;
  };
  struct MergePlan {
    std::uint64_t number = 0;
    std::uint32_t dims = 0;
    std::vector<std::shared_ptr<const SegmentState>> sources;
  };

  Engine(fs::path folder, EngineOptions options) : folder_(std::move(folder)), options_(std::move(options)) {}
  Result<void> load();
  Result<std::shared_ptr<const Snapshot>> open_snapshot(const Manifest& manifest) const;
  Result<void> remove_strangers(const Manifest& manifest) const;
  Result<void> check_writable() const;
  Result<void> commit_pending(Writer& writer);
  Result<void> publish(const Writer& writer, std::vector<std::shared_ptr<const SegmentState>> segments);
  enum class MergeWish { kWhatIsDue, kEverything, kWithDeadRows };
  std::optional<MergePlan> plan_merge(MergeWish wish);
  Result<void> run_merge(const MergePlan& plan);
  Result<void> install(Writer& writer, const MergePlan& plan, std::shared_ptr<SegmentState> merged);
  Result<void> merge_while_needed();
  std::shared_ptr<const SegmentState> without_graph() const;
  /// `go_on` false ends it early.
  void build_graphs(const std::function<bool()>& go_on);
  Result<bool> build_graph_of(const Segment& segment, const std::function<bool()>& go_on);
  Result<void> install_graph(Writer& writer, std::shared_ptr<const Segment> with_graph);
  void work_off(std::stop_token stop);
  void merge_loop(std::stop_token stop);

  fs::path folder_;
  EngineOptions options_;
  UniqueFd lock_;
  Guarded<std::shared_ptr<const Snapshot>> current_;
  Guarded<Writer> writer_;
  std::mutex merging_;                    // held for the length of one merge, so that there is one at a time
  std::mutex graphing_;                   // the same for graphs; taken before merging_
  std::set<std::uint64_t> graph_failed_;  // segments, with graphing_ held
  BoundedQueue<int> merge_wanted_{1};
  std::jthread merger_;  // last member: stops before anything it uses goes
};

}  // namespace magpie::index
