#include "model/openvino_graph.h"

#include <utility>

#include "model/openvino_runtime.h"

namespace magpie::model {
namespace {

constexpr std::size_t kPortsMax = 16;
constexpr std::size_t kOutputFloatsMax = 16 << 20;
constexpr std::int64_t kRankMax = 8;

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

NumberType type_of(ov_element_type_e type) {
  switch (type) {
    case U8: return NumberType::kU8;
    case I32: return NumberType::kI32;
    case I64: return NumberType::kI64;
    case F32: return NumberType::kF32;
    default: return NumberType::kOther;
  }
}

ov_element_type_e element_of(NumberType type) {
  switch (type) {
    case NumberType::kU8: return U8;
    case NumberType::kI32: return I32;
    case NumberType::kI64: return I64;
    case NumberType::kF32: return F32;
    case NumberType::kOther: break;
  }
  return DYNAMIC;
}

struct State {
  std::string name;
  std::vector<std::string> tensors;
  OpenVinoRuntime runtime;
  // Freed in the reverse order: tensors, request, model, core.
  Handle<ov_core_t> core;
  Handle<ov_compiled_model_t> model;
  Handle<ov_infer_request_t> request;
  std::vector<GraphInput> inputs;
  std::vector<Handle<ov_tensor_t>> bound;
  std::size_t outputs = 0;
  std::vector<Handle<ov_tensor_t>> given;  // by the last run

  Result<void> compile(const std::string& path, const NetworkOptions& options) {
    core = Handle<ov_core_t>(runtime.core_free);
    MAGPIE_TRY_DO(runtime.check(runtime.core_create(core.slot()), "starting"));
    const CompileOptions pairs = compile_options(options);
    std::vector<ov_property_t> properties;
    for (const auto& [key, value] : pairs) properties.push_back({key.c_str(), value.c_str()});
    model = Handle<ov_compiled_model_t>(runtime.compiled_model_free);
    MAGPIE_TRY_DO(
        runtime.check(runtime.compile(core.get(), path.c_str(), "CPU", properties.size(), properties.data(), model.slot()), path));
    MAGPIE_TRY_DO(runtime.check(runtime.outputs_size(model.get(), &outputs), "counting outputs"));
    if (outputs == 0 || outputs > kPortsMax) return fail(Code::kCorrupt, "{}: {} outputs; 1 to {} can be read", path, outputs, kPortsMax);
    request = Handle<ov_infer_request_t>(runtime.infer_request_free);
    return runtime.check(runtime.create_infer_request(model.get(), request.slot()), "making a request");
  }

  Result<void> read_inputs() {
    std::size_t count = 0;
    MAGPIE_TRY_DO(runtime.check(runtime.inputs_size(model.get(), &count), "counting inputs"));
    if (count == 0 || count > kPortsMax) return fail(Code::kCorrupt, "{}: {} inputs; 1 to {} can be given", name, count, kPortsMax);
    for (std::size_t i = 0; i < count; ++i) {
      MAGPIE_TRY(GraphInput input, read_input(i));
      inputs.push_back(std::move(input));
    }
    bound.resize(count);
    return {};
  }

  Result<GraphInput> read_input(std::size_t number) {
    Handle<ov_output_const_port_t> port(runtime.port_free);
    MAGPIE_TRY_DO(runtime.check(runtime.input_port(model.get(), number, port.slot()), "an input"));
    GraphInput input;
    char* words = nullptr;
    if (runtime.port_name(port.get(), &words) == ov_status_e::OK && words != nullptr) {  // one without a name is none the worse
      input.name = words;
      runtime.free(words);
    }
    ov_element_type_e type = DYNAMIC;
    MAGPIE_TRY_DO(runtime.check(runtime.port_type(port.get(), &type), "an input's type"));
    input.type = type_of(type);
    ov_partial_shape_t shape{};
    MAGPIE_TRY_DO(runtime.check(runtime.port_shape(port.get(), &shape), "an input's shape"));
    const bool known = shape.rank.min == shape.rank.max && shape.rank.min >= 0 && shape.rank.min <= kRankMax;
    for (std::int64_t i = 0; known && i < shape.rank.min; ++i)
      input.shape.push_back(shape.dims[i].min == shape.dims[i].max ? shape.dims[i].min : -1);
    runtime.partial_shape_free(&shape);
    if (!known) return fail(Code::kCorrupt, "{}: input '{}' does not say how many sides it has", name, input.name);
    return input;
  }

