#include "model/text_network.h"

#include "base/utf8.h"
#include "model/e5_text.h"
#include "model/unit_length.h"

namespace magpie::model {

struct TextNetwork::State {
  ModelManifest manifest;
  E5Text e5;
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
  MAGPIE_TRY(E5Text e5, E5Text::load(manifest));
  return TextNetwork(std::make_unique<State>(State{std::move(manifest), std::move(e5)}));
}

Result<std::vector<float>> TextNetwork::embed(std::string_view text) {
  text = utf8_prefix(text, kTextBytesMax);
  if (text.empty()) return fail(Code::kBadInput, "no words");
  std::vector<float> vector = state_->e5.embed(text);
  if (!make_unit_length(vector)) return fail(Code::kCorrupt, "{}: the graph gave numbers that are not finite", state_->manifest.name);
  return vector;
}

}  // namespace magpie::model
