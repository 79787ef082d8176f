// The part of the manager that forgets: crawls rest the while, and what was begun is brought to its end.
#include "app/crawl_job.h"
#include "app/forgetting.h"
#include "app/manager.h"
#include "base/log.h"

namespace magpie {

Result<void> Manager::check_forgetting(const ForgetTarget& target) const {
  MAGPIE_TRY([[maybe_unused]] const ForgetPlan plan, collection_.catalog().plan_forgetting(target));
  return {};
}

Result<ForgetReport> Manager::preview_forgetting(const ForgetTarget& target) {
  MAGPIE_TRY(ForgetPlan plan, collection_.catalog().plan_forgetting(target));
  return Forgetting(collection_, *recorder_, std::move(plan)).count();
}

Result<ForgetReport> Manager::forget(const ForgetTarget& target) {
  const std::lock_guard one_at_a_time(starting_);
  MAGPIE_TRY_DO(check_forgetting(target));  // before any crawl is held up
  const AtRest at_rest(*this);
  MAGPIE_TRY(ForgetPlan plan, collection_.catalog().plan_forgetting(target));  // the crawl may have found more of it
  return forget_at_rest(std::move(plan));
}

Result<ForgetReport> Manager::forget_at_rest(ForgetPlan plan) {
  Forgetting forgetting(collection_, *recorder_, std::move(plan));
  auto report = forgetting.run();
  if (!report) return fail(report.error(), "what is to be forgotten is not forgotten yet; the next command that writes goes on with it");
  return report;
}

// What a process before this one was killed over. Its files must be in order before anything is added to them; what else hinders it, such
// as a full disk, is tried again at the next start, and the collection can be used meanwhile.
Result<void> Manager::finish_forgetting() {
  MAGPIE_TRY_DO(recorder_->alone([this] { return Forgetting::settle_move(collection_); }));
  MAGPIE_TRY(std::optional<ForgetPlan> plan, Forgetting::unfinished(collection_.folder()));
  if (!plan) return {};
  log::info("forget.resumed", {{"kind", to_string(plan->target.kind)}});
  const auto report = forget_at_rest(std::move(*plan));
  if (!report) log::error("forget.not_finished", {{"why", report.error().message}});
  return {};
}

Result<std::uint64_t> Manager::allow_again(const ForgetTarget& target) {
  ForgetPlan plan{.target = target};
  if (target.kind == ForgetKind::kHost) {
    MAGPIE_TRY(const Url url, parse_seed(target.name));
    plan.host = url.host();
  } else if (const auto digest = sha256_from_hex(target.name); digest && target.kind == ForgetKind::kPicture) {
    plan.contents.push_back(*digest);
  } else if (target.kind == ForgetKind::kPicture || target.kind == ForgetKind::kPage) {
    MAGPIE_TRY(const Url url, parse_seed(target.name));
    plan.urls.push_back(url.href());
  }
  std::uint64_t allowed = 0;
  MAGPIE_TRY_DO(recorder_->transact([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY(allowed, transaction.allow(plan));
    return {};
  }));
  if (allowed == 0) return fail(Code::kNotFound, "nothing was forgotten under the {} '{}'", to_string(target.kind), target.name);
  return allowed;
}

void Manager::rest_crawls() {
  std::unique_lock lock(mutex_);
  resting_ = true;
  if (running_) {
    running_->interrupted = true;
    running_->stop.request_stop();
  }
  changed_.wait(lock, [this] { return !running_; });
}

void Manager::wake_crawls() {
  const std::lock_guard lock(mutex_);
  resting_ = false;
  std::erase_if(waiting_, [&](CrawlJobView& view) {
    const auto job = collection_.catalog().job(view.id);
    if (job && *job) view.seeds = (*job)->seeds;
    return job && !*job;  // forgotten itself
  });
  changed_.notify_all();
}

}  // namespace magpie
