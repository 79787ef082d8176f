#include "app/texts.h"

#include <algorithm>

#include "analyse/embed_texts.h"
#include "app/models.h"

namespace magpie {
namespace {

constexpr std::chrono::seconds kAskedMax{5};

}  // namespace

Result<std::optional<PictureModel>> find_text_model(const AppSettings& settings) {
  const std::string name = settings.bridge.text_model();
  if (name == "none") return std::optional<PictureModel>();
  const auto manifest = named_model(name.empty() ? kDefaultTextModel : name);
  if (!manifest && name.empty() && manifest.error().code == Code::kNotFound) return std::optional<PictureModel>();
  if (!manifest) return Failure(manifest.error());
  if (manifest->task != model::Task::kText)
    return fail(Code::kBadInput, "bridge.text_model: {} is a model for {}, not for text", manifest->name, to_string(manifest->task));
  return std::optional(PictureModel{manifest->folder, manifest->space()});
}

Texts::Texts(const AppSettings& settings, const PictureModel& model, std::size_t processes, MetricsRegistry* metrics)
    : workers_(start_text_workers(settings, model, processes, metrics)) {
  processes_ = processes != 0 ? processes : worker_processes(settings);
}

Result<std::vector<Embedding>> Texts::embed(std::span<const std::string> texts, Deadline deadline) {
  WorkRequest request = analyse::embed_texts_request(texts);
  request.time_max = std::min(request.time_max, deadline.left());
  if (request.time_max.count() == 0) return fail(Code::kTimeout, "no worker came free in time");
  MAGPIE_TRY(const std::string answer, workers_->call(std::move(request)));
  return analyse::decode_text_embeddings(answer, texts.size());
}

AskedWords::AskedWords(const AppSettings& settings, const PictureModel& model, MetricsRegistry* metrics)
    : texts_(std::make_unique<Texts>(settings, model, /*processes=*/1, metrics)) {}

Result<Embedding> AskedWords::embed(std::string_view words) const {
  const auto kept = vectors_.with([&](auto& vectors) -> std::optional<Embedding> {
    const Embedding* found = vectors.get(words);
    return found == nullptr ? std::nullopt : std::optional(*found);
  });
  if (kept) return *kept;
  const std::string text(words);
  MAGPIE_TRY(std::vector<Embedding> vectors, texts_->embed(std::span(&text, 1), Deadline::after(kAskedMax)));
  vectors_.with([&](auto& all) { all.put(text, vectors.front()); });
  return std::move(vectors.front());
}

}  // namespace magpie
