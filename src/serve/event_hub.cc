#include "serve/event_hub.h"

#include <algorithm>

#include "serve/job_json.h"

namespace magpie {

EventHub::EventHub(JobControl& jobs, HitCards& cards, const Clock& clock, std::size_t streams_max)
    : jobs_(jobs), cards_(cards), clock_(clock), streams_max_(streams_max) {
  jobs_.listen(*this);
}

EventHub::~EventHub() {
  jobs_.stop_telling(*this);
  close_all();
}

std::shared_ptr<EventStream> EventHub::open(std::optional<JobId> job) {
  auto stream = std::make_shared<EventStream>();
  const bool taken = state_.with([&](State& state) {
    std::erase_if(state.readers, [](const Reader& reader) { return reader.stream->closed(); });
    if (state.readers.size() >= streams_max_) return false;
    state.readers.push_back({stream, job});
    return true;
  });
  if (!taken) return nullptr;
  stream->push(":\n\n");  // something at once, so that the reader knows it is connected
  const auto all = jobs_.list();
  for (const CrawlJobView& view : all ? *all : std::vector<CrawlJobView>()) {
    if (!has_ended(view.state) && (!job || *job == view.id)) stream->push(event_text("progress", progress_text(view.progress)));
  }
  return stream;
}

void EventHub::close_all() {
  const auto readers = state_.with([](State& state) { return std::exchange(state.readers, {}); });
  for (const Reader& reader : readers) reader.stream->close();
}

std::size_t EventHub::open_streams() const {
  return state_.with([](const State& state) {
    return static_cast<std::size_t>(
        std::count_if(state.readers.begin(), state.readers.end(), [](const Reader& reader) { return !reader.stream->closed(); }));
  });
}

std::vector<std::shared_ptr<EventStream>> EventHub::readers_of(State& state, JobId job) {
  std::erase_if(state.readers, [](const Reader& reader) { return reader.stream->closed(); });
  std::vector<std::shared_ptr<EventStream>> streams;
  for (const Reader& reader : state.readers) {
    if (!reader.job || *reader.job == job) streams.push_back(reader.stream);
  }
  return streams;
}

void EventHub::push(JobId job, std::string_view text) {
  // Outside the lock: a push may wake the server's thread.
  for (const auto& stream : state_.with([&](State& state) { return readers_of(state, job); })) stream->push(text);
}

void EventHub::on_progress(const CrawlProgress& progress) {
  const auto now = clock_.steady();
  const bool due = state_.with([&](State& state) {
    if (has_ended(progress.state)) {
      state.progress_sent_at.erase(progress.job);
      return true;
    }
    const auto [sent, first] = state.progress_sent_at.try_emplace(progress.job, now);
    if (!first && now - sent->second < kProgressPeriod) return false;
    sent->second = now;
    return !state.readers.empty();
  });
  if (due) push(progress.job, event_text("progress", progress_text(progress)));
}

void EventHub::on_job(const CrawlJobView& job) { push(job.id, event_text("job", job_text(job))); }

void EventHub::on_image(JobId job, ImageId image) {
  const auto now = clock_.steady();
  const bool due = state_.with([&](State& state) {
    if (readers_of(state, job).empty()) return false;
    if (now - state.images_since >= std::chrono::seconds(1)) {
      state.images_since = now;
      state.images_sent = 0;
    }
    return ++state.images_sent <= kImagesPerSecond;
  });
  if (!due) return;
  const auto hit = cards_.object({.id = image});
  if (hit) push(job, event_text("image", *hit));
}

}  // namespace magpie
