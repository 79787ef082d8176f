#include "pipeline/compare_copies.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/log.h"
#include "pipeline/recorder.h"
#include "pipeline/worker_answers.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kReadAtOnce = 1'000;
constexpr std::string_view kMark = "copies_compared_behind";  // in the catalog's meta: the last picture before comparing began
constexpr ImageId kLeftBehindMax = 10'000;                    // pictures before the last compared one that may not be compared yet

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
  MAGPIE_TRY_DO(stage->add_leftovers());
  stage->thread_ = std::jthread([raw = stage.get()](const std::stop_token& stop) { raw->run(stop); });
  return stage;
}

// Of pictures behind the mark that the first start of all set, and not far before the last that was compared.
Result<void> CompareCopies::add_leftovers() {
  MAGPIE_TRY(const Catalog::LastImages last, parts_.catalog.last_images());
  MAGPIE_TRY(const std::optional<std::string> mark, parts_.catalog.meta(kMark));
  if (!mark) {
    const std::string known = std::to_string(last.known);
    return parts_.recorder.transact([&](CatalogTransaction& transaction) { return transaction.set_meta(kMark, known); });
  }
  ImageId behind = std::max<ImageId>(static_cast<ImageId>(std::strtoull(mark->c_str(), nullptr, 10)),
                                     last.compared - std::min(last.compared, kLeftBehindMax));
  while (true) {
    MAGPIE_TRY(const std::vector<Image> left, parts_.catalog.images_uncompared(parts_.recorder.space(), behind, kReadAtOnce));
    if (left.empty()) return {};
    behind = left.back().id;
    for (const Image& image : left) add({image.id});
  }
}

void CompareCopies::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> CompareCopies::compare_all(const std::stop_token& stop) {
  ImageId behind = kNoId;
  while (!stop.stop_requested()) {
    MAGPIE_TRY(const std::vector<Image> some, parts_.catalog.images_uncompared(parts_.recorder.space(), behind, kReadAtOnce));
    if (some.empty()) break;
    behind = some.back().id;
    for (const Image& image : some) add({image.id});
    finish(stop);
  }
  return {};
}

void CompareCopies::run(const std::stop_token& stop) {
  while (const std::optional<ImageId> next = queue_.next(stop)) {
    if (auto done = compare(*next); !done) give_up(*next, done.error());
  }
  queue_.wait_for_ends();
}

void CompareCopies::give_up(ImageId id, const Error& error) {
  log::warn("copies.not_compared", {{"image", id}, {"why", error.message}});
  ++failed_;
  queue_.end(id);
}

// Ends the picture, at once or with the worker's answer, unless it fails.
Result<void> CompareCopies::compare(ImageId id) {
  MAGPIE_TRY(const std::optional<Image> image, parts_.catalog.image(id));
  MAGPIE_TRY(const std::optional<std::string> known, parts_.catalog.copy_sketch(id));
  if (!image || known) {
    queue_.end(id);
    return {};
  }
  MAGPIE_TRY(const Neighbours neighbours, neighbours_of(*image));
  if (neighbours.ids.empty()) {
    record(id, "", {});
    return {};
  }
  MAGPIE_TRY(const std::string thumbnail, parts_.variants.get(image->thumbnail));
  parts_.workers.submit(analyse::compare_request(thumbnail, neighbours.candidates()),
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
  std::map<ImageId, std::size_t> of_group;
  for (const SimilarId& hit : near.hits) {
    if (hit.id == image.id || neighbours.ids.size() == kCandidatesMax) continue;
    MAGPIE_TRY(const std::optional<Image> other, parts_.catalog.image(hit.id));
    if (!other || other->copy_group == image.copy_group || ++of_group[other->copy_group] > kOfAGroupMax) continue;
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
  if (!done) {
    if (is_of_the_pool(done.error()) || done.error().code == Code::kInternal) return give_up(id, done.error());
    log::warn("copies.cannot_be_compared", {{"image", id}, {"why", done.error().message}});
    return record(id, "", {});
  }
  std::vector<CopyLink> links;
  const auto link = [&](ImageId other, CopyCause cause, const std::string& words, const std::optional<Tone>& other_tone) {
    CopyLink made{std::max(id, other), std::min(id, other), cause, words, done->tone, other_tone};
    if (other > id) std::swap(made.tone, made.other_tone);
    links.push_back(std::move(made));
  };
  for (const std::size_t candidate : done->other_colours) link(others[candidate], CopyCause::kOtherColour, "", std::nullopt);
  for (const analyse::ProvenCopy& copy : done->copies) link(others[copy.candidate], CopyCause::kLooks, copy.words, copy.tone);
  record(id, std::move(done->sketch), std::move(links));
}

void CompareCopies::record(ImageId id, std::string sketch, std::vector<CopyLink> links) {
  ++compared_;
  Finished finished;
  finished.outcome = Compared{id, std::move(sketch), std::move(links)};
  parts_.recorder.record(std::move(finished));
  queue_.end(id);
}

}  // namespace magpie::pipeline
