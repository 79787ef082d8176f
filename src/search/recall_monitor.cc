#include "search/recall_monitor.h"

#include <algorithm>

#include "base/priority.h"

namespace magpie {
namespace {

constexpr std::size_t kReplayed = 10;  // nearest pictures that are looked for again
using SteadyClock = std::chrono::steady_clock;

}  // namespace

RecallMonitor::RecallMonitor(MetricsRegistry& metrics, std::chrono::milliseconds interval)
    : metrics_(metrics), interval_(interval), thread_([this](std::stop_token stop) { run(stop); }) {}

RecallMonitor::~RecallMonitor() {
  samples_.close();
  thread_.request_stop();
}

void RecallMonitor::saw(std::shared_ptr<const VectorSnapshot> view, const VectorQuery& query, const VectorMatches& matches) {
  const bool walked = matches.plan == VectorPlan::kGraph;
  metrics_.counter("magpie_search_by_picture_total", "Searches by picture", walked ? "plan=\"graph\"" : "plan=\"scan\"").add();
  if (!walked || query.k < kReplayed) return;
  const SteadyClock::rep now = SteadyClock::now().time_since_epoch().count();
  SteadyClock::rep next = next_.load();
  const SteadyClock::rep after = now + std::chrono::duration_cast<SteadyClock::duration>(interval_).count();
  if (now < next || !next_.compare_exchange_strong(next, after)) return;
  Sample sample{.view = std::move(view),
                .vector = Embedding(query.vector.begin(), query.vector.end()),
                .min_similarity = query.min_similarity,
                .scope = query.scope};
  if (query.allowed != nullptr) sample.allowed = *query.allowed;
  for (std::size_t i = 0; i < std::min(kReplayed, matches.hits.size()); ++i) sample.found.add(matches.hits[i].id);
  if (samples_.try_push(sample)) ++taken_;
}

void RecallMonitor::run(std::stop_token stop) {
  work_in_background();
  while (const std::optional<Sample> sample = samples_.pop(stop)) {
    replay(*sample);
    ++done_;
    done_.notify_all();
  }
}

void RecallMonitor::replay(const Sample& sample) {
  const Result<VectorMatches> exact = sample.view->search({.vector = sample.vector,
                                                           .k = kReplayed,
                                                           .allowed = sample.allowed ? &*sample.allowed : nullptr,
                                                           .min_similarity = sample.min_similarity,
                                                           .scope = sample.scope});
  if (!exact) return;  // the search itself will have said why
  const auto found = std::ranges::count_if(exact->hits, [&](const SimilarId& hit) { return sample.found.contains(hit.id); });
  Counter& expected_total = metrics_.counter("magpie_search_recall_expected_total", "Nearest pictures of replayed searches");
  Counter& found_total = metrics_.counter("magpie_search_recall_found_total", "Those that the approximate answer had");
  expected_total.add(exact->hits.size());
  found_total.add(static_cast<std::uint64_t>(found));
  if (expected_total.value() == 0) return;
  metrics_.gauge("magpie_search_recall_ratio", "Share of the ten nearest pictures that approximate searches found, by replays")
      .set(static_cast<double>(found_total.value()) / static_cast<double>(expected_total.value()));
}

void RecallMonitor::settle() {
  for (std::uint64_t done = done_; done < taken_; done = done_) done_.wait(done);
}

}  // namespace magpie
