#include "pipeline/look_around.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/log.h"
#include "base/priority.h"
#include "pipeline/inherited_words.h"
#include "pipeline/recorder.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kReadAtOnce = 1'000;
constexpr std::string_view kMark = "surroundings_behind";  // in the catalog's meta: the last picture before this began

}  // namespace

/// What is seen from one picture.
struct LookAround::View {
  Onlooker from;
  Surroundings found;
  std::vector<LookAlike> others;  // by likeness, without words until they are heard
};

Result<std::unique_ptr<LookAround>> LookAround::start(LookAroundParts parts) {
  std::unique_ptr<LookAround> stage(new LookAround(parts));
  MAGPIE_TRY(const std::optional<std::string> mark, parts.catalog.meta(kMark));
  if (mark) {
    stage->behind_ = static_cast<ImageId>(std::strtoull(mark->c_str(), nullptr, 10));
  } else {
    MAGPIE_TRY(const Catalog::LastImages last, parts.catalog.last_images());
    stage->behind_ = last.known;
    const std::string known = std::to_string(last.known);
    MAGPIE_TRY_DO(parts.recorder.transact([&](CatalogTransaction& transaction) { return transaction.set_meta(kMark, known); }));
  }
  stage->thread_ = std::jthread([raw = stage.get()](const std::stop_token& stop) { raw->run(stop); });
  return stage;
}

void LookAround::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<std::vector<ImageId>> LookAround::some_behind(ImageId behind) const {
  return parts_.catalog.images_to_surround(parts_.recorder.space(), behind, kReadAtOnce);
}

Result<void> LookAround::look_at_all(const std::stop_token& stop) {
  for (ImageId behind = kNoId; !stop.stop_requested();) {
    MAGPIE_TRY(const std::vector<ImageId> some, some_behind(behind));
    if (some.empty()) break;
    behind = some.back();
    add(some);
  }
  finish(stop);
  return {};
}

void LookAround::run(const std::stop_token& stop) {
  work_in_background();
  for (bool any_left = true; !stop.stop_requested();) {
    if (any_left && !queue_.has_waiting()) {
      const std::optional<ImageId> left = next_left();
      if (left) try_to_look(*left);
      any_left = left.has_value();
      continue;
    }
    const std::optional<ImageId> next = queue_.next(stop);
    if (!next) return;
    try_to_look(*next);
    queue_.end(*next);
  }
}

std::optional<ImageId> LookAround::next_left() {
  if (left_.empty()) {
    const auto some = some_behind(behind_);
    if (!some) log::warn("surroundings.leftovers", {{"why", some.error().message}});
    if (!some || some->empty()) return std::nullopt;
    left_.assign(some->begin(), some->end());
    behind_ = left_.back();
  }
  const ImageId next = left_.front();
  left_.pop_front();
  return next;
}

void LookAround::try_to_look(ImageId id) {
  const auto done = look(id);
  if (done) return;
  log::warn("surroundings.not_looked_at", {{"image", id}, {"why", done.error().message}});
  ++failed_;
}

Result<void> LookAround::look(ImageId id) {
  const bool as_heir = heirs_.erase(id) > 0;
  MAGPIE_TRY(const std::optional<Surroundings> known, parts_.catalog.surroundings(id));
  const bool is_fresh = known && known->space == parts_.recorder.space();
  if (is_fresh && !as_heir) return {};
  MAGPIE_TRY(View view, view_of(id));
  MAGPIE_TRY_DO(hear(view));
  if (!is_fresh || view.found.words != known->words) record(view);
  ++looked_;
  return is_fresh ? Result<void>() : call_heirs(view);
}

/// Null for a picture that is gone.
Result<const LookAround::Seen*> LookAround::seen(ImageId id, bool with_words) {
  Seen* seen = seen_.get(id);
  if (!seen) {
    MAGPIE_TRY(const std::optional<Image> image, parts_.catalog.image(id));
    if (!image) return nullptr;
    seen = seen_.put(id, {image->copy_group, std::nullopt});
  }
  if (with_words && !seen->words) { MAGPIE_TRY(seen->words, parts_.catalog.own_words(id)); }
  return seen;
}

