#pragma once
// A model on disk is a folder with manifest.yaml, which says what the files are, what goes in, what comes out, and where it all came
// from. tools/setup/convert_lite0.py writes the first one; the README of this folder has an example.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"

namespace magpie::model {

struct ModelFile {
  std::string name;  // inside the model's folder; no slash
  std::uint64_t size = 0;
  Sha256 sha256{};
};

struct ModelManifest {
  fs::path folder;
  std::string name;     // "efficientnet-lite0"
  std::string version;  // changes whenever the numbers it gives change; stored beside every embedding
  std::string task;     // "embedding"
  std::string graph;    // the file the runtime opens; one of `files`
  std::vector<ModelFile> files;
  int input_width = 0;  // pixels; the graph takes u8 RGB [1, height, width, 3] and normalises by itself
  int input_height = 0;
  int embedding_dims = 0;
  int classes = 0;      // 0: the graph has no class output
  std::string licence;  // SPDX
  std::string source;   // package and version

  /// "efficientnet-lite0@1": names the vector space; embeddings compare only within one.
  std::string space() const { return name + "@" + version; }
};

/// The words of a manifest without looking at files; `folder` stays empty. kCorrupt with the reason. Thread-safe.
Result<ModelManifest> parse_manifest(std::string_view text);
/// Reads folder/manifest.yaml and checks that every file is there with its size; sums are for verify(). kNotFound with the set-up
/// command to run when the folder is missing, kCorrupt for a manifest that lies. Cost: under 1 ms.
Result<ModelManifest> load_manifest(const fs::path& folder);
/// Compares every file with its SHA-256. kCorrupt names the file. Cost: about 15 ms for 20 MB.
Result<void> verify(const ModelManifest& manifest);

}  // namespace magpie::model
