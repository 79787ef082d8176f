#include "pipeline/analyse_waiting.h"

#include "analyse/analyse_picture.h"
#include "base/log.h"
#include "pipeline/recorder.h"
#include "pipeline/worker_answers.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kReadAtOnce = 1'000;

// What is kept of the regions stays; a worker gives their vectors alone. False if it gives others.
bool take_vectors(std::vector<EmbeddedRegion> from, std::vector<EmbeddedRegion>& known) {
  if (from.size() != known.size()) return false;
  for (std::size_t i = 0; i < known.size(); ++i) known[i].embedding = std::move(from[i].embedding);
  return true;
}

}  // namespace

Result<AnalyseWaitingCounts> AnalyseWaiting::run(std::stop_token stop) {
  const auto archived = [this](std::int64_t behind) { return parts_.catalog.waiting_images(behind, kReadAtOnce); };
  MAGPIE_TRY_DO(each<WaitingImage>(stop, archived, &AnalyseWaiting::analyse));
  MAGPIE_TRY_DO(embed_all(stop));
  if (parts_.detector.empty()) return counts();
  const auto embedded = [this](std::int64_t behind) {
    return parts_.catalog.images_undetected(parts_.detector, parts_.space, static_cast<ImageId>(behind), kReadAtOnce);
  };
  MAGPIE_TRY_DO(each<Image>(stop, embedded, &AnalyseWaiting::detect));
  return counts();
}

Result<void> AnalyseWaiting::embed_all(const std::stop_token& stop, const std::function<void()>& progress) {
  const auto described = [this](std::int64_t behind) {
    return parts_.catalog.images_without(parts_.space, static_cast<ImageId>(behind), kReadAtOnce);
  };
  return each<Image>(stop, described, &AnalyseWaiting::embed, progress);
}

// Read in parts, so that no list of all is held. Returns when all is recorded, or with the error that ended it.
template <class One>
Result<void> AnalyseWaiting::each(const std::stop_token& stop, const std::function<Result<std::vector<One>>(std::int64_t behind)>& read,
                                  void (AnalyseWaiting::*take)(One), const std::function<void()>& progress) {
  std::int64_t behind = 0;
  Result<std::vector<One>> some;
  bool going = true;
  while (going && !stop.stop_requested()) {
    some = read(behind);
    if (!some || some->empty()) break;
    behind = static_cast<std::int64_t>(some->back().id);
    for (One& one : *some) {
      going = !stop.stop_requested() && under_way_.begin();
      if (!going) break;
      (this->*take)(std::move(one));
      if (progress) progress();
    }
  }
  MAGPIE_TRY_DO(under_way_.wait());
  if (!some) return Failure(some.error());
  return parts_.recorder.flush();
}

void AnalyseWaiting::analyse(WaitingImage waiting) {
  auto finished = std::make_shared<Finished>();
  finished->run = context_of(waiting.job);
  finished->url = {.url = waiting.fetch.url, .kind = UrlKind::kImage, .depth = 1, .job = waiting.job};
  finished->fetch = std::move(waiting.fetch);
  auto request = analyse::analyse_request(parts_.archive, finished->fetch.place);
  if (!request) return analysed(*finished, Failure(request.error()));
  parts_.workers.submit(std::move(*request), [this, finished](Result<std::string> answer) { analysed(*finished, std::move(answer)); });
}

void AnalyseWaiting::analysed(Finished& finished, Result<std::string> answer) {
  auto image = answer ? analyse::decode_analysed_image(*answer) : Result<analyse::AnalysedImage>(Failure(answer.error()));
  if (!image && is_of_the_pool(image.error())) {
    under_way_.fail(image.error());
    return under_way_.end();
  }
  if (image) take_image(finished, std::move(*image));
  else give_up(finished, image.error());
  const bool failed = finished.fetch.cause != Cause::kNone;
  if (failed) log::info("rebuild.no_picture", {{"url", finished.fetch.url}, {"why", finished.fetch.detail}});
  counts_.with([&](AnalyseWaitingCounts& counts) { ++(failed ? counts.failed : counts.analysed); });
  parts_.recorder.record(std::move(finished));
  under_way_.end();
}

void AnalyseWaiting::embed(Image image) {
  if (not_embedded_.with([&](const auto& failed) { return failed.contains(image.id); })) return under_way_.end();
  look_again(std::move(image), &AnalyseWaitingCounts::embedded);
}

void AnalyseWaiting::look_again(Image image, std::uint64_t AnalyseWaitingCounts::*counter) {
  Again again{.image = std::move(image), .known = {}, .counter = counter};
  auto known = parts_.catalog.regions(again.image.id, parts_.space);
  if (!known) return looked_again(std::move(again), Failure(known.error()));
  again.known = std::move(*known);
  auto request = analyse::look_again_request(parts_.archive, again.image.original, again.known);
  if (!request && has_moved(again.image)) request = analyse::look_again_request(parts_.archive, again.image.original, again.known);
  if (!request) return looked_again(std::move(again), Failure(request.error()));
  parts_.workers.submit(std::move(*request), [this, again](Result<std::string> answer) { looked_again(again, std::move(answer)); });
}

// The archive may have been rewritten since the picture was read from the catalog.
bool AnalyseWaiting::has_moved(Image& image) const {
  auto now = parts_.catalog.image(image.id);
  if (!now || !*now || (*now)->original == image.original) return false;
  image = *std::move(*now);
  return true;
}

// One that cannot be read any more keeps what was found in it.
void AnalyseWaiting::looked_again(Again again, Result<std::string> answer) {
  auto done = answer ? analyse::decode_analysed_image(*answer) : Result<analyse::AnalysedImage>(Failure(answer.error()));
  if (done && done->detector.empty() && !take_vectors(std::move(done->regions), again.known))
    done = fail(Code::kCorrupt, "other regions came back than were asked for");
  if (done && !done->embedding.empty()) {
    counts_.with([&](AnalyseWaitingCounts& counts) { ++(counts.*again.counter); });
    Finished finished;
    finished.outcome = SecondLook{again.image.id, std::move(done->space), std::move(done->embedding), done->detector,
                                  done->detector.empty() ? std::move(again.known) : std::move(done->regions)};
    parts_.recorder.record(std::move(finished));
  } else if (!done && is_of_the_pool(done.error())) {
    under_way_.fail(done.error());
  } else {
    log::warn("rebuild.not_embedded", {{"image", again.image.id}, {"why", done ? std::string("no embedding came") : done.error().message}});
    counts_.with([](AnalyseWaitingCounts& counts) { ++counts.failed; });
    if (again.counter == &AnalyseWaitingCounts::embedded) not_embedded_.with([&](auto& failed) { failed.insert(again.image.id); });
  }
  under_way_.end();
}

std::shared_ptr<const RunContext> AnalyseWaiting::context_of(JobId job) {
  auto& context = contexts_[job];
  if (context) return context;
  std::optional<crawl::CrawlRules> rules = parts_.rules(job);
  if (!rules) rules.emplace(job, parts_.settings, [](std::string_view) { return false; });  // a replay's files hold what they hold
  return context = std::make_shared<const RunContext>(RunContext{job, std::move(*rules), {}, {}, {}});
}

}  // namespace magpie::pipeline
