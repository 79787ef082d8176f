#pragma once
// The one writer of a collection. Everything that is to be remembered passes through its queue and is written in batches:
//   variants and archive to the disk -> found addresses to the frontier -> one catalog transaction -> acknowledgements -> index commit
// A picture is findable about a second after its fetch (RecorderOptions::index_every).
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "analyse/copies.h"
#include "base/bounded_queue.h"
#include "base/guarded.h"
#include "core/archive.h"
#include "core/catalog.h"
#include "core/frontier.h"
#include "core/text_index.h"
#include "core/variants.h"
#include "core/vector_index.h"
#include "pipeline/copy_groups.h"
#include "pipeline/finished.h"
#include "pipeline/next_index.h"

namespace magpie::pipeline {

/// All must outlive the recorder.
struct RecorderPorts {
  Archive& archive;
  std::mutex& archive_writing;  // held by whoever appends to or syncs the archive
  VariantStore& variants;
  Catalog& catalog;
  Frontier& frontier;
  TextIndex& text;
  VectorIndex& vectors;
};

struct RecorderOptions {
  std::string space;                                                 // of the embeddings (core/embedder.h)
  std::size_t batch_max = 256;                                       // documents in one transaction
  std::chrono::milliseconds batch_wait{30};                          // how long a batch waits for company
  std::chrono::milliseconds index_every{700};                        // at most this long from a commit to its pictures' being findable
  std::size_t index_batch = 2'000;                                   // pictures in one index commit
  std::function<void(const std::vector<ImageId>&)> on_indexed = {};  // pictures that became findable; called on the recorder's thread
};

struct RecorderCounts {
  std::uint64_t pages = 0, products = 0, products_new = 0, images = 0, copies = 0, failures = 0, indexed = 0;
};

class Recorder {
 public:
  /// Reads known pictures for copy detection, brings the index up to date with the catalog (one without pictures is filled from it), and
  /// starts its thread.
  static Result<std::unique_ptr<Recorder>> start(RecorderPorts ports, RecorderOptions options);
  /// Writes down what it was given, then stops.
  ~Recorder();

  /// Waits for room. Thread-safe. Dropped when the recorder has failed (see failure()).
  void record(Finished finished);
  /// Runs `write` in a transaction of its own, on the recorder's thread, and waits for it. For jobs and settings.
  Result<void> transact(std::function<Result<void>(CatalogTransaction&)> write);
  /// What a person says of copies, and taking it back, as CopyGroups has them; waits until it is written.
  Result<CopyReview> review_copies(CopyAction action, std::vector<ImageId> images, Timestamp now);
  Result<void> undo_copy_review(std::uint64_t id);
  /// Runs `work` on the recorder's thread, outside of any transaction, and waits for it: nobody else writes the while.
  Result<void> alone(std::function<Result<void>()> work);
  /// Looks for copies among the pictures that the catalog has now. For when some have gone.
  Result<void> reload_known_pictures();
  /// Waits until all that was recorded before is committed and findable.
  Result<void> flush();

  // ---- Another index, of vectors of another space, made beside the one that is searched (next_index.h). An error of its own ends it and
  // nothing else; whoever fills or switches hears of it.

  /// `next` must live until drop_next(), or as long as the recorder once it was switched to.
  Result<void> begin_next(PictureIndexes next, std::string space);
  struct Filled {
    std::uint64_t pictures = 0;
    bool whole = false;  // it has all, and is kept up to date
  };
  /// Puts the next `count` pictures in, between two batches.
  Result<Filled> fill_next(std::size_t count);
  Result<void> drop_next();
  /// For one that is whole. All that was recorded before is in both; then, with `write` in one transaction, the next one is the recorder's.
  /// The first is left as it is. Nobody may ask for space() the while.
  Result<void> switch_to_next(std::function<Result<void>(CatalogTransaction&)> write);

  RecorderCounts counts() const;
  /// Of the embeddings that are indexed.
  const std::string& space() const { return space_; }
  /// The first error of the disk, after which nothing more is written; empty while all is well.
  std::string failure() const;

 private:
  struct Task {
    std::function<Result<void>(CatalogTransaction&)> write{};  // neither this nor `alone`: flush
    std::function<void(Result<void>)> done{};
    std::function<Result<void>()> alone{};
  };
  using Item = std::variant<Finished, Task>;
  struct Batch;

  Recorder(RecorderPorts ports, RecorderOptions options)
      : ports_(ports), options_(std::move(options)), text_(&ports.text), vectors_(&ports.vectors), space_(options_.space) {}
  Result<void> load_known_pictures();
  Result<void> refill_lost_index();
  void run();
  std::vector<Finished> take_batch(std::vector<Task>& tasks);
  Result<void> write_batch(std::vector<Finished> items);
  Result<void> write_one(CatalogTransaction& transaction, Finished& item, Batch& batch);
  Result<void> write_page(CatalogTransaction& transaction, Finished& item, Batch& batch);
  Result<void> write_image(CatalogTransaction& transaction, Finished& item, Batch& batch);
  Result<void> write_second_look(CatalogTransaction& transaction, const SecondLook& look);
  Result<void> write_comparison(CatalogTransaction& transaction, const Compared& compared, Batch& batch);
  Result<void> write_surroundings(CatalogTransaction& transaction, const Surrounded& surrounded);
  Result<void> write_failure(CatalogTransaction& transaction, const Finished& item, Batch& batch);
  Result<void> want_images(CatalogTransaction& transaction, const Finished& item, std::vector<std::string> urls, Batch& batch);
  Result<void> change_groups(std::function<Result<void>(CatalogTransaction&)> change);
  Result<void> join_copies(CatalogTransaction& transaction, const analyse::CopyEvidence& evidence, ImageId id);
  Result<void> tell_frontier(Batch& batch);
  Result<void> wait_for(Task task);
  Result<void> run_task(Task& task);
  Result<bool> index_once();
  Result<void> index_all();
  Result<void> with_next(const std::function<Result<void>(NextIndex&)>& work);
  void fail_with(const Error& error);

  RecorderPorts ports_;
  RecorderOptions options_;
  TextIndex* text_;
  VectorIndex* vectors_;
  std::string space_;
  std::optional<NextIndex> next_;     // of the recorder's thread
  std::optional<Error> next_failed_;  // likewise: why there is none any more
  BoundedQueue<Item> queue_{
      256};  // as many as a batch: the next one fills while one is written, and no more are lost with a killed process
  analyse::CopyFinder copies_;
  CopyGroups groups_;
  struct State {
    RecorderCounts counts;
    std::string failure;
  };
  Guarded<State> state_;
  std::atomic<bool> dirty_{true};
  std::jthread thread_;
};

}  // namespace magpie::pipeline
