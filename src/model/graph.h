#pragma once
// A graph, compiled: numbers in, floats out. What they mean is for GraphSession (a picture) and TokenNetwork (words). OpenVINO
// (libopenvino_c.so) is opened by the first open(), and OpenCV by the first of a Darknet network (.cfg), so that a program that never looks
// at a picture pays nothing for them. Nothing of either is visible here.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace magpie::model {

struct NetworkOptions {
  int threads = 1;          // per network; several processes beat several threads
  fs::path runtime_folder;  // where libopenvino_c.so is; empty: beside the program (../lib/magpie), then the build's own
  fs::path cache_folder;    // compiled blobs kept between runs; empty: none (compiling Lite0 takes about 0.1 s)
  bool check_sums = true;   // verify() the files first
  bool fast = false;        // bf16 where the CPU has it: 1.6 times as fast, but vectors then differ a little between machines
};

/// One output; borrowed until the graph runs again.
struct OutputTensor {
  std::span<const float> values;
  std::vector<std::int64_t> shape;  // outermost first; its product is values.size()
};

enum class NumberType : std::uint8_t { kU8, kI32, kI64, kF32, kOther };

struct GraphInput {
  std::string name;
  NumberType type = NumberType::kOther;
  std::vector<std::int64_t> shape;  // outermost first; -1: whatever it is given
  /// Whether `wanted` may be given to it.
  bool takes(std::span<const std::int64_t> wanted) const;
};

class GraphEngine;

/// Not thread-safe: one per thread or process. Movable.
class Graph {
 public:
  /// `model` names it in errors; `tensors` are the outputs to read, in that order, or none for the graph's own. Checks no sums. kCorrupt
  /// for over 16 inputs or outputs, and for a Darknet network that is none; kUnavailable (runtime missing: says where it was looked for),
  /// kInternal (the runtime refuses the graph, in its own words).
  static Result<Graph> open(const fs::path& file, std::string model, std::vector<std::string> tensors, const NetworkOptions& options);
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  const std::vector<GraphInput>& inputs() const;
  /// Memory for an input, of the type it has and of a shape that it takes; filled before each run, and the graph's until it ends.
  Result<void*> bind(std::size_t input, std::span<const std::int64_t> shape);
  /// Every input must be bound. kCorrupt for outputs that are missing or no floats, kTooLarge, kInternal.
  Result<std::vector<OutputTensor>> run();

 private:
  explicit Graph(std::unique_ptr<GraphEngine> engine);
  std::unique_ptr<GraphEngine> engine_;
};

}  // namespace magpie::model
