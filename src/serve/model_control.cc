#include "serve/model_control.h"

namespace magpie {

std::string_view to_string(ModelChangeStage stage) {
  switch (stage) {
    case ModelChangeStage::kEmbedding: return "embedding";
    case ModelChangeStage::kComparing: return "comparing";
    case ModelChangeStage::kIndexing: return "indexing";
    case ModelChangeStage::kBridging: return "bridging";
    case ModelChangeStage::kSwitching: return "switching";
    case ModelChangeStage::kDone: return "done";
  }
  return "done";
}

std::string_view to_string(ModelChangeState state) {
  switch (state) {
    case ModelChangeState::kRunning: return "running";
    case ModelChangeState::kFinished: return "finished";
    case ModelChangeState::kFailed: return "failed";
    case ModelChangeState::kCancelled: return "cancelled";
  }
  return "failed";
}

void write_change(JsonWriter& json, const ModelChange& change) {
  json.field("before", change.before).field("after", change.after).field("stage", to_string(change.stage));
  json.field("pictures", change.pictures).field("embedded", change.embedded).field("failed", change.failed);
  json.field("indexed", change.indexed).field("switched", change.switched).key("comparison");
  if (!change.comparison) {
    json.null();
    return;
  }
  const SpaceComparison& one = *change.comparison;
  json.begin_object().field("asked", one.asked).field("among", one.among).field("same_of_ten", one.same);
  json.field("with_copies", one.with_copies).field("copies_nearest_before", one.copies_before);
  json.field("copies_nearest_after", one.copies_after).end_object();
}

}  // namespace magpie
