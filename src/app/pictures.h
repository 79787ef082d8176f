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

struct PictureWorkerOptions {
  const EmbedderModel* model = nullptr;  // none: they embed nothing
  std::size_t processes = 0;             // 0 follows the setting
  bool start_at_once = true;             // false: with the first picture, as loading the network costs 0.3 s of each
  MetricsRegistry* metrics = nullptr;    // may be null
};

/// Pools of `magpie worker` processes. Pages have their own, so that none waits for a picture: pages lead on.
std::unique_ptr<WorkerPool> start_picture_workers(const AppSettings& settings, const PictureWorkerOptions& wishes);
std::unique_ptr<WorkerPool> start_page_workers(const AppSettings& settings, MetricsRegistry* metrics);

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
