#pragma once
// What approximate searches miss, measured on those that people make: now and then one is answered again by a full comparison, on a thread
// of its own, and the share of its ten nearest that had been found is counted. An operator reads it from /metrics:
//
//   magpie_search_by_picture_total{plan="scan"|"graph"}   searches by picture, by how they were answered
//   magpie_search_recall_expected_total                   nearest pictures of the replayed searches, ten each
//   magpie_search_recall_found_total                      those of them that the approximate answer had
//   magpie_search_recall_ratio                            the second over the first; absent until there is one
//
// Cost: a replay is one exact search, at most one in `interval`; a search pays for a copy of its filter when it is the one to be replayed.
#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "core/vector_index.h"

namespace magpie {

class RecallMonitor {
 public:
  /// The registry must outlive the monitor.
  explicit RecallMonitor(MetricsRegistry& metrics, std::chrono::milliseconds interval = std::chrono::seconds(10));
  ~RecallMonitor();
  RecallMonitor(const RecallMonitor&) = delete;
  RecallMonitor& operator=(const RecallMonitor&) = delete;

  /// Tells of a search and its answer. Thread-safe; waits for nobody. Everything is copied where it is wanted.
  void saw(std::shared_ptr<const VectorSnapshot> view, const VectorQuery& query, const VectorMatches& matches);
  /// Waits until what was seen so far is counted. For tests.
  void settle();

 private:
  struct Sample {
    std::shared_ptr<const VectorSnapshot> view;
    Embedding vector;
    std::optional<IdSet> allowed;
    float min_similarity = -2;
    VectorScope scope;
    IdSet found;
  };
  void run(std::stop_token stop);
  void replay(const Sample& sample);

  MetricsRegistry& metrics_;
  const std::chrono::milliseconds interval_;
  std::atomic<std::chrono::steady_clock::rep> next_{0};  // no sample before
  std::atomic<std::uint64_t> taken_{0}, done_{0};
  BoundedQueue<Sample> samples_{1};
  std::jthread thread_;  // last member: stops before anything it uses goes
};

}  // namespace magpie