  Result<void*> data(const Handle<ov_tensor_t>& of) {
    void* bytes = nullptr;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_data(of.get(), &bytes), "tensor data"));
    return bytes;
  }

  Result<void*> bind(std::size_t number, std::span<const std::int64_t> sides) {
    ov_shape_t shape{};
    MAGPIE_TRY_DO(runtime.check(runtime.shape_create(static_cast<std::int64_t>(sides.size()), sides.data(), &shape), "a shape"));
    Handle<ov_tensor_t> tensor(runtime.tensor_free);
    const auto made = runtime.tensor_create(element_of(inputs[number].type), shape, tensor.slot());
    runtime.shape_free(&shape);
    MAGPIE_TRY_DO(runtime.check(made, "making a tensor"));
    MAGPIE_TRY_DO(runtime.check(runtime.set_input(request.get(), number, tensor.get()), "giving an input"));
    bound[number] = std::move(tensor);
    return data(bound[number]);
  }

  Result<Handle<ov_tensor_t>> output(std::size_t number) {
    Handle<ov_tensor_t> found(runtime.tensor_free);
    if (tensors.empty()) {
      MAGPIE_TRY_DO(runtime.check(runtime.get_output_tensor(request.get(), number, found.slot()), "reading an output"));
      return found;
    }
    const std::string& wanted = tensors[number];
    if (auto got = runtime.check(runtime.get_tensor(request.get(), wanted.c_str(), found.slot()), wanted); !got)
      return fail(Code::kCorrupt, "{}: the graph has no tensor '{}'; see output: tensors ({})", name, wanted, got.error().message);
    return found;
  }

  Result<OutputTensor> read(const Handle<ov_tensor_t>& tensor) {
    ov_element_type_e type = DYNAMIC;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_type(tensor.get(), &type), "tensor type"));
    if (type != F32)
      return fail(Code::kCorrupt, "{}: an output gives other numbers than 32-bit floats; see how the graph was exported", name);
    OutputTensor out;
    ov_shape_t shape{};
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_shape(tensor.get(), &shape), "tensor shape"));
    out.shape.assign(shape.dims, shape.dims + shape.rank);
    runtime.shape_free(&shape);
    std::size_t bytes = 0;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_byte_size(tensor.get(), &bytes), "tensor size"));
    if (bytes / sizeof(float) > kOutputFloatsMax) {
      return fail(Code::kTooLarge, "{}: an output of {} floats; {} are read at most", name, bytes / sizeof(float), kOutputFloatsMax);
    }
    if (bytes == 0) return out;
    MAGPIE_TRY(const void* first, data(tensor));
    out.values = {static_cast<const float*>(first), bytes / sizeof(float)};
    return out;
  }
};

class OpenVinoGraph final : public GraphEngine {
 public:
  explicit OpenVinoGraph(State state) : state_(std::move(state)) {}
  const std::vector<GraphInput>& inputs() const override { return state_.inputs; }
  Result<void*> bind(std::size_t input, std::span<const std::int64_t> shape) override { return state_.bind(input, shape); }
  Result<std::vector<OutputTensor>> run() override;

 private:
  State state_;
};

Result<std::vector<OutputTensor>> OpenVinoGraph::run() {
  MAGPIE_TRY_DO(state_.runtime.check(state_.runtime.infer(state_.request.get()), "inference"));
  const std::size_t count = state_.tensors.empty() ? state_.outputs : state_.tensors.size();
  state_.given.clear();
  std::vector<OutputTensor> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    MAGPIE_TRY(Handle<ov_tensor_t> tensor, state_.output(i));
    MAGPIE_TRY(OutputTensor read, state_.read(tensor));
    outputs.push_back(std::move(read));
    state_.given.push_back(std::move(tensor));
  }
  return outputs;
}

}  // namespace

Result<std::unique_ptr<GraphEngine>> open_openvino_graph(const fs::path& file, std::string model, std::vector<std::string> tensors,
                                                         const NetworkOptions& options) {
  State state;
  state.name = std::move(model);
  state.tensors = std::move(tensors);
  MAGPIE_TRY(state.runtime, open_openvino(options.runtime_folder));
  MAGPIE_TRY_DO(state.compile(file.string(), options));
  MAGPIE_TRY_DO(state.read_inputs());
  return std::make_unique<OpenVinoGraph>(std::move(state));
}

}  // namespace magpie::model
