#include "model/graph_session.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "model/resize.h"

namespace magpie::model {
namespace {

Result<void> check_input(const Graph& graph, const ModelManifest& manifest, std::span<const std::int64_t> wanted) {
  if (graph.inputs().size() != 1)
    return fail(Code::kCorrupt, "{}: the graph has {} inputs; one of pictures takes one picture and nothing else", manifest.name,
                graph.inputs().size());
  const GraphInput& input = graph.inputs().front();
  if (!input.takes(wanted)) {
    return fail(Code::kCorrupt, "{}: the graph takes [{}], its manifest says [{}]; see input: width, height, type", manifest.name,
                fmt::join(input.shape, ", "), fmt::join(wanted, ", "));
  }
  const bool bytes = manifest.input.type == InputType::kU8Nhwc;
  if (input.type == (bytes ? NumberType::kU8 : NumberType::kF32)) return {};
  return fail(Code::kCorrupt, "{}: the graph takes other numbers than {}; see input: type", manifest.name,
              bytes ? "bytes" : "32-bit floats");
}

}  // namespace

Result<GraphSession> GraphSession::open(ModelManifest manifest, const NetworkOptions& options) {
  if (options.check_sums) MAGPIE_TRY_DO(verify(manifest));
  MAGPIE_TRY(Graph graph, Graph::open(manifest.folder / manifest.graph, manifest.name, manifest.tensors, options));
  const InputForm& form = manifest.input;
  std::vector<std::int64_t> wanted = {1, form.height, form.width, 3};
  if (form.type == InputType::kF32Nchw) wanted = {1, 3, form.height, form.width};
  MAGPIE_TRY_DO(check_input(graph, manifest, wanted));
  MAGPIE_TRY(void* input, graph.bind(0, wanted));
  return GraphSession(std::move(manifest), std::move(graph), input);
}

void normalise(std::span<const std::uint8_t> pixels, const InputForm& input, std::span<float> out) {
  MAGPIE_CHECK(pixels.size() == input.values() && out.size() == pixels.size(), "pixels are not the input's");
  const std::size_t count = pixels.size() / 3;
  const bool planes = input.type == InputType::kF32Nchw;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const float mean = input.mean[channel], scale = 1 / input.scale[channel];
    const std::uint8_t* from = pixels.data() + (input.bgr ? 2 - channel : channel);
    float* to = planes ? out.data() + channel * count : out.data() + channel;
    const std::size_t step = planes ? 1 : 3;
    for (std::size_t i = 0; i < count; ++i) to[i * step] = (static_cast<float>(from[i * 3]) - mean) * scale;
  }
}

Result<std::vector<OutputTensor>> GraphSession::run(RgbView picture) {
  if (picture.data == nullptr || picture.width <= 0 || picture.height <= 0) return fail(Code::kBadInput, "the picture is empty");
  MAGPIE_CHECK(picture.stride >= 3 * static_cast<std::size_t>(picture.width), "rows overlap");
  const InputForm& form = manifest_.input;
  std::vector<std::uint8_t> pixels = resize_rgb(picture, form.width, form.height, form.fit);
  if (form.type != InputType::kU8Nhwc) {
    normalise(pixels, form, {static_cast<float*>(input_), form.values()});
  } else {
    if (form.bgr) {
      for (std::size_t i = 0; i < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
    }
    std::memcpy(input_, pixels.data(), pixels.size());
  }
  return graph_.run();
}

}  // namespace magpie::model