Result<LookAround::View> LookAround::view_of(ImageId id) {
  View view{.from = {.image = id}, .found = {.space = parts_.recorder.space()}, .others = {}};
  const std::vector<std::string>& own = view.from.own_words;
  MAGPIE_TRY(view.from.own_words, parts_.catalog.own_words(id));
  view.found.own_words = static_cast<std::uint32_t>(own.size());
  MAGPIE_TRY(const std::optional<Image> image, parts_.catalog.image(id));
  if (image) {
    view.from.copy_group = image->copy_group;
    seen_.put(id, {image->copy_group, own});
  }
  MAGPIE_TRY(const std::shared_ptr<const VectorSnapshot> vectors, parts_.vectors.snapshot());
  MAGPIE_TRY(const std::optional<Embedding> embedding, vectors->embedding(id));
  if (!image || !embedding) return view;
  const VectorScope whole{.part = VectorPart::kWhole};
  MAGPIE_TRY(const Background background, vectors->background(*embedding, whole));
  if (background.mean >= 1) return view;  // all are equal
  MAGPIE_TRY(
      const VectorMatches near,
      vectors->search({.vector = *embedding, .k = kNeighbours + 1, .min_similarity = background.mean, .scope = whole, .exact = false}));
  const bool listens = own.size() < kFewWords;
  float likeness_sum = 0;
  std::size_t nearest = 0;
  for (const SimilarId& hit : near.hits) {
    if (nearest == kNearest && !listens) break;
    if (hit.id == id) continue;
    MAGPIE_TRY(const Seen* other, seen(hit.id, false));
    if (!other) continue;
    const float likeness = std::min((hit.similarity - background.mean) / (1 - background.mean), 1.0F);
    const bool is_copy = other->group == image->copy_group;
    view.others.push_back({hit.id, other->group, likeness, is_copy, {}});
    if (is_copy || nearest == kNearest) continue;
    ++nearest;
    likeness_sum += likeness;
    view.found.look_alikes += likeness >= kLikenessMin ? 1 : 0;
  }
  if (nearest > 0) view.found.rarity = 1 - likeness_sum / static_cast<float>(nearest);
  return view;
}

/// Reads words until enough have been heard, but those of copies, which may stand far down, in any case.
Result<void> LookAround::hear(View& view) {
  if (view.from.own_words.size() >= kFewWords) return {};
  std::set<ImageId> groups;
  for (LookAlike& other : view.others) {
    if (!other.is_copy && (groups.size() == kHeardMax || other.likeness < kLikenessMin)) continue;
    MAGPIE_TRY(const Seen* seen_other, seen(other.id, true));
    if (seen_other) other.words = *seen_other->words;
    if (!other.words.empty()) groups.insert(other.group);
  }
  view.found.words = inherited_words(view.others, view.from.own_words);
  return {};
}

/// Those that inherited from it, and the nearest around it that are still short of words, are looked at again.
Result<void> LookAround::call_heirs(const View& view) {
  MAGPIE_TRY(std::vector<ImageId> heirs, parts_.catalog.heirs(view.from.image));
  if (heirs.size() > kHeirsMax) heirs.resize(kHeirsMax);
  for (std::size_t i = 0; i < std::min(view.others.size(), kNearest) && !view.from.own_words.empty(); ++i) {
    const LookAlike& other = view.others[i];
    if (!other.is_copy && other.likeness < kLikenessMin) break;
    MAGPIE_TRY(const std::optional<Surroundings> known, parts_.catalog.surroundings(other.id));
    if (known && known->own_words + known->words.size() < kFewWords) heirs.push_back(other.id);
  }
  heirs_.insert(heirs.begin(), heirs.end());
  add(heirs);
  return {};
}

void LookAround::record(const View& view) {
  Finished finished;
  finished.outcome = Surrounded{view.from, view.found};
  parts_.recorder.record(std::move(finished));
}

}  // namespace magpie::pipeline
