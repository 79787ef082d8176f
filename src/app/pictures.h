#pragma once
// Workers of this program, and what needs one outside a crawl: vectors of uploaded pictures, larger views.
#include <memory>
#include <optional>
#include <string>

#include "app/app_settings.h"
#include "base/metrics.h"
#include "core/catalog.h"
#include "process/worker_pool.h"
#include "serve/picture_analyser.h"

namespace magpie {

struct PictureModel {
  fs::path folder;
  std::string space;  // its name and version: of an embedder the space of its vectors
};
/// The model in models/`name`. kNotFound says how to get it.
Result<PictureModel> named_embedder(const std::string& name);
/// The model for a collection: the one its vectors are of, as vectors of two models do not compare; before it has any, or without a
/// collection, the one that model.embedder names, else kDefaultEmbedder. kBadInput when model.embedder names another than the collection's.
Result<PictureModel> find_embedder(const AppSettings& settings, const Catalog* catalog);
inline constexpr const char* kDefaultEmbedder = "efficientnet-lite0-int8";

/// The detector that analyse.detector names; nothing where that is "none", or empty and the detector that comes with Magpie is not
/// installed. kNotFound says how to get it, kBadInput what else the model is for.
Result<std::optional<PictureModel>> find_detector(const AppSettings& settings);
inline constexpr const char* kDefaultDetector = "ssd-open-images";

/// The vector space of a collection's vectors; "" before it has any pictures.
Result<std::string> embedding_space_of(const Catalog& catalog);
Result<void> set_embedding_space(CatalogTransaction& transaction, std::string_view space);

struct PictureWorkerOptions {
  const PictureModel* model = nullptr;     // none: they embed nothing
  const PictureModel* detector = nullptr;  // none: they look for nothing
  std::size_t processes = 0;               // 0 follows the setting
  bool start_at_once = true;               // false: with the first picture, as loading the network costs 0.3 s of each
  bool in_background = false;              // nobody waits for what they do
  MetricsRegistry* metrics = nullptr;      // may be null
};

/// Pools of `magpie worker` processes. Pages have their own, so that none waits for a picture: pages lead on.
std::unique_ptr<WorkerPool> start_picture_workers(const AppSettings& settings, const PictureWorkerOptions& wishes);
std::unique_ptr<WorkerPool> start_page_workers(const AppSettings& settings, MetricsRegistry* metrics, bool start_at_once = false);

/// Those that embed words; they start with the first ones.
std::unique_ptr<WorkerPool> start_text_workers(const AppSettings& settings, const PictureModel& model, std::size_t processes,
                                               MetricsRegistry* metrics);
/// What worker.processes comes to here.
std::size_t worker_processes(const AppSettings& settings);

/// Thread-safe.
class Pictures final : public PictureAnalyser {
 public:
  /// The pool must outlive it.
  explicit Pictures(WorkerPool& workers) : workers_(workers) {}
  Result<Embedding> embed(std::string_view bytes, Deadline deadline) override;
  Result<Embedding> embed_part(std::string_view bytes, const PicturePart& part, Deadline deadline) override;
  Result<std::string> scale(std::string_view original, std::uint32_t side_max, Deadline deadline) override;

 private:
  Result<std::string> call(WorkRequest request, Deadline deadline);
  Result<Embedding> embedding_of(WorkRequest request, Deadline deadline);
  WorkerPool& workers_;
};

/// Workers of one model, and what they are asked outside of crawls.
struct PictureWorkers {
  std::optional<PictureModel> model;  // none: they embed nothing
  std::string detector;               // its name and version; empty: they look for nothing
  std::unique_ptr<WorkerPool> pool;
  Pictures pictures{*pool};
};

}  // namespace magpie
