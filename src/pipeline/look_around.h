#pragma once
// Looks at what is like each picture that becomes findable: one with few words inherits those of its look-alikes (inherited_words.h), and
// how far it stands apart is noted for whoever learns what is noteworthy (core/surroundings.h). One that has words is heard by those around
// it that have few.
//
// A picture is looked at once, and again after what is said of it has changed. What the process had not come to when it died, and all
// after the collection's vectors have become another model's, is looked at by the next one, while nothing else waits.
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/recent.h"
#include "core/catalog.h"
#include "core/vector_index.h"
#include "pipeline/image_queue.h"

namespace magpie::pipeline {

class Recorder;

/// All must outlive it.
struct LookAroundParts {
  const Catalog& catalog;
  const VectorIndex& vectors;
  Recorder& recorder;
};

struct LookAroundCounts {
  std::uint64_t looked = 0, failed = 0;
};

/// Thread-safe; its own thread works in the background. What goes wrong with a picture costs its inheritance: it is logged and counted, and
/// the next process, or look_at_all(), tries again. Cost: a search of the index each, and a reading of the words of kHeardMax others where
/// it has few itself.
class LookAround {
 public:
  /// Goes on with what a process before this one left. Pictures that were there before the first one are left as they are (look_at_all).
  static Result<std::unique_ptr<LookAround>> start(LookAroundParts parts);
  ~LookAround() { stop(); }
  /// Finishes the picture that it looks at; the rest is done next time.
  void stop();

  /// They became findable, for the first time or again. Does not wait.
  void add(const std::vector<ImageId>& images) { queue_.add(images); }
  /// Until all that was added is looked at and handed to the recorder, or `stop` is asked for. Not what a process before this one left.
  void finish(const std::stop_token& stop) { queue_.finish(stop); }
  /// Adds all that wait to be looked at, and finishes. Errors: those of the catalog.
  Result<void> look_at_all(const std::stop_token& stop);
  LookAroundCounts counts() const { return {looked_, failed_}; }

  static constexpr std::size_t kNeighbours = 40;  // looked up by embedding, that ten of them have words
  static constexpr std::size_t kNearest = 10;     // that its rarity is reckoned from
  static constexpr std::size_t kHeirsMax = 100;   // looked at again when one picture's words have changed

 private:
  struct View;
  struct Seen {
    ImageId group = kNoId;
    std::optional<std::vector<std::string>> words;  // its own, once they were wanted
  };

  explicit LookAround(LookAroundParts parts) : parts_(parts) {}
  void run(const std::stop_token& stop);
  std::optional<ImageId> next_left();
  Result<std::vector<ImageId>> some_behind(ImageId behind) const;
  void try_to_look(ImageId id);
  Result<void> look(ImageId id);
  Result<View> view_of(ImageId id);
  Result<const Seen*> seen(ImageId id, bool with_words);
  Result<void> hear(View& view);
  Result<void> call_heirs(const View& view);
  void record(const View& view);

  LookAroundParts parts_;
  ImageId behind_ = kNoId;              // pictures up to this one were there before, or looked at
  std::deque<ImageId> left_;            // the next ones behind it that a process before this one left; the thread's own
  Recent<Seen, ImageId> seen_{10'000};  // as they were when last looked at, or read since
  std::unordered_set<ImageId> heirs_;   // of what waits: already looked at, to be looked at again; the thread's own
  ImageQueue queue_{1};
  std::atomic<std::uint64_t> looked_{0}, failed_{0};
  std::jthread thread_;  // last: ends first
};

}  // namespace magpie::pipeline
