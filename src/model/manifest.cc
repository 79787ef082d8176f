#include "model/manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>

#include "model/class_sets.h"

namespace magpie::model {
namespace {

constexpr std::size_t kManifestBytesMax = 64 << 10;
constexpr std::size_t kFilesMax = 16;
constexpr std::uint64_t kFileBytesMax = 2ull << 30;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1'000;
constexpr int kSideMax = 4'096;
constexpr int kOutputsMax = 1 << 20;
constexpr std::size_t kTensorsMax = 16;
constexpr std::size_t kClassesMax = 1'000;
constexpr int kContextMax = 1'024;
constexpr std::int64_t kTokenMax = 1 << 24;
// YAML may nest and refer without end; ours does neither.
constexpr std::size_t kNestingMax = 16;

bool plain_name(const std::string& name) { return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos; }

// yaml-cpp throws when it is asked what a missing node is.
bool is_map(const YAML::Node& node) { return node.IsDefined() && node.IsMap(); }
bool is_list(const YAML::Node& node) { return node.IsDefined() && node.IsSequence(); }

// A field's value as T. The field stands in the message, as yaml-cpp itself only names a line.
template <class T>
Result<T> as(const YAML::Node& node, std::string_view field) {
  if (!node.IsDefined() || node.IsNull()) return fail(Code::kCorrupt, "{} is missing", field);
  try {
    return node.as<T>();
  } catch (const YAML::Exception&) {
    return fail(Code::kCorrupt, "{} is not what it should be: {}", field, YAML::Dump(node).substr(0, 60));
  }
}

template <class T>
Result<T> as(const YAML::Node& node, std::string_view field, T otherwise) {
  return node.IsDefined() && !node.IsNull() ? as<T>(node, field) : Result<T>(std::move(otherwise));
}

template <class T>
Result<T> number_in(const YAML::Node& node, std::string_view field, T low, T high) {
  MAGPIE_TRY(const T value, as<T>(node, field));
  if (!(value >= low && value <= high)) return fail(Code::kCorrupt, "{} is {}; it must be from {} to {}", field, value, low, high);
  return value;
}

Result<std::string> text_in(const YAML::Node& node, std::string_view field, std::size_t bytes_max) {
  MAGPIE_TRY(std::string text, as<std::string>(node, field));
  const bool printable = std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (text.empty() || text.size() > bytes_max || !printable) {
    return fail(Code::kCorrupt, "{} must be a line of 1 to {} bytes", field, bytes_max);
  }
  return text;
}

// One of several words, by its place in the list.
template <std::size_t count>
Result<std::size_t> word_of(const YAML::Node& node, std::string_view field, const std::array<std::string_view, count>& words) {
  MAGPIE_TRY(const std::string word, as<std::string>(node, field));
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return fail(Code::kCorrupt, "{} is '{}'; it must be one of: {}", field, word, fmt::join(words, ", "));
  return static_cast<std::size_t>(found - words.begin());
}

constexpr std::array<std::string_view, 3> kTasks = {"embedding", "detection", "text"};
constexpr std::array<std::string_view, 3> kTokenizers = {"none", "e5", "clip-bpe"};
constexpr std::array<std::string_view, 3> kFits = {"squash", "crop", "pad"};
constexpr std::array<std::string_view, 3> kTypes = {"u8-nhwc", "f32-nhwc", "f32-nchw"};
constexpr std::array<std::string_view, 2> kChannels = {"rgb", "bgr"};
constexpr std::array<std::string_view, 6> kDecodings = {"ssd-anchors", "nanodet", "yolo-v5", "yolo-v8", "yolo-v10", "yolo-v3"};

Result<ModelFile> read_file_entry(const YAML::Node& node) {
  ModelFile file;
  MAGPIE_TRY(file.name, text_in(node["name"], "files: name", kNameBytesMax));
  MAGPIE_TRY(file.size, as<std::uint64_t>(node["size"], fmt::format("files: {}: size", file.name)));
  if (!plain_name(file.name) || file.size > kFileBytesMax) return fail(Code::kCorrupt, "files: '{}' is not a plain file", file.name);
  MAGPIE_TRY(const std::string hex, as<std::string>(node["sha256"], fmt::format("files: {}: sha256", file.name)));
  const Result<Sha256> sum = sha256_from_hex(hex);
  if (!sum) return fail(Code::kCorrupt, "files: {}: sha256: {}", file.name, sum.error().message);
  file.sha256 = *sum;
  return file;
}

Result<std::vector<ModelFile>> read_files(const YAML::Node& list) {
  if (!is_list(list) || list.size() == 0) return fail(Code::kCorrupt, "files must be a list of name, size and sha256");
  if (list.size() > kFilesMax) return fail(Code::kCorrupt, "files: over {} of them", kFilesMax);
  std::vector<ModelFile> files;
  for (const YAML::Node& node : list) {
    if (!is_map(node)) return fail(Code::kCorrupt, "files must be a list of name, size and sha256");
    MAGPIE_TRY(ModelFile file, read_file_entry(node));
    files.push_back(std::move(file));
  }
  return files;
}

// Three numbers, or one for all channels.
Result<std::array<float, 3>> read_channels(const YAML::Node& node, std::string_view field, std::array<float, 3> otherwise) {
  if (!node.IsDefined()) return otherwise;
  if (node.IsScalar()) {
    MAGPIE_TRY(const float all, as<float>(node, field));
    return std::array<float, 3>{all, all, all};
  }
  if (!is_list(node) || node.size() != 3) return fail(Code::kCorrupt, "{} must be a number, or three", field);
  std::array<float, 3> values{};
  for (std::size_t i = 0; i < 3; ++i) { MAGPIE_TRY(values[i], as<float>(node[i], field)); }
  return values;
}

Result<InputForm> read_input(const YAML::Node& node) {
  if (!is_map(node)) return fail(Code::kCorrupt, "input must name width and height");
  InputForm input;
  MAGPIE_TRY(input.width, number_in(node["width"], "input: width", 1, kSideMax));
  MAGPIE_TRY(input.height, number_in(node["height"], "input: height", 1, kSideMax));
  if (node["type"]) {
    MAGPIE_TRY(const std::size_t type, word_of(node["type"], "input: type", kTypes));
    input.type = static_cast<InputType>(type);
  }
  if (node["fit"]) {
    MAGPIE_TRY(const std::size_t fit, word_of(node["fit"], "input: fit", kFits));
    input.fit = static_cast<Fit>(fit);
  }
  if (node["channels"]) {
    MAGPIE_TRY(const std::size_t channels, word_of(node["channels"], "input: channels", kChannels));
    input.bgr = channels == 1;
  }
  MAGPIE_TRY(input.mean, read_channels(node["mean"], "input: mean", input.mean));
  MAGPIE_TRY(input.scale, read_channels(node["scale"], "input: scale", input.scale));
  const bool numbers = std::ranges::all_of(input.mean, [](float x) { return std::isfinite(x); }) &&
                       std::ranges::all_of(input.scale, [](float x) { return std::isfinite(x) && x > 0; });
  if (!numbers) return fail(Code::kCorrupt, "input: mean must be numbers and scale numbers above 0");
  const bool normalises = node["mean"] || node["scale"];
  if (normalises && input.type == InputType::kU8Nhwc) {
    return fail(Code::kCorrupt, "input: mean and scale go with type f32-nhwc or f32-nchw; a graph that takes bytes normalises by itself");
  }
  return input;
}

Result<std::vector<std::string>> read_names(const YAML::Node& list, std::string_view field, std::size_t names_max) {
  if (!is_list(list) || list.size() == 0 || list.size() > names_max) {
    return fail(Code::kCorrupt, "{} must be a list of 1 to {} names", field, names_max);
  }
  std::vector<std::string> names;
  for (const YAML::Node& node : list) {
    MAGPIE_TRY(std::string name, text_in(node, field, kTextBytesMax));
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<std::string>> read_classes(const YAML::Node& node) {
  constexpr std::string_view kField = "detection: classes";
  if (node.IsDefined() && node.IsScalar()) {
    const auto set = class_set(node.Scalar());
    if (set.empty())
      return fail(Code::kCorrupt, "{} is '{}'; it must be coco, deepfashion2 or a list", kField, node.Scalar().substr(0, 60));
    return std::vector<std::string>(set.begin(), set.end());
  }
  MAGPIE_TRY(std::vector<std::string> names, read_names(node, kField, kClassesMax));
  const bool short_enough = std::ranges::all_of(names, [](const std::string& name) { return name.size() <= kNameBytesMax; });
  if (!short_enough) return fail(Code::kCorrupt, "{}: a name has over {} bytes", kField, kNameBytesMax);
  return names;
}

Result<DetectionForm> read_detection(const YAML::Node& node) {
  if (!is_map(node)) return fail(Code::kCorrupt, "detection must name decoding and classes");
  DetectionForm form;
  MAGPIE_TRY(const std::size_t decoding, word_of(node["decoding"], "detection: decoding", kDecodings));
  form.decoding = static_cast<BoxDecoding>(decoding);
  MAGPIE_TRY(form.classes, read_classes(node["classes"]));
  if (node["score_min"]) { MAGPIE_TRY(form.score_min, number_in(node["score_min"], "detection: score_min", 0.01F, 1.0F)); }
  if (node["overlap_max"]) { MAGPIE_TRY(form.overlap_max, number_in(node["overlap_max"], "detection: overlap_max", 0.01F, 1.0F)); }
  return form;
}

Result<void> read_output(const YAML::Node& node, ModelManifest& manifest) {
  const bool embeds = manifest.task == Task::kEmbedding, of_words = manifest.task == Task::kText;
  if (!node.IsDefined() && !embeds && !of_words) return {};
  if (!is_map(node)) return fail(Code::kCorrupt, "output must name embedding_dims");
  if (of_words) {
    MAGPIE_TRY(manifest.embedding_dims, number_in(node["embedding_dims"], "output: embedding_dims", 1, kOutputsMax));
    return {};
  }
  if (node["tensors"]) { MAGPIE_TRY(manifest.tensors, read_names(node["tensors"], "output: tensors", kTensorsMax)); }
  if (!embeds) return {};
  MAGPIE_TRY(manifest.embedding_dims, number_in(node["embedding_dims"], "output: embedding_dims", 1, kOutputsMax));
  if (node["classes"]) { MAGPIE_TRY(manifest.classes, number_in(node["classes"], "output: classes", 0, kOutputsMax)); }
  const std::size_t wanted = manifest.classes > 0 ? 2 : 1;
  if (manifest.tensors.empty()) manifest.tensors = {"embedding", "classes"};
  if (manifest.tensors.size() < wanted) return fail(Code::kCorrupt, "output: tensors must name the embedding, then the classes");
  manifest.tensors.resize(wanted);
  return {};
}

bool is_listed(const ModelManifest& manifest, std::string_view file) {
  return std::ranges::any_of(manifest.files, [&](const ModelFile& one) { return one.name == file; });
}

// Of an embedder the graph and output of its text tower stand here; of a text network they are the model's.
Result<void> read_tower(const YAML::Node& node, const ModelManifest& manifest, TextForm& form) {
  form.graph = manifest.graph;
  if (manifest.task == Task::kEmbedding) { MAGPIE_TRY(form.graph, text_in(node["graph"], "text: graph", kNameBytesMax)); }
  if (node["tensor"]) { MAGPIE_TRY(form.tensor, text_in(node["tensor"], "text: tensor", kTextBytesMax)); }
  if (!is_list(node["vocabulary"])) {
    MAGPIE_TRY(std::string file, text_in(node["vocabulary"], "text: vocabulary", kNameBytesMax));
    form.vocabulary = {std::move(file)};
  } else {
    MAGPIE_TRY(form.vocabulary, read_names(node["vocabulary"], "text: vocabulary", 2));
  }
  for (const std::string& file : form.vocabulary) {
    if (!is_listed(manifest, file)) return fail(Code::kCorrupt, "text: vocabulary '{}' is not among its files", file);
  }
  if (!is_listed(manifest, form.graph)) return fail(Code::kCorrupt, "text: graph '{}' is not among its files", form.graph);
  if (node["context"]) { MAGPIE_TRY(form.context, number_in(node["context"], "text: context", 3, kContextMax)); }
  for (const auto& [name, number] : {std::pair("start", &form.start), std::pair("end", &form.end), std::pair("pad", &form.pad)}) {
    if (node[name]) { MAGPIE_TRY(*number, number_in(node[name], fmt::format("text: {}", name), std::int64_t{0}, kTokenMax)); }
  }
  if (node["closeness_min"]) { MAGPIE_TRY(form.closeness_min, number_in(node["closeness_min"], "text: closeness_min", 0.0F, 1.0F)); }
  return {};
}

Result<TextForm> read_text(const YAML::Node& node, const ModelManifest& manifest) {
  if (!is_map(node)) return fail(Code::kCorrupt, "text must name its tokenizer");
  MAGPIE_TRY(const std::size_t tokenizer, word_of(node["tokenizer"], "text: tokenizer", kTokenizers));
  TextForm form{.tokenizer = static_cast<Tokenizer>(tokenizer)};
  if (manifest.task == Task::kEmbedding && form.tokenizer == Tokenizer::kE5)
    return fail(Code::kCorrupt, "text: tokenizer e5 is of a text network; a text tower's is clip-bpe");
  if (form.tokenizer == Tokenizer::kClipBpe) MAGPIE_TRY_DO(read_tower(node, manifest, form));
  return form;
}

// A Darknet network lies in two files of one name; its boxes are always given in the same way.
Result<void> check_darknet(const ModelManifest& manifest) {
  const bool detects = manifest.task == Task::kDetection, decodes = detects && manifest.detection.decoding == BoxDecoding::kYoloV3;
  const fs::path graph(manifest.graph);
  if (graph.extension() != ".cfg")
    return decodes ? fail(Code::kCorrupt,
                          "detection: decoding yolo-v3 is of Darknet's networks, whose graph is a .cfg; exported ones mostly are yolo-v5")
                   : Result<void>();
  if (!decodes)
    return fail(Code::kCorrupt, "graph '{}' is Darknet's: task must be detection and detection: decoding yolo-v3", manifest.graph);
  if (manifest.input.type != InputType::kF32Nchw) return fail(Code::kCorrupt, "input: type of a Darknet network is f32-nchw");
  if (!manifest.tensors.empty()) return fail(Code::kCorrupt, "output: tensors have no names in a Darknet network; leave them out");
  const std::string weights = fs::path(graph).replace_extension(".weights").string();
  return is_listed(manifest, weights)
             ? Result<void>()
             : fail(Code::kCorrupt, "'{}', which belongs to graph '{}', is not among its files", weights, manifest.graph);
}

Result<ModelManifest> read_fields(const YAML::Node& root) {
  if (!is_map(root)) return fail(Code::kCorrupt, "no fields in it; the README of src/model has an example");
  MAGPIE_TRY(const int form, as<int>(root["manifest"], "manifest"));
  if (form != 1) return fail(Code::kCorrupt, "manifest is {}; this Magpie reads form 1", form);
  ModelManifest manifest;
  MAGPIE_TRY(manifest.name, text_in(root["name"], "name", kNameBytesMax));
  if (!plain_name(manifest.name) || manifest.name.find('@') != std::string::npos) {
    return fail(Code::kCorrupt, "name is '{}'; it becomes a folder's, so no slash, no @, no dot in front", manifest.name);
  }
  MAGPIE_TRY(manifest.version, text_in(root["version"], "version", kNameBytesMax));
  MAGPIE_TRY(const std::size_t task, word_of(root["task"], "task", kTasks));
  manifest.task = static_cast<Task>(task);
  MAGPIE_TRY(manifest.graph, text_in(root["graph"], "graph", kNameBytesMax));
  MAGPIE_TRY(manifest.licence, text_in(root["licence"], "licence", kTextBytesMax));
  MAGPIE_TRY(manifest.source, text_in(root["source"], "source", kTextBytesMax));
  MAGPIE_TRY(manifest.files, read_files(root["files"]));
  const bool has_tower = manifest.task == Task::kEmbedding && root["text"];
  if (manifest.task == Task::kText || has_tower) { MAGPIE_TRY(manifest.text, read_text(root["text"], manifest)); }
  if (manifest.task != Task::kText) { MAGPIE_TRY(manifest.input, read_input(root["input"])); }
  MAGPIE_TRY_DO(read_output(root["output"], manifest));
  if (manifest.task == Task::kDetection) { MAGPIE_TRY(manifest.detection, read_detection(root["detection"])); }
  MAGPIE_TRY_DO(check_darknet(manifest));
  if (!is_listed(manifest, manifest.graph)) return fail(Code::kCorrupt, "graph '{}' is not among its files", manifest.graph);
  return manifest;
}

// How deep brackets nest; indentation cannot nest deeper than the text is wide.
bool nests_too_deep(std::string_view text) {
  std::size_t depth = 0, deepest = 0, indent = 0;
  bool at_start = true;
  for (const char c : text) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (c == '\n') at_start = true, indent = 0;
    else if (at_start && (c == ' ' || c == '-' || c == '?')) deepest = std::max(deepest, ++indent / 2);
    else at_start = false;
  }
  return deepest > kNestingMax;
}

Result<void> check_sizes(const ModelManifest& manifest) {
  for (const ModelFile& file : manifest.files) {
    std::error_code error;
    const std::uint64_t size = fs::file_size(manifest.folder / file.name, error);
    if (error) return fail(Code::kCorrupt, "{}: {}", file.name, error.message());
    if (size != file.size) return fail(Code::kCorrupt, "{} has {} bytes, {} were expected", file.name, size, file.size);
  }
  return {};
}

}  // namespace

std::string_view to_string(Task task) { return kTasks[static_cast<std::size_t>(task)]; }
std::string_view to_string(Tokenizer tokenizer) { return kTokenizers[static_cast<std::size_t>(tokenizer)]; }
std::string_view to_string(BoxDecoding decoding) { return kDecodings[static_cast<std::size_t>(decoding)]; }

Result<ModelManifest> parse_manifest(std::string_view text) {
  if (text.size() > kManifestBytesMax) return fail(Code::kCorrupt, "a manifest of over {} bytes", kManifestBytesMax);
  if (nests_too_deep(text)) return fail(Code::kCorrupt, "a manifest nests no deeper than {} levels", kNestingMax);
  try {
    return read_fields(YAML::Load(std::string(text)));
  } catch (const std::exception& error) { return fail(Code::kCorrupt, "not a manifest: {}", error.what()); }
}

Result<ModelManifest> load_manifest(const fs::path& folder) {
  const fs::path path = folder / "manifest.yaml";
  Result<std::string> text = read_file(path, kManifestBytesMax);
  if (!text && text.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, "no model in {}; ./dev setup (tools/setup/models.sh) makes it", folder.string());
  }
  if (!text) return Failure(std::move(text).error());
  Result<ModelManifest> manifest = parse_manifest(*text);
  if (!manifest) return fail(std::move(manifest).error(), path.string());
  manifest->folder = folder;
  if (auto sizes = check_sizes(*manifest); !sizes) return fail(std::move(sizes).error(), path.string());
  return manifest;
}

Result<void> verify(const ModelManifest& manifest) {
  for (const ModelFile& file : manifest.files) {
    MAGPIE_TRY(std::string bytes, read_file(manifest.folder / file.name, file.size));
    if (sha256(bytes) != file.sha256) {
      return fail(Code::kCorrupt, "{} is damaged (its SHA-256 is not the manifest's); remove the folder and run ./dev setup",
                  (manifest.folder / file.name).string());
    }
  }
  return {};
}

}  // namespace magpie::model
