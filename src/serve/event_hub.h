#pragma once
// Hands what crawls tell to every open event stream, no more often than docs/openapi.yaml promises. Turning a notice into text
// happens once, however many read it; without readers it costs nothing.
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/guarded.h"
#include "core/clock.h"
#include "net/event_stream.h"
#include "serve/hit_cards.h"
#include "serve/job_control.h"

namespace magpie {

/// Thread-safe. Listens to `jobs` from construction to destruction; all references must outlive it.
class EventHub final : public CrawlListener {
 public:
  static constexpr std::chrono::milliseconds kProgressPeriod{500};
  static constexpr int kImagesPerSecond = 10;

  EventHub(JobControl& jobs, HitCards& cards, const Clock& clock, std::size_t streams_max);
  ~EventHub() override;

  /// A stream of all events, or of one job's, that begins with the progress of running jobs. Null when too many are open.
  std::shared_ptr<EventStream> open(std::optional<JobId> job);
  void close_all();
  std::size_t open_streams() const;

  void on_progress(const CrawlProgress& progress) override;
  void on_job(const CrawlJobView& job) override;
  void on_image(JobId job, ImageId image) override;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Reader {
    std::shared_ptr<EventStream> stream;
    std::optional<JobId> job;
  };
  struct State {
    std::vector<Reader> readers;
    std::map<JobId, TimePoint> progress_sent_at;
    TimePoint images_since{};
    int images_sent = 0;
  };

  /// Those who want events of this job; forgets the ones that have gone.
  static std::vector<std::shared_ptr<EventStream>> readers_of(State& state, JobId job);
  void push(JobId job, std::string_view text);

  JobControl& jobs_;
  HitCards& cards_;
  const Clock& clock_;
  const std::size_t streams_max_;
  mutable Guarded<State> state_;
};

}  // namespace magpie
