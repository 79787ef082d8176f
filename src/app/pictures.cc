#include "app/pictures.h"

#include <thread>

#include "analyse/analyse_picture.h"
#include "analyse/analysed_image.h"
#include "app/assets.h"
#include "app/models.h"
#include "model/manifest.h"
#include "pipeline/worker_handlers.h"

namespace magpie {
namespace {

constexpr std::string_view kSpaceKey = "embedding_space";

WorkerPoolOptions pool_options(const AppSettings& settings, const pipeline::WorkerConfig& config, MetricsRegistry* metrics) {
  WorkerPoolOptions options;
  options.command = {program_path().string(), "worker"};
  options.workers = worker_processes(settings);
  options.config = pipeline::encode_worker_config(config);
  options.sandbox.enabled = settings.worker.sandbox();
  options.sandbox.memory_bytes = static_cast<std::uint64_t>(settings.worker.memory());
  options.metrics = metrics;
  return options;
}

}  // namespace

Result<PictureModel> named_embedder(const std::string& name) {
  MAGPIE_TRY(const model::ModelManifest manifest, named_model(name));
  if (manifest.task != model::Task::kEmbedding)
    return fail(Code::kBadInput, "{} is a model for {}, not for embedding", name, to_string(manifest.task));
  return PictureModel{manifest.folder, manifest.space()};
}

Result<PictureModel> find_embedder(const AppSettings& settings, const Catalog* catalog) {
  std::string kept;
  if (catalog != nullptr) { MAGPIE_TRY(kept, embedding_space_of(*catalog)); }
  std::string name = settings.model.embedder();
  if (name.empty()) name = kept.empty() ? kDefaultEmbedder : kept.substr(0, kept.rfind('@'));
  MAGPIE_TRY(PictureModel model, named_embedder(name));
  if (kept.empty() || kept == model.space) return model;
  return fail(Code::kBadInput,
              "the collection's vectors are of {}, not of {}; either leave model.embedder empty, or: magpie rebuild --model {}", kept,
              model.space, name);
}

Result<std::optional<PictureModel>> find_detector(const AppSettings& settings) {
  const std::string name = settings.analyse.detector();
  if (name == "none") return std::optional<PictureModel>();
  auto manifest = named_model(name.empty() ? kDefaultDetector : name);
  if (!manifest && name.empty() && manifest.error().code == Code::kNotFound) return std::optional<PictureModel>();
  if (!manifest) return Failure(std::move(manifest).error());
  if (manifest->task != model::Task::kDetection) {
    return fail(Code::kBadInput, "analyse.detector is {}, a model for {}; name one for detection, or none", name,
                to_string(manifest->task));
  }
  return std::optional(PictureModel{manifest->folder, manifest->space()});
}

Result<std::string> embedding_space_of(const Catalog& catalog) {
  MAGPIE_TRY(const std::optional<std::string> kept, catalog.meta(kSpaceKey));
  if (kept) return *kept;
  // Earlier versions wrote nothing down, and had one model.
  MAGPIE_TRY(const std::vector<Image> any, catalog.images_without("", 0, 1));
  return any.empty() ? std::string() : std::string("efficientnet-lite0@1");
}

Result<void> set_embedding_space(CatalogTransaction& transaction, std::string_view space) { return transaction.set_meta(kSpaceKey, space); }

std::unique_ptr<WorkerPool> start_picture_workers(const AppSettings& settings, const PictureWorkerOptions& wishes) {
  pipeline::WorkerConfig config{.pictures = true};
  if (wishes.model != nullptr) config.model_folder = wishes.model->folder.string();
  if (wishes.detector != nullptr) config.detector_folder = wishes.detector->folder.string();
  config.in_background = wishes.in_background;
  WorkerPoolOptions options = pool_options(settings, config, wishes.metrics);
  options.start_at_once = wishes.start_at_once;
  if (wishes.processes != 0) options.workers = wishes.processes;
  return std::make_unique<WorkerPool>(std::move(options));
}

std::unique_ptr<WorkerPool> start_page_workers(const AppSettings& settings, MetricsRegistry* metrics, bool start_at_once) {
  WorkerPoolOptions options = pool_options(settings, {}, metrics);
  options.start_at_once = start_at_once;
  return std::make_unique<WorkerPool>(std::move(options));
}

std::unique_ptr<WorkerPool> start_text_workers(const AppSettings& settings, const PictureModel& model, std::size_t processes,
                                               MetricsRegistry* metrics) {
  WorkerPoolOptions options = pool_options(settings, {.text_folder = model.folder.string()}, metrics);
  options.start_at_once = false;
  if (processes != 0) options.workers = processes;
  return std::make_unique<WorkerPool>(std::move(options));
}

std::size_t worker_processes(const AppSettings& settings) {
  const auto named = static_cast<std::size_t>(settings.worker.processes());
  return named != 0 ? named : std::max(1u, std::thread::hardware_concurrency());
}

Result<std::string> Pictures::call(WorkRequest request, Deadline deadline) {
  request.time_max = std::min(request.time_max, deadline.left());
  if (request.time_max.count() == 0) return fail(Code::kTimeout, "no worker came free in time");
  return workers_.call(std::move(request));
}

Result<Embedding> Pictures::embed(std::string_view bytes, Deadline deadline) {
  return embedding_of(analyse::embed_request(bytes), deadline);
}

Result<Embedding> Pictures::embed_part(std::string_view bytes, const PicturePart& part, Deadline deadline) {
  return embedding_of(analyse::embed_part_request(bytes, part), deadline);
}

Result<Embedding> Pictures::embedding_of(WorkRequest request, Deadline deadline) {
  auto answer = call(std::move(request), deadline);
  if (!answer) {
    const bool crashed = answer.error().code == Code::kInternal || answer.error().code == Code::kCorrupt;
    if (crashed) return fail(Code::kBadInput, "the picture cannot be read: {}", answer.error().message);
    return Failure(std::move(answer).error());
  }
  MAGPIE_TRY(analyse::AnalysedImage analysed, analyse::decode_analysed_image(*answer));
  return std::move(analysed.embedding);
}

Result<std::string> Pictures::scale(std::string_view original, std::uint32_t side_max, Deadline deadline) {
  return call(analyse::variant_request(original, side_max), deadline);
}

}  // namespace magpie
