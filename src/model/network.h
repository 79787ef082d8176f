#pragma once
// Network: a picture in, numbers out, by OpenVINO on the CPU. OpenVINO (libopenvino_c.so) is opened by the first load(), so that a
// program that never looks at a picture pays nothing for it. Nothing of OpenVINO is visible here.
//
//   MAGPIE_TRY(Network network, Network::load("models/efficientnet-lite0", {}));
//   MAGPIE_TRY(Embedding e, network.embed({rgb, 640, 480, 640 * 3}));
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "model/manifest.h"

namespace magpie::model {

/// Upright RGB, 8 bits each, sRGB; borrowed for the call.
struct RgbView {
  const std::uint8_t* data = nullptr;
  int width = 0;  // pixels
  int height = 0;
  std::size_t stride = 0;  // bytes from one row to the next, >= 3 * width
};

struct NetworkOptions {
  int threads = 1;          // per network; several processes beat several threads
  fs::path runtime_folder;  // where libopenvino_c.so is; empty: beside the program (../lib/magpie), then the build's own
  fs::path cache_folder;    // compiled blobs kept between runs; empty: none (compiling Lite0 takes about 0.1 s)
  bool check_sums = true;   // verify() the files first
  bool fast = false;        // bf16 where the CPU has it: 1.6 times as fast, but vectors then differ a little between machines
};

struct Embedding {
  std::vector<float> vector;        // ModelManifest::embedding_dims floats of unit length: dot product is cosine
  std::vector<float> class_scores;  // logits, ModelManifest::classes of them; empty if the graph has none
};

/// Not thread-safe: one per thread or process. Movable.
class Network {
 public:
  /// kNotFound, kCorrupt (model files), kUnavailable (runtime missing: says where it was looked for).
  static Result<Network> load(const fs::path& model_folder, const NetworkOptions& options);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  /// Scales the middle of the picture to the input (model/resize.h, Fit::kCrop) and runs the graph. kBadInput for an empty picture. Cost:
  /// README.md.
  Result<Embedding> embed(RgbView picture);
  const ModelManifest& manifest() const;

 private:
  struct State;
  explicit Network(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace magpie::model
