#include "model/graph_session.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/openvino_runtime.h"
#include "model/resize.h"

namespace magpie::model {
namespace {

constexpr std::size_t kOutputsMax = 16;
constexpr std::size_t kOutputFloatsMax = 16 << 20;

// An OpenVINO object with the function that frees it.
template <class T>
class Handle {
 public:
  Handle() = default;
  explicit Handle(void (*free)(T*)) : free_(free) {}
  Handle(Handle&& other) noexcept : free_(other.free_), value_(std::exchange(other.value_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(free_, other.free_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Handle() {
    if (value_ != nullptr) free_(value_);
  }
  T* get() const { return value_; }
  T** slot() { return &value_; }

 private:
  void (*free_)(T*) = nullptr;
  T* value_ = nullptr;
};

using CompileOptions = std::vector<std::pair<std::string, std::string>>;

CompileOptions compile_options(const NetworkOptions& options) {
  CompileOptions pairs = {
      {"PERFORMANCE_HINT", "LATENCY"},
      {"INFERENCE_NUM_THREADS", std::to_string(options.threads)},
      {"INFERENCE_PRECISION_HINT", options.fast ? "bf16" : "f32"},
  };
  if (!options.cache_folder.empty()) pairs.emplace_back("CACHE_DIR", options.cache_folder.string());
  return pairs;
}

}  // namespace

struct GraphSession::State {
  ModelManifest manifest;
  OpenVinoRuntime runtime;
  // Freed in the reverse order: tensors, request, model, core.
  Handle<ov_core_t> core;
  Handle<ov_compiled_model_t> model;
  Handle<ov_infer_request_t> request;
  Handle<ov_tensor_t> input;
  std::size_t outputs = 0;
  std::vector<Handle<ov_tensor_t>> given;  // by the last run

  Result<void> compile(const NetworkOptions& options) {
    core = Handle<ov_core_t>(runtime.core_free);
    MAGPIE_TRY_DO(runtime.check(runtime.core_create(core.slot()), "starting"));
    const CompileOptions pairs = compile_options(options);
    std::vector<ov_property_t> properties;
    for (const auto& [key, value] : pairs) properties.push_back({key.c_str(), value.c_str()});
    model = Handle<ov_compiled_model_t>(runtime.compiled_model_free);
    const std::string path = (manifest.folder / manifest.graph).string();
    MAGPIE_TRY_DO(
        runtime.check(runtime.compile(core.get(), path.c_str(), "CPU", properties.size(), properties.data(), model.slot()), path));
    MAGPIE_TRY_DO(runtime.check(runtime.outputs_size(model.get(), &outputs), "counting outputs"));
    if (outputs == 0 || outputs > kOutputsMax)
      return fail(Code::kCorrupt, "{}: {} outputs; 1 to {} can be read", path, outputs, kOutputsMax);
    return {};
  }

  // The request's own tensor is used again for every picture.
  Result<void> bind() {
    request = Handle<ov_infer_request_t>(runtime.infer_request_free);
    MAGPIE_TRY_DO(runtime.check(runtime.create_infer_request(model.get(), request.slot()), "making a request"));
    input = Handle<ov_tensor_t>(runtime.tensor_free);
    MAGPIE_TRY_DO(runtime.check(runtime.get_input_tensor(request.get(), input.slot()), "a graph takes one picture and nothing else"));
    const InputForm& form = manifest.input;
    const bool bytes = form.type == InputType::kU8Nhwc;
    std::vector<std::int64_t> wanted = {1, form.height, form.width, 3};
    if (form.type == InputType::kF32Nchw) wanted = {1, 3, form.height, form.width};
    MAGPIE_TRY(const std::vector<std::int64_t> shape, shape_of(input));
    if (shape != wanted) {
      return fail(Code::kCorrupt, "{}: the graph takes [{}], its manifest says [{}]; see input: width, height, type", manifest.name,
                  fmt::join(shape, ", "), fmt::join(wanted, ", "));
    }
    return check_type(input, bytes ? U8 : F32, "the graph takes", "input: type");
  }

  Result<void> check_type(const Handle<ov_tensor_t>& of, ov_element_type_e wanted, std::string_view what, std::string_view field) {
    ov_element_type_e type = DYNAMIC;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_type(of.get(), &type), "tensor type"));
    if (type == wanted) return {};
    return fail(Code::kCorrupt, "{}: {} other numbers than {}; see {}", manifest.name, what, wanted == U8 ? "bytes" : "32-bit floats",
                field);
  }

