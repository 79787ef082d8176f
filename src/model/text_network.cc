#include "model/text_network.h"

#include <utility>
#include <variant>

#include "base/utf8.h"
#include "model/e5_text.h"
#include "model/token_network.h"
#include "model/unit_length.h"

namespace magpie::model {

struct TextNetwork::State {
  ModelManifest manifest;
  std::variant<E5Text, TokenNetwork> network;
};

TextNetwork::TextNetwork(std::unique_ptr<State> state) : state_(std::move(state)) {}
TextNetwork::TextNetwork(TextNetwork&&) noexcept = default;
TextNetwork& TextNetwork::operator=(TextNetwork&&) noexcept = default;
TextNetwork::~TextNetwork() = default;

const ModelManifest& TextNetwork::manifest() const { return state_->manifest; }

Result<TextNetwork> TextNetwork::load(const fs::path& model_folder, const NetworkOptions& options) {
  MAGPIE_TRY(ModelManifest manifest, load_manifest(model_folder));
  if (manifest.text.tokenizer == Tokenizer::kNone)
    return fail(Code::kBadInput, "{} is a model for {} that takes no words", manifest.name, to_string(manifest.task));
  if (options.check_sums) MAGPIE_TRY_DO(verify(manifest));
  if (manifest.text.tokenizer == Tokenizer::kE5) {
    MAGPIE_TRY(E5Text e5, E5Text::load(manifest));
    return TextNetwork(std::make_unique<State>(State{std::move(manifest), std::move(e5)}));
  }
  MAGPIE_TRY(TokenNetwork tokens, TokenNetwork::load(manifest, options));
  return TextNetwork(std::make_unique<State>(State{std::move(manifest), std::move(tokens)}));
}

Result<std::vector<float>> TextNetwork::embed(std::string_view text) {
  text = utf8_prefix(text, kTextBytesMax);
  if (text.empty()) return fail(Code::kBadInput, "no words");
  MAGPIE_TRY(std::vector<float> vector,
             std::visit([&](auto& network) -> Result<std::vector<float>> { return network.embed(text); }, state_->network));
  if (!make_unit_length(vector)) return fail(Code::kCorrupt, "{}: the graph gave numbers that are not finite", state_->manifest.name);
  return vector;
}

}  // namespace magpie::model
