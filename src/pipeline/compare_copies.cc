#include "pipeline/compare_copies.h"

#include "base/log.h"
#include "pipeline/recorder.h"
#include "pipeline/worker_answers.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kReadAtOnce = 1'000;
constexpr ImageId kLeftBehindMax = 10'000;  // pictures before the last compared one that may not be compared yet

}  // namespace

/// What a picture is compared with; the candidates borrow the bytes.
struct CompareCopies::Neighbours {
  std::vector<ImageId> ids;
  std::vector<std::string> thumbnails, sketches;
  std::vector<std::uint64_t> groups;

  std::vector<analyse::CopyCandidate> candidates() const {
    std::vector<analyse::CopyCandidate> candidates;
    for (std::size_t i = 0; i < ids.size(); ++i) candidates.push_back({groups[i], thumbnails[i], sketches[i]});
    return candidates;
  }
};

Result<std::unique_ptr<CompareCopies>> CompareCopies::start(CompareCopiesParts parts) {
  std::unique_ptr<CompareCopies> stage(new CompareCopies(parts));
  MAGPIE_TRY(const Catalog::LastImages last, parts.catalog.last_images());
  if (last.compared != kNoId) {
    const ImageId behind = last.compared - std::min(last.compared, kLeftBehindMax);
    MAGPIE_TRY(const std::vector<Image> left, parts.catalog.images_uncompared(parts.recorder.space(), behind, 2 * kLeftBehindMax));
    for (const Image& image : left) stage->waiting_.push_back(image.id);
    stage->open_ = left.size();
  }
  stage->thread_ = std::jthread([raw = stage.get()](const std::stop_token& stop) { raw->run(stop); });
  return stage;
}

void CompareCopies::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void CompareCopies::add(const std::vector<ImageId>& images) {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.end(), images.begin(), images.end());
  open_ += images.size();
  changed_.notify_all();
}

void CompareCopies::end() {
  under_way_.end();
  const std::lock_guard lock(mutex_);
  --open_;
  changed_.notify_all();
}

CompareCopiesCounts CompareCopies::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

Result<void> CompareCopies::finish(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, stop, [this] { return open_ == 0 || trouble_; });
  if (trouble_) return Failure(*trouble_);
  return {};
}

Result<void> CompareCopies::compare_all(const std::stop_token& stop) {
  ImageId behind = kNoId;
  while (!stop.stop_requested()) {
    MAGPIE_TRY(const std::vector<Image> some, parts_.catalog.images_uncompared(parts_.recorder.space(), behind, kReadAtOnce));
    if (some.empty()) break;
    behind = some.back().id;
    std::vector<ImageId> ids;
    for (const Image& image : some) ids.push_back(image.id);
    add(ids);
    MAGPIE_TRY_DO(finish(stop));
  }
  return {};
}

void CompareCopies::run(const std::stop_token& stop) {
  while (true) {
    ImageId next = kNoId;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); }) || stop.stop_requested()) break;
      next = waiting_.front();
      waiting_.pop_front();
    }
    if (!under_way_.begin()) break;
    if (auto done = compare(next); !done) {
      under_way_.fail(done.error());
      end();
    }
  }
  if (const auto ended = under_way_.wait(); !ended) {
    log::error("copies.not_compared", {{"why", ended.error().message}});
    const std::lock_guard lock(mutex_);
    trouble_ = ended.error();
    changed_.notify_all();
  }
}

// With a place under way, which it gives back, at once or with the worker's answer, unless it fails.
Result<void> CompareCopies::compare(ImageId id) {
  MAGPIE_TRY(const std::optional<Image> image, parts_.catalog.image(id));
  MAGPIE_TRY(const std::optional<std::string> known, parts_.catalog.copy_sketch(id));
  if (!image || known) {
    end();
    return {};
  }
  MAGPIE_TRY(const Neighbours neighbours, neighbours_of(*image));
  const auto thumbnail = parts_.variants.get(image->thumbnail);
  if (neighbours.ids.empty() || !thumbnail) {
    record(id, "", {});
    return {};
  }
  parts_.workers.submit(analyse::compare_request(*thumbnail, neighbours.candidates()),
                        [this, id, others = neighbours.ids](Result<std::string> answer) { compared(id, others, std::move(answer)); });
  return {};
}

// Those of its own group are copies already. One behind it that was not compared itself is going to find it.
Result<CompareCopies::Neighbours> CompareCopies::neighbours_of(const Image& image) const {
  Neighbours neighbours;
  MAGPIE_TRY(const std::shared_ptr<const VectorSnapshot> vectors, parts_.vectors.snapshot());
  MAGPIE_TRY(const std::optional<Embedding> embedding, vectors->embedding(image.id));
  if (!embedding) return neighbours;
  MAGPIE_TRY(const VectorMatches near, vectors->search({.vector = *embedding,
                                                        .k = kNeighbours + 1,
                                                        .min_similarity = kSimilarityMin,
                                                        .scope = {.part = VectorPart::kWhole},
                                                        .exact = false}));
  for (const SimilarId& hit : near.hits) {
    if (hit.id == image.id || neighbours.ids.size() == kCandidatesMax) continue;
    MAGPIE_TRY(const std::optional<Image> other, parts_.catalog.image(hit.id));
    if (!other || other->copy_group == image.copy_group) continue;
    MAGPIE_TRY(std::optional<std::string> sketch, parts_.catalog.copy_sketch(hit.id));
    if (!sketch && hit.id > image.id) continue;
    auto thumbnail = parts_.variants.get(other->thumbnail);
    if (!thumbnail) continue;
    neighbours.ids.push_back(hit.id);
    neighbours.groups.push_back(static_cast<std::uint64_t>(other->copy_group));
    neighbours.thumbnails.push_back(std::move(*thumbnail));
    neighbours.sketches.push_back(std::move(sketch).value_or(""));
  }
  return neighbours;
}

void CompareCopies::compared(ImageId id, const std::vector<ImageId>& others, Result<std::string> answer) {
  auto done = answer ? analyse::decode_comparison(*answer, others.size()) : Result<analyse::CopyComparison>(Failure(answer.error()));
  if (!done && is_of_the_pool(done.error())) {
    if (done.error().code != Code::kCancelled) under_way_.fail(done.error());
    return end();
  }
  if (!done) {
    log::warn("copies.not_compared", {{"image", id}, {"why", done.error().message}});
    const std::lock_guard lock(mutex_);
    ++counts_.failed;
  }
  std::vector<CopyLink> links;
  for (const analyse::ProvenCopy& copy : done ? done->copies : std::vector<analyse::ProvenCopy>()) {
    const ImageId other = others[copy.candidate];
    CopyLink link{std::max(id, other), std::min(id, other), CopyCause::kLooks, copy.words, done->tone, copy.tone};
    if (other > id) std::swap(link.tone, link.other_tone);
    links.push_back(std::move(link));
  }
  record(id, done ? std::move(done->sketch) : "", std::move(links));
}

void CompareCopies::record(ImageId id, std::string sketch, std::vector<CopyLink> links) {
  {
    const std::lock_guard lock(mutex_);
    ++counts_.compared;
  }
  Finished finished;
  finished.outcome = Compared{id, std::move(sketch), std::move(links)};
  parts_.recorder.record(std::move(finished));
  end();
}

}  // namespace magpie::pipeline
