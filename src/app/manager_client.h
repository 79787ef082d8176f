#pragma once
// Talks to the process that manages a collection, over its Unix socket and the same HTTP API the web app uses. So a crawl given
// on the command line while `magpie serve` runs shows up live in the browser.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/collection_folder.h"
#include "serve/copy_control.h"
#include "serve/forget_control.h"
#include "serve/model_control.h"
#include "serve/shop_control.h"

namespace magpie {

/// Not thread-safe.
class ManagerClient {
 public:
  /// Nothing when nobody listens on the collection's socket.
  static std::optional<ManagerClient> connect(const CollectionFolder& folder);

  /// The new job's number. Errors carry the server's own words.
  Result<JobId> start_crawl(const std::vector<std::string>& seeds, const CrawlOptions& options);
  /// Gives `id` back.
  Result<JobId> retry(JobId id, const std::vector<Cause>& causes);
  Result<JobId> revisit(JobId id, bool all);
  /// Of a shop by its name, so that its profile goes with it; `change` for this once.
  Result<JobId> run_shop(const std::string& name, const ShopChange& change, const std::string& agent);
  /// A state in its file takes effect at once, on a crawl that was begun by hand, too.
  Result<void> set_shop_state(const std::string& name, ShopState state);
  Result<void> remove_shop(const std::string& name);
  /// Products without thumbnails.
  Result<PreviewView> start_preview(const std::string& shop, const ShopChange& change, const std::string& agent, std::size_t count);
  Result<PreviewView> preview(PreviewId id);
  Result<void> cancel_preview(PreviewId id);
  Result<CopyReview> review_copies(CopyAction action, const std::vector<ImageId>& images);
  Result<CopyReview> undo_copy_review(std::uint64_t id);
  /// `seed`: app/collect_job.h.
  Result<JobId> collect(const std::string& seed, const CrawlOptions& options);
  struct ForgetStatus {
    ForgetId id = 0;
    ForgetState state = ForgetState::kRunning;
    std::string message;
    ForgetReport report;  // once it has finished
  };
  Result<ForgetStatus> forget(const ForgetTarget& target, bool dry_run);
  Result<ForgetStatus> forgetting(ForgetId id);
  Result<std::uint64_t> allow_again(const ForgetTarget& target);
  Result<ModelChangeView> change_model(const std::string& model, bool dry_run);
  Result<ModelChangeView> model_change(ModelChangeId id);
  Result<void> cancel_model_change(ModelChangeId id);
  struct JobStatus {
    CrawlState state = CrawlState::kQueued;
    CrawlProgress progress;  // counters, rates and failures; no hosts
    std::string message;     // why it failed
  };
  Result<JobStatus> job(JobId id);
  Result<void> cancel(JobId id);

 private:
  explicit ManagerClient(std::string socket) : socket_(std::move(socket)) {}
  Result<std::string> ask(const std::string& path, const std::optional<std::string>& body);
  std::string socket_;
};

}  // namespace magpie
