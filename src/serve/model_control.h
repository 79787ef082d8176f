#pragma once
// Port of this folder: the change of a collection's vectors from one model's to another's, while searches and crawls go on. `app`
// implements it over the collection; tests use a small fake.
#include <cstdint>
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "base/result.h"

namespace magpie {

/// What the change does to "more like this", asked of pictures spread evenly over the collection, among a sample of it.
struct SpaceComparison {
  std::size_t asked = 0;        // pictures
  std::size_t among = 0;        // pictures that have vectors in both spaces
  double same = 0;              // of the ten nearest in the old space, those that are among the ten nearest in the new one; 0 to 1
  std::size_t with_copies = 0;  // of those asked, the ones that have a near-copy in the sample
  double copies_before = 0, copies_after = 0;  // share of those whose nearest picture is one
};

enum class ModelChangeStage : std::uint8_t { kEmbedding, kComparing, kIndexing, kBridging, kSwitching, kDone };
/// "embedding", "comparing", "indexing", "bridging", "switching", "done".
std::string_view to_string(ModelChangeStage stage);

/// How far a change is, or what has come of it.
struct ModelChange {
  std::string before, after;  // vector spaces (core/embedder.h); the same: there was nothing to change
  ModelChangeStage stage = ModelChangeStage::kEmbedding;
  std::uint64_t pictures = 0;  // of the collection
  std::uint64_t embedded = 0;  // by this run; those of one before it are kept
  std::uint64_t failed = 0;    // do not read any more; they are found by words alone
  std::uint64_t indexed = 0;
  std::optional<SpaceComparison> comparison;
  bool switched = false;  // searches use the new vectors
};
/// The members of an object that was begun.
void write_change(JsonWriter& json, const ModelChange& change);

using ModelChangeId = std::uint64_t;
enum class ModelChangeState : std::uint8_t { kRunning, kFinished, kFailed, kCancelled };
/// "running", "finished", "failed", "cancelled".
std::string_view to_string(ModelChangeState state);

struct ModelChangeView {
  ModelChangeId id = 0;
  std::string model;
  bool dry_run = false;
  ModelChangeState state = ModelChangeState::kRunning;
  ModelChange change;
  std::optional<std::string> message;  // why it failed, or what is left to do by hand
};

/// Thread-safe.
class ModelControl {
 public:
  virtual ~ModelControl() = default;
  /// Begins and answers at once. `dry_run`: makes the vectors and compares, and does not switch. kNotFound for a model that is not
  /// there, kBadInput for one that does not embed pictures, kBusy while another change is under way, kForbidden where the settings name
  /// another.
  virtual Result<ModelChangeView> change_model(const std::string& model, bool dry_run) = 0;
  /// kNotFound also for one that ended a while ago.
  virtual Result<ModelChangeView> model_change(ModelChangeId id) = 0;
  /// Begins to stop it and answers at once; the vectors made so far are kept for the next. One that has ended is left as it is. kNotFound.
  virtual Result<ModelChangeView> cancel_model_change(ModelChangeId id) = 0;
};

}  // namespace magpie
