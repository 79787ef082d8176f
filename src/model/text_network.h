#pragma once
// TextNetwork: words in, a vector out.
//
//   MAGPIE_TRY(TextNetwork network, TextNetwork::load("models/multilingual-e5-small", {}));
//   MAGPIE_TRY(std::vector<float> vector, network.embed("rotes Kleid"));
#include <memory>
#include <string_view>
#include <vector>

#include "model/graph.h"
#include "model/manifest.h"

namespace magpie::model {

/// Bytes of a text that are read; the rest is not.
inline constexpr std::size_t kTextBytesMax = 512;

/// Not thread-safe: one per thread or process. Movable.
class TextNetwork {
 public:
  /// kBadInput for a model that takes no words; the errors of its parts (E5Text, TokenNetwork).
  static Result<TextNetwork> load(const fs::path& model_folder, const NetworkOptions& options);
  TextNetwork(TextNetwork&&) noexcept;
  TextNetwork& operator=(TextNetwork&&) noexcept;
  ~TextNetwork();

  /// Unit length, ModelManifest::embedding_dims floats. kBadInput for no words, kCorrupt for numbers that are not finite.
  Result<std::vector<float>> embed(std::string_view text);
  const ModelManifest& manifest() const;

 private:
  struct State;
  explicit TextNetwork(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace magpie::model
