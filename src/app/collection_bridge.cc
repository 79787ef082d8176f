#include "app/collection_bridge.h"

#include <algorithm>
#include <ctime>

#include "analyse/embed_texts.h"
#include "app/bridge_lessons.h"
#include "app/text_vectors.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/priority.h"
#include "learn/train_bridge.h"

namespace magpie {
namespace {

constexpr std::chrono::seconds kEmbedMax{60}, kLookEvery{2}, kKeepEvery{60};
constexpr std::size_t kNonsenseTexts = 200;
constexpr std::size_t kBatch = 16, kBatchesPerSave = 100;
constexpr std::uint64_t kHeldBackSeed = 0x6865'6c64;
constexpr std::uint64_t kPicturesMin = 100;

constexpr std::string_view kBridgeName = "bridge", kNextName = "next", kTextsName = "texts";

using Report = std::function<void(const BridgeProgress&)>;

/// What a learner keeps, in the folder that was there when it began: what is forgotten takes the folder along.
template <class Kept>
Result<void> save(const Kept& kept, const OpenFolder& folder, std::string_view name) {
  auto saved = kept.save(folder.file(name));
  if (saved || saved.error().code != Code::kNotFound) return saved;
  return fail(Code::kBusy, "something was forgotten while the bridge was learnt; it is to be learnt anew");
}

/// Embeds `texts`, several batches at a time, and puts the vectors into `known`.
Result<void> embed_all(Texts& texts, std::span<const std::string> wanted, TextVectors& known) {
  std::atomic<std::size_t> next = 0;
  Guarded<Result<void>> outcome;
  Guarded<TextVectors*> vectors(&known);
  const auto work = [&] {
    for (std::size_t at = next.fetch_add(kBatch); at < wanted.size(); at = next.fetch_add(kBatch)) {
      const auto batch = wanted.subspan(at, std::min(kBatch, wanted.size() - at));
      const auto embedded = texts.embed(batch, Deadline::after(kEmbedMax));
      if (!embedded) return outcome.with([&](Result<void>& result) { result = Failure(embedded.error()); });
      vectors.with([&](TextVectors* into) {
        for (std::size_t i = 0; i < batch.size(); ++i) into->set(batch[i], (*embedded)[i]);
      });
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < texts.processes(); ++i) threads.emplace_back(work);
  }
  return outcome.with([](Result<void>& result) { return result; });
}

/// Makes the vectors of those texts that `known` has not got, and keeps them in the file as they come.
Result<void> embed_missing(const std::vector<std::string>& texts, Texts& network, TextVectors& known, const OpenFolder& folder,
                           const std::stop_token& stop, const Report& report) {
  std::vector<std::string> missing;
  for (const std::string& text : texts) {
    if (!known.find(text)) missing.push_back(text);
  }
  BridgeProgress progress{.texts = texts.size(), .embedded = texts.size() - missing.size()};
  for (std::span<const std::string> left = missing; !left.empty();) {
    if (report) report(progress);
    if (stop.stop_requested()) return fail(Code::kCancelled, "stopped; what was embedded is kept");
    const std::size_t count = std::min(left.size(), kBatch * kBatchesPerSave);
    const std::size_t round = kBatch * network.processes();  // some 0.7 s, in which nobody looks whether to stop
    for (std::size_t at = 0; at < count && !stop.stop_requested(); at += round) {
      MAGPIE_TRY_DO(embed_all(network, left.subspan(at, std::min(round, count - at)), known));
      if (report) report({.texts = progress.texts, .embedded = progress.embedded + std::min(count, at + round)});
    }
    MAGPIE_TRY_DO(save(known, folder, kTextsName));
    progress.embedded += count;
    left = left.subspan(count);
  }
  return {};
}

/// Texts that mean nothing, as many as there may be.
std::vector<std::string> nonsense_of(const std::vector<std::string>& texts) {
  std::vector<std::string> nonsense;
  for (const std::string& text : std::span(texts).first(std::min(texts.size(), kNonsenseTexts))) nonsense.push_back(shuffled_letters(text));
  return nonsense;
}

/// Two pictures a text, and five looked at for it.
SayingsLimits limits_for(std::int64_t texts_max) {
  const auto texts = static_cast<std::size_t>(texts_max);
  return {.texts = texts, .pictures = 2 * texts, .read = 5 * texts};
}

/// Vectors in the place of texts and pictures. Pictures without one are taken out.
Result<learn::Lessons> lessons_of(Collection& collection, const std::string& space, const Sayings& sayings,
                                  const std::vector<std::string>& nonsense, const TextVectors& known, const std::stop_token& stop) {
  learn::Lessons lessons;
  std::vector<std::optional<std::uint32_t>> places;
  for (const ImageId id : sayings.pictures) {
    if (stop.stop_requested()) return fail(Code::kCancelled, "stopped while reading pictures' vectors");
    MAGPIE_TRY(auto vector, collection.catalog().embedding(id, space));
    places.push_back(vector ? std::optional(static_cast<std::uint32_t>(lessons.pictures.size())) : std::nullopt);
    if (!vector) continue;
    lessons.pictures.push_back(*std::move(vector));
    lessons.held_back.push_back(signature64(std::to_string(id), kHeldBackSeed) % 10 == 0);
  }
  for (std::size_t t = 0; t < sayings.texts.size(); ++t) {
    std::vector<std::uint32_t> said;
    for (const std::uint32_t picture : sayings.said[t]) {
      if (places[picture]) said.push_back(*places[picture]);
    }
    auto vector = known.find(sayings.texts[t]);
    if (said.empty() || !vector) continue;
    lessons.texts.push_back(*std::move(vector));
    lessons.said.push_back(std::move(said));
  }
  for (const std::string& text : nonsense) {
    if (auto vector = known.find(text)) lessons.nonsense.push_back(*std::move(vector));
  }
  return lessons;
}

}  // namespace

fs::path bridge_file(const CollectionFolder& folder) { return folder.bridge() / kBridgeName; }

Result<BridgeEnds> bridge_ends(Collection& collection, const std::string& text_space) {
  MAGPIE_TRY(const std::string picture_space, embedding_space_of(collection.catalog()));
  return BridgeEnds{text_space, picture_space};
}

// There is none where none was learnt, or where something was forgotten since.
void use_next_bridge(const CollectionFolder& folder, const std::string& picture_space) {
  const fs::path next = folder.bridge() / kNextName;
  const auto bridge = learn::Bridge::load(next);
  std::error_code error;
  if (bridge && bridge->facts().picture_space == picture_space) fs::rename(next, bridge_file(folder), error);
  else fs::remove(next, error);
  if (error) log::warn("bridge.not_used", {{"why", error.message()}});
}

void drop_next_bridge(const CollectionFolder& folder) {
  std::error_code ignored;  // another takes its place
  fs::remove(folder.bridge() / kNextName, ignored);
}

Result<learn::BridgeFacts> train_bridge(Collection& collection, Texts& texts, const BridgeEnds& ends, const AppSettings& settings,
                                        const std::stop_token& stop, const Report& report) {
  MAGPIE_TRY(const OpenFolder folder, OpenFolder::make(collection.folder().bridge()));  // before anything is read that may be forgotten
  MAGPIE_TRY(const auto view, collection.index()->vectors().snapshot());
  MAGPIE_TRY(const Sayings sayings, gather_sayings(collection.catalog(), limits_for(settings.bridge.texts()), stop));
  TextVectors known = TextVectors::load(folder.file(kTextsName), ends.text_space);
  const std::vector<std::string> nonsense = nonsense_of(sayings.texts);
  std::vector<std::string> wanted = sayings.texts;
  wanted.insert(wanted.end(), nonsense.begin(), nonsense.end());
  MAGPIE_TRY_DO(embed_missing(wanted, texts, known, folder, stop, report));
  MAGPIE_TRY(const learn::Lessons lessons, lessons_of(collection, ends.picture_space, sayings, nonsense, known, stop));
  MAGPIE_TRY(learn::Bridge bridge, learn::train_bridge(lessons, stop));
  bridge.sign(ends.text_space, ends.picture_space, view->size(), std::time(nullptr));
  known.drop_unused();
  MAGPIE_TRY_DO(save(known, folder, kTextsName));
  MAGPIE_TRY(const BridgeEnds now, bridge_ends(collection, ends.text_space));
  if (!ends.is_next && now.picture_space != ends.picture_space)
    return fail(Code::kBusy, "the collection's vectors became those of {} while the bridge was learnt; it is to be learnt anew",
                now.picture_space);
  MAGPIE_TRY_DO(save(bridge, folder, ends.is_next ? kNextName : kBridgeName));
  return bridge.facts();
}

CollectionPlacer::CollectionPlacer(Collection& collection, std::string picture_space, const AppSettings& settings,
                                   const std::optional<PictureModel>& text_model, MetricsRegistry* metrics)
    : collection_(collection), picture_space_(std::move(picture_space)) {
  if (!text_model) return;
  text_space_ = text_model->space;
  asked_ = std::make_unique<AskedWords>(settings, *text_model, metrics);
}

Result<void> CollectionPlacer::look(Loaded& loaded) const {
  const auto now = std::chrono::steady_clock::now();
  const fs::path file = bridge_file(collection_.folder());
  if (loaded.looked_at.time_since_epoch().count() != 0 && now - loaded.looked_at < kLookEvery) {
    if (loaded.error) return Failure(*loaded.error);
    return {};
  }
  loaded.looked_at = now;
  std::error_code error;
  const auto written_at = fs::last_write_time(file, error);
  if (!error && loaded.bridge && written_at == loaded.written_at) return {};
  loaded.bridge = nullptr;
  const auto read = [&]() -> Result<learn::Bridge> {
    if (error) return fail(Code::kNotFound, "there is no bridge yet; magpie bridge train makes one");
    MAGPIE_TRY(learn::Bridge bridge, learn::Bridge::load(file));
    const learn::BridgeFacts& facts = bridge.facts();
    if (facts.text_space == text_space_ && facts.picture_space == picture_space_) return bridge;
    return fail(Code::kBadInput, "the bridge leads from {} to {}, not from {} to {}; magpie bridge train makes another", facts.text_space,
                facts.picture_space, text_space_, picture_space_);
  };
  auto bridge = read();
  loaded.error = bridge ? std::nullopt : std::optional(bridge.error());
  if (!bridge) return Failure(bridge.error());
  loaded.bridge = std::make_shared<const learn::Bridge>(*std::move(bridge));
  loaded.written_at = written_at;
  return {};
}

Result<std::shared_ptr<const learn::Bridge>> CollectionPlacer::bridge() const {
  if (!asked_) return fail(Code::kNotFound, "there is no text model; ./dev setup installs {}", kDefaultTextModel);
  return loaded_.with([&](Loaded& loaded) -> Result<std::shared_ptr<const learn::Bridge>> {
    MAGPIE_TRY_DO(look(loaded));
    return loaded.bridge;
  });
}

Result<std::optional<WordsPlace>> CollectionPlacer::place(std::string_view words) const {
  const auto known = bridge();
  if (!known) return std::optional<WordsPlace>();
  MAGPIE_TRY(const Embedding vector, asked_->embed(words));
  return (*known)->place(vector);
}

BridgeKeeper::BridgeKeeper(Collection& collection, const AppSettings& settings, PictureModel text_model)
    : collection_(collection), settings_(settings), text_model_(std::move(text_model)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void BridgeKeeper::look() {
  const fs::path file = bridge_file(collection_.folder());
  std::error_code error;
  const auto written_at = fs::last_write_time(file, error);
  if (!error && facts_ && written_at == written_at_) return;
  facts_ = std::nullopt;
  const auto bridge = error ? Result<learn::Bridge>(fail(Code::kNotFound, "no bridge")) : learn::Bridge::load(file);
  if (bridge) facts_ = bridge->facts();
  written_at_ = written_at;
}

bool BridgeKeeper::is_due(std::uint64_t pictures) const {
  const auto space = embedding_space_of(collection_.catalog());
  const bool fits = facts_ && space && facts_->picture_space == *space && facts_->text_space == text_model_.space;
  const std::uint64_t before = std::max(tried_at_, fits ? facts_->pictures : 0);
  return pictures >= kPicturesMin && pictures >= before + before / 2;
}

void BridgeKeeper::run(const std::stop_token& stop) {
  work_in_background();
  std::mutex mutex;
  std::condition_variable_any changed;
  const auto rest = [&] {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, kKeepEvery, [] { return false; });
    return !stop.stop_requested();
  };
  while (rest()) {
    const auto view = collection_.index()->vectors().snapshot();
    const std::uint64_t pictures = view ? (*view)->size() : 0;
    look();
    if (is_due(pictures)) {
      tried_at_ = pictures;
      Texts texts(settings_, text_model_, /*processes=*/1, nullptr);
      const auto ends = bridge_ends(collection_, text_model_.space);
      const auto learnt = ends ? train_bridge(collection_, texts, *ends, settings_, stop, nullptr) : Failure(ends.error());
      if (learnt) tried_at_ = 0;  // the bridge itself says from how many; when it is forgotten, another is learnt
      if (learnt) log::info("bridge.learnt", {{"texts", learnt->pairs}, {"recall_at_10", learnt->recall}});
      else log::info("bridge.not_learnt", {{"why", learnt.error().message}});
    }
  }
}

}  // namespace magpie
