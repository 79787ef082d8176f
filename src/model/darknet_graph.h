#pragma once
// Darknet's networks: a .cfg, and the .weights of the same name beside it (YOLO v2 to v4). Inner part of Graph.
#include "model/graph_engine.h"

namespace magpie::model {

/// As Graph::open, with libmagpie_darknet.so for a runtime (darknet/darknet.h). One input [1, 3, any, any] of floats; each output
/// [1, boxes, 5 + classes]. kCorrupt for files that are no network, or not of the same.
Result<std::unique_ptr<GraphEngine>> open_darknet_graph(const fs::path& cfg_file, std::string model, const NetworkOptions& options);

}  // namespace magpie::model
