#pragma once
// A model's graph, compiled, with the pictures it takes and the floats it gives; what the floats mean is for Network and
// DetectionNetwork. OpenVINO (libopenvino_c.so) is opened by the first open(), so that a program that never looks at a picture pays
// nothing for it. Nothing of OpenVINO is visible here.
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "model/manifest.h"
#include "model/rgb_view.h"

namespace magpie::model {

struct NetworkOptions {
  int threads = 1;          // per network; several processes beat several threads
  fs::path runtime_folder;  // where libopenvino_c.so is; empty: beside the program (../lib/magpie), then the build's own
  fs::path cache_folder;    // compiled blobs kept between runs; empty: none (compiling Lite0 takes about 0.1 s)
  bool check_sums = true;   // verify() the files first
  bool fast = false;        // bf16 where the CPU has it: 1.6 times as fast, but vectors then differ a little between machines
};

/// One output; borrowed until the session runs again.
struct OutputTensor {
  std::span<const float> values;
  std::vector<std::int64_t> shape;  // outermost first; its product is values.size()
};

/// Not thread-safe: one per thread or process. Movable.
class GraphSession {
 public:
  /// kCorrupt (model files, or a graph that takes or gives something else than its manifest says), kUnavailable (runtime missing: says
  /// where it was looked for), kInternal (the runtime refuses the graph, in its own words).
  static Result<GraphSession> open(ModelManifest manifest, const NetworkOptions& options);
  GraphSession(GraphSession&&) noexcept;
  GraphSession& operator=(GraphSession&&) noexcept;
  ~GraphSession();

  /// Fits and normalises the picture as the manifest says, and runs the graph. Outputs in the order of ModelManifest::tensors, or the
  /// graph's own. kBadInput for an empty picture; kCorrupt for outputs that are no floats.
  Result<std::vector<OutputTensor>> run(RgbView picture);
  const ModelManifest& manifest() const;

 private:
  struct State;
  explicit GraphSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Pixels of the input's size as the graph's floats: (byte - mean) / scale, channels inside or outside. `pixels` are 3 bytes each, row by
/// row, `out` is input.values() floats.
void normalise(std::span<const std::uint8_t> pixels, const InputForm& input, std::span<float> out);

}  // namespace magpie::model
