#include "model/network.h"

#include <string>

#include "model/unit_length.h"

namespace magpie::model {
namespace {

Result<std::vector<float>> floats(const OutputTensor& tensor, int count, const ModelManifest& manifest, std::string_view field) {
  if (tensor.values.size() != static_cast<std::size_t>(count)) {
    return fail(Code::kCorrupt, "{}: the graph gives {} floats where the manifest says {}; see {}", manifest.name, tensor.values.size(),
                count, field);
  }
  return std::vector<float>(tensor.values.begin(), tensor.values.end());
}

}  // namespace

Result<Network> Network::load(const fs::path& model_folder, const NetworkOptions& options) {
  MAGPIE_TRY(ModelManifest manifest, load_manifest(model_folder));
  if (manifest.task != Task::kEmbedding)
    return fail(Code::kBadInput, "{} is a model for {}, not for embedding", manifest.name, to_string(manifest.task));
  MAGPIE_TRY(GraphSession session, GraphSession::open(std::move(manifest), options));
  return Network(std::move(session));
}

Result<Embedding> Network::embed(RgbView picture) {
  MAGPIE_TRY(const std::vector<OutputTensor> outputs, session_.run(picture));
  const ModelManifest& model = manifest();
  Embedding embedding;
  MAGPIE_TRY(embedding.vector, floats(outputs[0], model.embedding_dims, model, "output: embedding_dims"));
  if (model.classes > 0) { MAGPIE_TRY(embedding.class_scores, floats(outputs[1], model.classes, model, "output: classes")); }
  if (!make_unit_length(embedding.vector)) return fail(Code::kCorrupt, "{}: the graph gave numbers that are not finite", model.name);
  return embedding;
}

}  // namespace magpie::model
