#include "app/models.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "analyse/analyse_picture.h"
#include "analyse/analysed_image.h"
#include "app/assets.h"
#include "app/pictures.h"
#include "app/texts.h"
#include "image/encode.h"
#include "model/detection_network.h"
#include "model/network.h"
#include "model/text_network.h"

namespace magpie {
namespace {

constexpr image::Size kTrialSize{640, 480};
constexpr int kTimedPictures = 12;
constexpr std::chrono::seconds kTrialMax{60};

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

/// Squares of many colours: nothing, but a picture on which no two places are alike.
image::Pixels trial_picture(std::uint32_t seed) {
  image::Pixels pixels(kTrialSize, 3);
  for (std::uint32_t y = 0; y < kTrialSize.height; ++y) {
    for (std::uint32_t x = 0; x < kTrialSize.width; ++x) {
      std::uint32_t mixed = (x / 20 + 1) * 2'654'435'761U ^ (y / 20 + 1) * 40'503U ^ seed * 97U;
      for (std::size_t c = 0; c < 3; ++c, mixed = mixed * 1'664'525U + 1'013'904'223U)
        pixels.row(y)[std::size_t{x} * 3 + c] = static_cast<std::uint8_t>(mixed >> 24);
    }
  }
  return pixels;
}

bool same(const analyse::AnalysedImage& a, const analyse::AnalysedImage& b) {
  const auto same_region = [](const EmbeddedRegion& left, const EmbeddedRegion& right) {
    return left.region.label == right.region.label && left.region.score == right.region.score && left.region.left == right.region.left &&
           left.embedding == right.embedding;
  };
  return a.embedding == b.embedding && std::ranges::equal(a.regions, b.regions, same_region);
}

void copy_one(const fs::path& from, const fs::path& to, std::error_code& error) {
  if (!error) fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
}

std::chrono::microseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

/// The least time of several calls.
template <class Look>
Result<std::chrono::microseconds> least_time(Look&& look) {
  auto least = std::chrono::microseconds::max();
  for (int i = 0; i < kTimedPictures; ++i) {
    const auto began = cpu_time();
    MAGPIE_TRY_DO(look());
    least = std::min(least, cpu_time() - began);
  }
  return least;
}

}  // namespace

Result<fs::path> user_models_folder() {
  if (const char* named = environment("MAGPIE_MODELS")) return fs::path(named);
  if (const char* data = environment("XDG_DATA_HOME")) return fs::path(data) / "magpie" / "models";
  if (const char* home = environment("HOME")) return fs::path(home) / ".local" / "share" / "magpie" / "models";
  return fail(Code::kNotFound, "there is no place for models of one's own; set MAGPIE_MODELS to a folder");
}

Result<model::ModelManifest> named_model(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    return fail(Code::kBadInput, "'{}' is no model's name; magpie models list shows them", name);
  }
  MAGPIE_TRY(const fs::path own, asset("models"));
  auto manifest = model::load_manifest(own / name);
  if (manifest || manifest.error().code != Code::kNotFound) return manifest;
  const auto users = user_models_folder();
  if (users && fs::exists(*users / name / "manifest.yaml")) return model::load_manifest(*users / name);
  return fail(Code::kNotFound,
              "there is no model {}; magpie models list shows those there are, ./dev setup makes those that come with Magpie", name);
}

std::vector<ListedModel> list_models() {
  std::vector<ListedModel> listed;
  const auto read = [&](const Result<fs::path>& folder, bool of_user) {
    std::error_code error;
    if (!folder) return;
    for (const fs::directory_entry& entry : fs::directory_iterator(*folder, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with('.') && fs::exists(entry.path() / "manifest.yaml", error))
        listed.push_back({name, of_user, model::load_manifest(entry.path())});
    }
  };
  read(asset("models"), false);
  read(user_models_folder(), true);
  std::ranges::sort(listed, {}, &ListedModel::name);
  return listed;
}

namespace {

/// Words in a worker of their own. `into` gets the components.
Result<void> try_words(const AppSettings& settings, const model::ModelManifest& manifest, ModelTrial& into) {
  Texts texts(settings, {manifest.folder, manifest.space()}, /*processes=*/1, nullptr);
  // Long ones, and bytes that are no text, come too.
  const std::vector<std::string> words = {"a red dress", "one bird on a branch", std::string(2'000, 'x'), "\xff\xfe \xc3"};
  const auto embed = [&] { return texts.embed(words, Deadline::after(kTrialMax)); };
  const auto first = embed();
  if (!first) return fail(Code::kBadInput, "{}: words: {}", manifest.name, first.error().message);
  MAGPIE_TRY(const std::vector<Embedding> second, embed());
  if (*first != second) return fail(Code::kCorrupt, "{} gives other numbers for the same words each time", manifest.name);
  if ((*first)[0] == (*first)[1])
    return fail(Code::kCorrupt, "{} gives the same numbers for different words; see text: vocabulary", manifest.name);
  into.outputs = first->front().size();
  return {};
}

Result<void> try_pictures(const AppSettings& settings, const model::ModelManifest& manifest, ModelTrial& trial) {
  const PictureModel tried{manifest.folder, manifest.space()};
  const bool detects = manifest.task == model::Task::kDetection;
  PictureModel embedder = tried;  // a detector is tried beside an embedder, as it works
  if (detects) { MAGPIE_TRY(embedder, named_embedder(kDefaultEmbedder)); }
  const auto workers = start_picture_workers(settings, {.model = &embedder, .detector = detects ? &tried : nullptr, .processes = 1});
  if (auto ready = workers->wait_ready(Deadline::after(kTrialMax)); !ready)
    return fail(Code::kBadInput, "{}: {}", manifest.name, ready.error().message);
  for (const std::uint32_t seed : {1U, 2U}) {
    MAGPIE_TRY(const std::string jpeg, image::encode_jpeg(trial_picture(seed).view(), 90));
    MAGPIE_TRY(const std::string first, workers->call(analyse::analyse_request(jpeg)));
    MAGPIE_TRY(const std::string second, workers->call(analyse::analyse_request(jpeg)));
    MAGPIE_TRY(const analyse::AnalysedImage one, analyse::decode_analysed_image(first));
    MAGPIE_TRY(const analyse::AnalysedImage other, analyse::decode_analysed_image(second));
    if (!same(one, other)) return fail(Code::kCorrupt, "{} gives other numbers for the same picture each time", manifest.name);
    trial.outputs = detects ? trial.outputs + one.regions.size() : one.embedding.size();
  }
  return {};
}

}  // namespace

Result<ModelTrial> try_model(const AppSettings& settings, const model::ModelManifest& manifest) {
  MAGPIE_TRY_DO(model::verify(manifest));
  ModelTrial trial;
  if (manifest.takes_words()) MAGPIE_TRY_DO(try_words(settings, manifest, trial));
  if (manifest.task != model::Task::kText) MAGPIE_TRY_DO(try_pictures(settings, manifest, trial));
  return trial;
}

Result<model::ModelManifest> add_model(const AppSettings& settings, const fs::path& folder) {
  Result<model::ModelManifest> manifest = model::load_manifest(folder);
  if (!manifest && manifest.error().code == Code::kNotFound)
    return fail(Code::kNotFound, "{} has no manifest.yaml; src/model/README.md shows one for each kind of model", folder.string());
  if (!manifest) return manifest;
  if (named_model(manifest->name))
    return fail(Code::kBusy, "there is a model named {}; give this one another name in its manifest, or remove that one", manifest->name);
  MAGPIE_TRY_DO(try_model(settings, *manifest));
  MAGPIE_TRY(const fs::path models, user_models_folder());
  // Under a name that is no model's until it is whole.
  const fs::path into = models / manifest->name, making = models / fmt::format(".{}.new", manifest->name);
  std::error_code error;
  fs::remove_all(making, error);
  fs::create_directories(making, error);
  for (const model::ModelFile& file : manifest->files) copy_one(folder / file.name, making / file.name, error);
  copy_one(folder / "manifest.yaml", making / "manifest.yaml", error);
  if (!error) fs::rename(making, into, error);
  if (error) return fail(Code::kUnavailable, "{}: {}", into.string(), error.message());
  return model::load_manifest(into);
}

Result<ModelTimes> time_model(const model::ModelManifest& manifest) {
  const image::Pixels pixels = trial_picture(1);
  const model::RgbView view{pixels.data(), static_cast<int>(pixels.width()), static_cast<int>(pixels.height()),
                            std::size_t{3} * pixels.width()};
  ModelTimes times;
  const auto no_answer = [](const auto& result) -> Result<void> {
    if (!result) return Failure(result.error());
    return {};
  };
  if (manifest.takes_words()) {
    MAGPIE_TRY(model::TextNetwork network, model::TextNetwork::load(manifest.folder, {}));
    MAGPIE_TRY(times.words, least_time([&] { return no_answer(network.embed("a long red dress with white dots")); }));
  }
  if (manifest.task == model::Task::kDetection) {
    MAGPIE_TRY(model::DetectionNetwork network, model::DetectionNetwork::load(manifest.folder, {}));
    MAGPIE_TRY(times.picture, least_time([&] { return no_answer(network.detect(view)); }));
  } else if (manifest.task == model::Task::kEmbedding) {
    MAGPIE_TRY(model::Network network, model::Network::load(manifest.folder, {}));
    MAGPIE_TRY(times.picture, least_time([&] { return no_answer(network.embed(view)); }));
  }
  return times;
}

}  // namespace magpie
