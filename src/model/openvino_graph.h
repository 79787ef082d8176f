#pragma once
// What OpenVINO reads: .xml (with its .bin), .onnx, .tflite, .pb. Inner part of Graph.
#include "model/graph_engine.h"

namespace magpie::model {

/// As Graph::open.
Result<std::unique_ptr<GraphEngine>> open_openvino_graph(const fs::path& file, std::string model, std::vector<std::string> tensors,
                                                         const NetworkOptions& options);

}  // namespace magpie::model
