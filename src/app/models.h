#pragma once
// Models that can be named: those that come with Magpie (models/ beside the program), and those a user has added.
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "app/app_settings.h"
#include "base/files.h"
#include "base/result.h"
#include "model/manifest.h"

namespace magpie {

/// Where models that a user adds are kept: $MAGPIE_MODELS, else $XDG_DATA_HOME/magpie/models, else ~/.local/share/magpie/models. Need not
/// be there yet. kNotFound without any of them in the environment.
Result<fs::path> user_models_folder();

/// The model of that name, Magpie's own first. kNotFound names the next step, kCorrupt a manifest that lies.
Result<model::ModelManifest> named_model(const std::string& name);

struct ListedModel {
  std::string name;
  bool of_user = false;
  Result<model::ModelManifest> manifest;
};
/// All of them by name; one that does not read is there with its error.
std::vector<ListedModel> list_models();

/// What a try of a model found.
struct ModelTrial {
  std::size_t outputs = 0;  // components of a vector, or things found in the pictures tried
};
/// Sums, then a worker of its own, sandbox and all: the graph loads there, takes and gives what the manifest says, gives finite numbers,
/// and twice the same for the same picture. A text network or tower is tried likewise, with words. The error names the field of the
/// manifest, or the runtime's words. Cost: seconds.
Result<ModelTrial> try_model(const AppSettings& settings, const model::ModelManifest& manifest);

/// Tries the model in `folder` and copies the files its manifest lists to the user's models. kBusy when there is one of that name.
Result<model::ModelManifest> add_model(const AppSettings& settings, const fs::path& folder);

struct ModelTimes {
  std::optional<std::chrono::microseconds> picture, words;  // of what the model takes
};
/// CPU time of one picture of 640 × 480 and of seven words, the least of several tries, in this process and one thread. Only for models
/// that were tried.
Result<ModelTimes> time_model(const model::ModelManifest& manifest);

}  // namespace magpie
