#include "model/graph.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/darknet_graph.h"
#include "model/openvino_graph.h"

namespace magpie::model {

bool GraphInput::takes(std::span<const std::int64_t> wanted) const {
  return std::ranges::equal(shape, wanted, [](std::int64_t own, std::int64_t side) { return own == -1 || own == side; });
}

Graph::Graph(std::unique_ptr<GraphEngine> engine) : engine_(std::move(engine)) {}
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;
Graph::~Graph() = default;

const std::vector<GraphInput>& Graph::inputs() const { return engine_->inputs(); }

Result<Graph> Graph::open(const fs::path& file, std::string model, std::vector<std::string> tensors, const NetworkOptions& options) {
  const bool of_darknet = file.extension() == ".cfg";
  MAGPIE_TRY(auto engine, of_darknet ? open_darknet_graph(file, std::move(model), options)
                                     : open_openvino_graph(file, std::move(model), std::move(tensors), options));
  return Graph(std::move(engine));
}

Result<void*> Graph::bind(std::size_t input, std::span<const std::int64_t> shape) {
  MAGPIE_CHECK(input < inputs().size() && inputs()[input].takes(shape), "no input of that shape");
  return engine_->bind(input, shape);
}

Result<std::vector<OutputTensor>> Graph::run() { return engine_->run(); }

}  // namespace magpie::model
