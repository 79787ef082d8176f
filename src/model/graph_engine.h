#pragma once
// What calculates a Graph. Inner part of it: one is made by openvino_graph.h, or by darknet_graph.h for Darknet's files.
#include <memory>

#include "model/graph.h"

namespace magpie::model {

class GraphEngine {
 public:
  virtual ~GraphEngine() = default;
  /// As the functions of Graph by these names; the caller has looked that the input takes the shape.
  virtual const std::vector<GraphInput>& inputs() const = 0;
  virtual Result<void*> bind(std::size_t input, std::span<const std::int64_t> shape) = 0;
  virtual Result<std::vector<OutputTensor>> run() = 0;
};

}  // namespace magpie::model
