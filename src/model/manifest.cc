#include "model/manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>

namespace magpie::model {
namespace {

constexpr std::size_t kManifestBytesMax = 64 << 10;
constexpr std::size_t kFilesMax = 16;
constexpr std::uint64_t kFileBytesMax = 2ull << 30;
constexpr int kSideMax = 4'096;
constexpr int kOutputsMax = 1 << 20;

bool plain_name(const std::string& name) { return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos; }

Result<ModelFile> read_file_entry(const YAML::Node& node) {
  ModelFile file;
  file.name = node["name"].as<std::string>();
  file.size = node["size"].as<std::uint64_t>();
  if (!plain_name(file.name) || file.size > kFileBytesMax) return fail(Code::kCorrupt, "file entry '{}' is not a plain file", file.name);
  const Result<Sha256> sum = sha256_from_hex(node["sha256"].as<std::string>());
  if (!sum) return fail(Code::kCorrupt, "{}: {}", file.name, sum.error().message);
  file.sha256 = *sum;
  return file;
}

Result<ModelManifest> read_fields(const YAML::Node& root) {
  if (root["manifest"].as<int>() != 1) return fail(Code::kCorrupt, "manifest version {} is not 1", root["manifest"].as<int>());
  ModelManifest manifest;
  manifest.name = root["name"].as<std::string>();
  manifest.version = root["version"].as<std::string>();
  manifest.task = root["task"].as<std::string>();
  manifest.graph = root["graph"].as<std::string>();
  manifest.licence = root["licence"].as<std::string>();
  manifest.source = root["source"].as<std::string>();
  manifest.input_width = root["input"]["width"].as<int>();
  manifest.input_height = root["input"]["height"].as<int>();
  manifest.embedding_dims = root["output"]["embedding_dims"].as<int>();
  manifest.classes = root["output"]["classes"].as<int>(0);
  if (root["files"].size() > kFilesMax) return fail(Code::kCorrupt, "over {} files", kFilesMax);
  for (const YAML::Node& node : root["files"]) {
    MAGPIE_TRY(ModelFile file, read_file_entry(node));
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

Result<void> check_shape(const ModelManifest& manifest) {
  const auto within = [](int value, int low, int high) { return value >= low && value <= high; };
  if (!within(manifest.input_width, 1, kSideMax) || !within(manifest.input_height, 1, kSideMax)) {
    return fail(Code::kCorrupt, "input of {} x {} pixels", manifest.input_width, manifest.input_height);
  }
  if (!within(manifest.embedding_dims, 1, kOutputsMax) || !within(manifest.classes, 0, kOutputsMax)) {
    return fail(Code::kCorrupt, "output of {} floats and {} classes", manifest.embedding_dims, manifest.classes);
  }
  const bool listed =
      std::any_of(manifest.files.begin(), manifest.files.end(), [&](const ModelFile& f) { return f.name == manifest.graph; });
  if (!listed) return fail(Code::kCorrupt, "graph '{}' is not among its files", manifest.graph);
  return {};
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

Result<ModelManifest> parse_manifest(std::string_view text) {
  try {
    MAGPIE_TRY(ModelManifest manifest, read_fields(YAML::Load(std::string(text))));
    MAGPIE_TRY_DO(check_shape(manifest));
    return manifest;
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
