#pragma once
// The text tower of a model that takes pictures and words alike (CLIP), or a text network by itself: words to numbers by the tokenizer that
// its manifest names, the numbers through its graph. Foreign files are read here, so it runs in workers only.
//
// The graph's inputs are told apart by their names: one with "mask" in it gets 1 for each number and 0 behind them, "token_type_ids" zeros,
// "position_ids" 0, 1, 2, …; the one that is left gets the numbers. All are [1, context] of i32 or i64; sides may be free.
#include <string_view>
#include <utility>
#include <vector>

#include "model/bpe_tokenizer.h"
#include "model/graph.h"
#include "model/manifest.h"

namespace magpie::model {

/// Not thread-safe. Movable.
class TokenNetwork {
 public:
  /// kCorrupt for files or a graph that are not what the manifest says, naming the field, and for a vocabulary with numbers that the graph
  /// has no row for; the errors of BpeTokenizer and Graph::open.
  static Result<TokenNetwork> load(const ModelManifest& manifest, const NetworkOptions& options);

  /// ModelManifest::embedding_dims floats, of any length. kCorrupt when the graph gives others; the errors of Graph::run.
  Result<std::vector<float>> embed(std::string_view text);

 private:
  enum class Role : std::uint8_t { kNumbers, kMask, kTypes, kPositions };
  struct Bound {
    Role role = Role::kNumbers;
    NumberType type = NumberType::kI64;
    void* values = nullptr;  // the graph's own
  };
  TokenNetwork(BpeTokenizer tokenizer, Graph graph) : tokenizer_(std::move(tokenizer)), graph_(std::move(graph)) {}
  Result<void> bind_inputs();
  Result<void> read_marks();
  Result<void> check_table();
  Result<std::vector<float>> run(std::vector<std::int64_t> numbers);

  std::string model_;
  TextForm form_;
  std::size_t dims_ = 0;
  BpeTokenizer tokenizer_;
  Graph graph_;
  std::vector<Bound> inputs_;
};

}  // namespace magpie::model
