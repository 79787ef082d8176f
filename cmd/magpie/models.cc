// magpie models: which networks there are, and a user's own.
#include "app/models.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

struct ModelFlags {
  std::string action, model;
};

std::string size_of(const model::ModelManifest& manifest) {
  std::uint64_t bytes = 0;
  for (const model::ModelFile& file : manifest.files) bytes += file.size;
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

/// "224 x 224" of pictures, "words" of texts, "224 x 224, words" of both.
std::string takes(const model::ModelManifest& manifest) {
  if (manifest.task == model::Task::kText) return "words";
  return fmt::format("{} x {}{}", manifest.input.width, manifest.input.height, manifest.takes_words() ? ", words" : "");
}

/// "1280 components" or "23 classes".
std::string gives(const model::ModelManifest& manifest) {
  if (manifest.task != model::Task::kDetection) return fmt::format("{} components", manifest.embedding_dims);
  return fmt::format("{} classes", manifest.detection.classes.size());
}

void write_model(JsonWriter& json, const ListedModel& listed) {
  json.begin_object().field("name", listed.name).field("yours", listed.of_user);
  if (!listed.manifest) {
    json.field("error", listed.manifest.error().message).end_object();
    return;
  }
  const model::ModelManifest& manifest = *listed.manifest;
  json.field("version", manifest.version).field("task", to_string(manifest.task)).field("graph", manifest.graph);
  json.field("width", manifest.input.width).field("height", manifest.input.height).field("licence", manifest.licence);
  json.field("source", manifest.source).field("folder", manifest.folder.string());
  if (manifest.task != model::Task::kDetection) json.field("components", manifest.embedding_dims);
  json.field("words", manifest.takes_words());
  json.key("classes").begin_array();
  for (const std::string& name : manifest.detection.classes) json.string(name);
  json.end_array().end_object();
}

Result<int> list(const Common& common) {
  const std::vector<ListedModel> models = list_models();
  if (common.json) {
    JsonWriter json;
    json.begin_array();
    for (const ListedModel& listed : models) write_model(json, listed);
    print_line(json.end_array().text());
  } else {
    for (const auto& [name, of_user, manifest] : models) {
      if (!manifest) fmt::print("{:<26}{}\n", name, manifest.error().message);
      else
        fmt::print("{:<26}{:<10} {:<17} {:<16} {:>8}  {}{}\n", name, to_string(manifest->task), takes(*manifest), gives(*manifest),
                   size_of(*manifest), manifest->licence, of_user ? ", yours" : "");
    }
  }
  return models.empty() ? kNothing : kDone;
}

/// A model by its name, or of a folder that is no model yet.
Result<model::ModelManifest> find(const std::string& model) {
  std::error_code error;
  return model.find('/') != std::string::npos && fs::is_directory(model, error) ? model::load_manifest(model) : named_model(model);
}

std::string next_step(const model::ModelManifest& manifest) {
  if (manifest.task == model::Task::kDetection)
    return fmt::format("Next: --set analyse.detector={0}, or magpie rebuild --analyse --set analyse.detector={0} for what is there",
                       manifest.name);
  if (manifest.task == model::Task::kText) return fmt::format("Next: magpie bridge train --set bridge.text_model={}", manifest.name);
  return fmt::format("Next: magpie rebuild --model {}, or --set model.embedder={} for a new collection", manifest.name, manifest.name);
}

Result<int> add(const AppSettings& settings, const ModelFlags& flags) {
  MAGPIE_TRY(const model::ModelManifest manifest, add_model(settings, flags.model));
  fmt::print(stderr, "{} is a model now, in {}.\n{}\n", manifest.name, manifest.folder.string(), next_step(manifest));
  return kDone;
}

Result<int> verify(const AppSettings& settings, const ModelFlags& flags) {
  MAGPIE_TRY(const model::ModelManifest manifest, find(flags.model));
  MAGPIE_TRY_DO(try_model(settings, manifest));
  fmt::print(stderr, "{}: checksums right; loads in a worker, takes and gives what its manifest says, and gives it twice alike.\n",
             manifest.space());
  return kDone;
}

Result<int> bench(const Common& common, const ModelFlags& flags) {
  MAGPIE_TRY(const model::ModelManifest manifest, find(flags.model));
  MAGPIE_TRY(const ModelTimes times, time_model(manifest));
  const auto milliseconds = [](std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1'000; };
  if (common.json) {
    JsonWriter json;
    json.begin_object().field("name", manifest.name);
    if (times.picture) json.field("cpu_ms", milliseconds(*times.picture));
    if (times.words) json.field("words_cpu_ms", milliseconds(*times.words));
    print_line(json.end_object().text());
    return kDone;
  }
  if (times.picture)
    fmt::print("{}: {:.1f} ms of CPU time for a picture of 640 x 480, one thread\n", manifest.name, milliseconds(*times.picture));
  if (times.words) fmt::print("{}: {:.1f} ms of CPU time for seven words, one thread\n", manifest.name, milliseconds(*times.words));
  return kDone;
}

Result<int> run(const Common& common, const ModelFlags& flags) {
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, nullptr, common));
  if (flags.action == "list") return list(common);
  if (flags.action != "add" && flags.action != "verify" && flags.action != "bench")
    return fail(Code::kBadInput, "the action is list, add, verify or bench, not '{}'", flags.action);
  if (flags.model.empty())
    return fail(Code::kBadInput, "magpie models {} wants {}", flags.action, flags.action == "add" ? "a folder" : "a model");
  if (flags.action == "add") return add(settings, flags);
  return flags.action == "verify" ? verify(settings, flags) : bench(common, flags);
}

}  // namespace

void add_models(CLI::App& app, Common& common) {
  Subcommand command(app, "models", "Networks that look at pictures: list, add your own, verify, measure");
  auto flags = std::make_shared<ModelFlags>();
  command.option("action", flags->action, "list, add, verify, bench", {.value = "ACTION", .required = true});
  command.option("model", flags->model, "Its name, as 'magpie models list' has it; to add or verify one, a folder with manifest.yaml",
                 {.value = "MODEL"});
  command.footer(
      "Examples:\n"
      "  magpie models add ./my-yolo                  ONNX, TFLite, TensorFlow .pb or OpenVINO .xml, with manifest.yaml\n"
      "  magpie models verify my-yolo\n"
      "  magpie crawl --set analyse.detector=my-yolo …\n\n"
      "What a manifest says: src/model/README.md. Models of your own are kept in $MAGPIE_MODELS, else ~/.local/share/magpie/models.");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
