#pragma once
// Looks for copies that hashes do not tell: what a picture was cropped from, framed, turned, or written on. Every picture that becomes
// findable is compared, in a worker, with those most like it by embedding (analyse/compare_copies.h); what is found is the recorder's to
// write. A picture costs nothing that none is like.
//
// A pair is looked at when the second of the two comes, so the later one needs the earlier one in the index. What was under way when the
// process died is compared by the next one.
#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include "analyse/compare_copies.h"
#include "core/catalog.h"
#include "core/variants.h"
#include "core/vector_index.h"
#include "pipeline/image_queue.h"
#include "process/worker_pool.h"

namespace magpie::pipeline {

class Recorder;

/// All must outlive it.
struct CompareCopiesParts {
  const Catalog& catalog;
  const VariantStore& variants;
  const VectorIndex& vectors;
  WorkerPool& workers;  // for pictures
  Recorder& recorder;
};

struct CompareCopiesCounts {
  std::uint64_t compared = 0;
  std::uint64_t failed = 0;
};

/// Thread-safe. What goes wrong with a picture costs its comparison: it is logged and counted, and the next process, or compare_all(),
/// tries again, unless it is the picture's own fault.
class CompareCopies {
 public:
  /// Goes on with what a process before this one left. Pictures that were there before the first one are left as they are (compare_all).
  static Result<std::unique_ptr<CompareCopies>> start(CompareCopiesParts parts);
  ~CompareCopies() { stop(); }
  /// Finishes what is with the workers; the rest is done next time. What is added after it waits, too.
  void stop();

  /// They became findable, for the first time or again; each is compared once. Does not wait.
  void add(const std::vector<ImageId>& images) { queue_.add(images); }
  /// Until all that was added is compared and handed to the recorder, or `stop` is asked for.
  void finish(const std::stop_token& stop) { queue_.finish(stop); }
  /// Adds all that were never compared, and finishes. Errors: those of the catalog.
  Result<void> compare_all(const std::stop_token& stop);
  CompareCopiesCounts counts() const { return {compared_, failed_}; }

  static constexpr std::size_t kNeighbours = 48;     // looked up by embedding: a picture may have dozens of near-duplicates
  static constexpr float kSimilarityMin = 0.65F;     // cosine; under it hardly a copy, whatever was done to it
  static constexpr std::size_t kCandidatesMax = 10;  // compared, of other groups than its own,
  static constexpr std::size_t kOfAGroupMax = 2;     // and of each at most so many

 private:
  struct Neighbours;

  explicit CompareCopies(CompareCopiesParts parts) : parts_(parts) {}
  Result<void> add_leftovers();
  void run(const std::stop_token& stop);
  Result<void> compare(ImageId id);
  Result<Neighbours> neighbours_of(const Image& image) const;
  void compared(ImageId id, const std::vector<ImageId>& others, Result<std::string> answer);
  void record(ImageId id, std::string sketch, std::vector<CopyLink> links);
  void give_up(ImageId id, const Error& error);

  static constexpr std::size_t kUnderWayMax = 8;
  CompareCopiesParts parts_;
  ImageQueue queue_{kUnderWayMax};
  std::atomic<std::uint64_t> compared_{0}, failed_{0};
  std::jthread thread_;  // last: ends first
};

}  // namespace magpie::pipeline
