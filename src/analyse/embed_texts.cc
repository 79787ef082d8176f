#include "analyse/embed_texts.h"

#include <memory>

#include "base/check.h"
#include "base/wire.h"
#include "core/vector_index.h"
#include "model/text_network.h"

namespace magpie::analyse {
namespace {

constexpr std::chrono::milliseconds kTimeMax{20'000};

Result<std::string> embed(model::TextNetwork& network, const WorkerRequest& request) {
  WireReader in(request.payload);
  const std::uint64_t count = in.count();
  if (count > kTextsMax) return fail(Code::kBadInput, "{} texts; {} at most", count, kTextsMax);
  WireWriter out;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    MAGPIE_TRY(const std::vector<float> vector, network.embed(in.bytes()));
    out.floats(vector);
  }
  MAGPIE_TRY_DO(in.finish());
  return out.take();
}

}  // namespace

Result<void> add_text_handlers(WorkerHandlers& handlers, const fs::path& model_folder) {
  MAGPIE_TRY(model::TextNetwork loaded, model::TextNetwork::load(model_folder, {}));
  const auto network = std::make_shared<model::TextNetwork>(std::move(loaded));
  handlers.by_kind[kEmbedTexts] = [network](const WorkerRequest& request) { return embed(*network, request); };
  handlers.warm_up = [network, earlier = std::move(handlers.warm_up)]() -> Result<void> {
    if (earlier) MAGPIE_TRY_DO(earlier());
    MAGPIE_TRY_DO(network->embed("warm"));
    return {};
  };
  return {};
}

WorkRequest embed_texts_request(std::span<const std::string> texts) {
  MAGPIE_CHECK(texts.size() <= kTextsMax, "one request holds kTextsMax texts");
  WireWriter out;
  out.u64(texts.size());
  for (const std::string& text : texts) out.bytes(std::string_view(text).substr(0, model::kTextBytesMax + 8));
  return {.kind = kEmbedTexts, .payload = out.take(), .time_max = kTimeMax};
}

Result<std::vector<Embedding>> decode_text_embeddings(std::string_view answer, std::size_t count) {
  WireReader in(answer);
  std::vector<Embedding> vectors;
  for (std::size_t i = 0; i < count && in.ok(); ++i) vectors.push_back(in.floats());
  MAGPIE_TRY_DO(in.finish());
  for (const Embedding& vector : vectors) {
    if (vector.empty() || vector.size() > kVectorDimsMax || vector.size() != vectors.front().size())
      return fail(Code::kCorrupt, "the worker's vectors have {} and {} components", vectors.front().size(), vector.size());
  }
  return vectors;
}

}  // namespace magpie::analyse
