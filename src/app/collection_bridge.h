#pragma once
// A collection's bridge from words to pictures (learn/bridge.h): learnt from what its pages say of its pictures, kept in its folder, and
// asked by searches.
//   bridge/bridge        the bridge (docs/formats/bridge.md)
//   bridge/next          the one for another model, until the collection's vectors are of that
//   bridge/texts         vectors of texts that were embedded once, so that learning again costs new texts only
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "app/collection.h"
#include "app/texts.h"
#include "base/guarded.h"
#include "core/words_placer.h"
#include "learn/bridge.h"

namespace magpie {

fs::path bridge_file(const CollectionFolder& folder);

struct BridgeProgress {
  std::size_t texts = 0, embedded = 0;  // to be learnt from, and their vectors made so far
};
/// From where to where.
struct BridgeEnds {
  std::string text_space, picture_space;
  bool is_next = false;  // the collection's vectors are yet to be of that picture space
};
/// To the pictures as the collection's vectors have them now.
Result<BridgeEnds> bridge_ends(Collection& collection, const std::string& text_space);
/// Once the collection's vectors are of `picture_space`: the next bridge takes the place of the bridge, if it leads there.
void use_next_bridge(const CollectionFolder& folder, const std::string& picture_space);
void drop_next_bridge(const CollectionFolder& folder);

/// Gathers, embeds, learns, tries, and writes the bridge in the place of an earlier one. kNotFound where too little is said of the
/// pictures, kBusy where something was forgotten or the collection's vectors became another model's meanwhile, kCancelled. Reads the
/// collection only, so it may run beside its manager. Ends within a second of
/// `stop`. Cost: what gathering costs (bridge_lessons.h), some 40 ms of CPU time a text that is new, then seconds; memory: two pictures'
/// vectors and four pairs of vectors a text, with 10,000 texts to pictures of 1,280 components 350 MB, however many pictures there are.
Result<learn::BridgeFacts> train_bridge(Collection& collection, Texts& texts, const BridgeEnds& ends, const AppSettings& settings,
                                        const std::stop_token& stop, const std::function<void(const BridgeProgress&)>& report);

/// What a search asks. Bridges that are written meanwhile are taken up within seconds. Thread-safe.
class CollectionPlacer final : public WordsPlacer {
 public:
  /// Among pictures of that space. Must not outlive the collection. `text_model` nothing: it places no words.
  CollectionPlacer(Collection& collection, std::string picture_space, const AppSettings& settings,
                   const std::optional<PictureModel>& text_model, MetricsRegistry* metrics);
  Result<std::optional<WordsPlace>> place(std::string_view words) const override;
  /// The bridge as it is now. kNotFound while there is none, kBadInput for one of other models, kCorrupt.
  Result<std::shared_ptr<const learn::Bridge>> bridge() const;

 private:
  struct Loaded {
    std::shared_ptr<const learn::Bridge> bridge;
    std::optional<Error> error;
    fs::file_time_type written_at{};
    std::chrono::steady_clock::time_point looked_at{};
  };
  Result<void> look(Loaded& loaded) const;

  Collection& collection_;
  std::string picture_space_, text_space_;
  std::unique_ptr<AskedWords> asked_;
  mutable Guarded<Loaded> loaded_;
};

/// Learns the bridge in the background, and again when the collection has grown by half. One worker embeds.
class BridgeKeeper {
 public:
  BridgeKeeper(Collection& collection, const AppSettings& settings, PictureModel text_model);

 private:
  void run(const std::stop_token& stop);
  void look();
  bool is_due(std::uint64_t pictures) const;

  Collection& collection_;
  const AppSettings& settings_;
  PictureModel text_model_;
  std::optional<learn::BridgeFacts> facts_;  // of the bridge as it was written at
  fs::file_time_type written_at_{};
  std::uint64_t tried_at_ = 0;  // vectors in the index when learning was last tried in vain; 0 after a success
  std::jthread thread_;         // last: ends first
};

}  // namespace magpie
