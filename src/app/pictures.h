#pragma once
// Workers of this program, and what needs one outside a crawl: vectors of uploaded pictures, larger views.
#include <memory>
#include <string>

#include "app/app_settings.h"
#include "base/metrics.h"
#include "process/worker_pool.h"
#include "serve/picture_analyser.h"

namespace magpie {

struct EmbedderModel {
  fs::path folder;
  std::string space;  // of its vectors
};
/// The model that model.embedder names. kNotFound says how to get it.
Result<EmbedderModel> find_embedder(const AppSettings& settings);

/// A pool of `magpie worker` processes; `processes` 0 follows the setting. `model` null: they embed nothing. `metrics` may be null.
Result<std::unique_ptr<WorkerPool>> start_workers(const AppSettings& settings, const EmbedderModel* model, std::size_t processes,
                                                  MetricsRegistry* metrics);

/// Thread-safe.
class Pictures final : public PictureAnalyser {
 public:
  /// The pool must outlive it.
  explicit Pictures(WorkerPool& workers) : workers_(workers) {}
  Result<Embedding> embed(std::string_view bytes, Deadline deadline) override;
  Result<std::string> scale(std::string_view original, std::uint32_t side_max, Deadline deadline) override;

 private:
  Result<std::string> call(WorkRequest request, Deadline deadline);
  WorkerPool& workers_;
};

}  // namespace magpie