  Result<std::vector<std::int64_t>> shape_of(const Handle<ov_tensor_t>& of) {
    ov_shape_t shape{};
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_shape(of.get(), &shape), "tensor shape"));
    std::vector<std::int64_t> sides(shape.dims, shape.dims + shape.rank);
    runtime.shape_free(&shape);
    return sides;
  }

  Result<void*> data(const Handle<ov_tensor_t>& of) {
    void* bytes = nullptr;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_data(of.get(), &bytes), "tensor data"));
    return bytes;
  }

  Result<Handle<ov_tensor_t>> output(std::size_t number) {
    Handle<ov_tensor_t> found(runtime.tensor_free);
    if (manifest.tensors.empty()) {
      MAGPIE_TRY_DO(runtime.check(runtime.get_output_tensor(request.get(), number, found.slot()), "reading an output"));
      return found;
    }
    const std::string& name = manifest.tensors[number];
    if (auto got = runtime.check(runtime.get_tensor(request.get(), name.c_str(), found.slot()), name); !got) {
      return fail(Code::kCorrupt, "{}: the graph has no tensor '{}'; see output: tensors ({})", manifest.name, name, got.error().message);
    }
    return found;
  }

  Result<OutputTensor> read(const Handle<ov_tensor_t>& tensor) {
    MAGPIE_TRY_DO(check_type(tensor, F32, "an output gives", "how the graph was exported"));
    OutputTensor out;
    MAGPIE_TRY(out.shape, shape_of(tensor));
    std::size_t bytes = 0;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_byte_size(tensor.get(), &bytes), "tensor size"));
    if (bytes / sizeof(float) > kOutputFloatsMax) {
      return fail(Code::kTooLarge, "{}: an output of {} floats; {} are read at most", manifest.name, bytes / sizeof(float),
                  kOutputFloatsMax);
    }
    if (bytes == 0) return out;
    MAGPIE_TRY(const void* first, data(tensor));
    out.values = {static_cast<const float*>(first), bytes / sizeof(float)};
    return out;
  }
};

GraphSession::GraphSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
GraphSession::GraphSession(GraphSession&&) noexcept = default;
GraphSession& GraphSession::operator=(GraphSession&&) noexcept = default;
GraphSession::~GraphSession() = default;

const ModelManifest& GraphSession::manifest() const { return state_->manifest; }

Result<GraphSession> GraphSession::open(ModelManifest manifest, const NetworkOptions& options) {
  auto state = std::make_unique<State>();
  state->manifest = std::move(manifest);
  if (options.check_sums) MAGPIE_TRY_DO(verify(state->manifest));
  MAGPIE_TRY(state->runtime, open_openvino(options.runtime_folder));
  MAGPIE_TRY_DO(state->compile(options));
  MAGPIE_TRY_DO(state->bind());
  return GraphSession(std::move(state));
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
  State& state = *state_;
  const InputForm& form = state.manifest.input;
  std::vector<std::uint8_t> pixels = resize_rgb(picture, form.width, form.height, form.fit);
  MAGPIE_TRY(void* input, state.data(state.input));
  if (form.type != InputType::kU8Nhwc) {
    normalise(pixels, form, {static_cast<float*>(input), form.values()});
  } else {
    if (form.bgr) {
      for (std::size_t i = 0; i < pixels.size(); i += 3) std::swap(pixels[i], pixels[i + 2]);
    }
    std::memcpy(input, pixels.data(), pixels.size());
  }
  MAGPIE_TRY_DO(state.runtime.check(state.runtime.infer(state.request.get()), "inference"));
  const std::size_t count = state.manifest.tensors.empty() ? state.outputs : state.manifest.tensors.size();
  state.given.clear();
  std::vector<OutputTensor> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    MAGPIE_TRY(Handle<ov_tensor_t> tensor, state.output(i));
    MAGPIE_TRY(OutputTensor read, state.read(tensor));
    outputs.push_back(std::move(read));
    state.given.push_back(std::move(tensor));
  }
  return outputs;
}

}  // namespace magpie::model
