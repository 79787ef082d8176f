#include "model/network.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/openvino_runtime.h"
#include "model/resize.h"

namespace magpie::model {
namespace {

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

void make_unit_length(std::vector<float>& vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  if (sum <= 0) return;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& x : vector) x = static_cast<float>(x * scale);
}

}  // namespace

struct Network::State {
  ModelManifest manifest;
  OpenVinoRuntime runtime;
  // Freed in the reverse order: tensors, request, model, core.
  Handle<ov_core_t> core;
  Handle<ov_compiled_model_t> model;
  Handle<ov_infer_request_t> request;
  Handle<ov_tensor_t> input, embedding, classes;

  Result<void> compile(const NetworkOptions& options) {
    core = Handle<ov_core_t>(runtime.core_free);
    MAGPIE_TRY_DO(runtime.check(runtime.core_create(core.slot()), "starting"));
    const CompileOptions pairs = compile_options(options);
    std::vector<ov_property_t> properties;
    for (const auto& [key, value] : pairs) properties.push_back({key.c_str(), value.c_str()});
    model = Handle<ov_compiled_model_t>(runtime.compiled_model_free);
    const std::string path = (manifest.folder / manifest.graph).string();
    return runtime.check(runtime.compile(core.get(), path.c_str(), "CPU", properties.size(), properties.data(), model.slot()), path);
  }

  // The request's own tensors are used again for every picture.
  Result<void> bind() {
    request = Handle<ov_infer_request_t>(runtime.infer_request_free);
    MAGPIE_TRY_DO(runtime.check(runtime.create_infer_request(model.get(), request.slot()), "making a request"));
    const std::size_t pixels = static_cast<std::size_t>(manifest.input_width) * static_cast<std::size_t>(manifest.input_height);
    MAGPIE_TRY(input, tensor("picture", 3 * pixels));
    MAGPIE_TRY(embedding, tensor("embedding", sizeof(float) * static_cast<std::size_t>(manifest.embedding_dims)));
    if (manifest.classes == 0) return {};
    MAGPIE_TRY(classes, tensor("classes", sizeof(float) * static_cast<std::size_t>(manifest.classes)));
    return {};
  }

  Result<Handle<ov_tensor_t>> tensor(const char* name, std::size_t bytes) {
    Handle<ov_tensor_t> found(runtime.tensor_free);
    MAGPIE_TRY_DO(runtime.check(runtime.get_tensor(request.get(), name, found.slot()), name));
    std::size_t size = 0;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_byte_size(found.get(), &size), name));
    if (size != bytes) return fail(Code::kCorrupt, "{}: tensor '{}' has {} bytes, the manifest says {}", manifest.name, name, size, bytes);
    return found;
  }

  Result<void*> data(const Handle<ov_tensor_t>& of) {
    void* bytes = nullptr;
    MAGPIE_TRY_DO(runtime.check(runtime.tensor_data(of.get(), &bytes), "tensor data"));
    return bytes;
  }

  Result<std::vector<float>> floats(const Handle<ov_tensor_t>& of, int count) {
    if (of.get() == nullptr) return std::vector<float>{};
    MAGPIE_TRY(const void* bytes, data(of));
    const auto* first = static_cast<const float*>(bytes);
    return std::vector<float>(first, first + count);
  }
};

Network::Network(std::unique_ptr<State> state) : state_(std::move(state)) {}
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;
Network::~Network() = default;

const ModelManifest& Network::manifest() const { return state_->manifest; }

Result<Network> Network::load(const fs::path& model_folder, const NetworkOptions& options) {
  auto state = std::make_unique<State>();
  MAGPIE_TRY(state->manifest, load_manifest(model_folder));
  if (options.check_sums) MAGPIE_TRY_DO(verify(state->manifest));
  MAGPIE_TRY(state->runtime, open_openvino(options.runtime_folder));
  MAGPIE_TRY_DO(state->compile(options));
  MAGPIE_TRY_DO(state->bind());
  return Network(std::move(state));
}

Result<Embedding> Network::embed(RgbView picture) {
  if (picture.data == nullptr || picture.width <= 0 || picture.height <= 0) return fail(Code::kBadInput, "the picture is empty");
  MAGPIE_CHECK(picture.stride >= 3 * static_cast<std::size_t>(picture.width), "rows overlap");
  const ModelManifest& model = state_->manifest;
  const std::vector<std::uint8_t> pixels = resize_rgb(picture, model.input_width, model.input_height, Fit::kCrop);
  MAGPIE_TRY(void* input, state_->data(state_->input));
  std::memcpy(input, pixels.data(), pixels.size());
  MAGPIE_TRY_DO(state_->runtime.check(state_->runtime.infer(state_->request.get()), "inference"));
  Embedding embedding;
  MAGPIE_TRY(embedding.vector, state_->floats(state_->embedding, model.embedding_dims));
  MAGPIE_TRY(embedding.class_scores, state_->floats(state_->classes, model.classes));
  make_unit_length(embedding.vector);
  return embedding;
}

}  // namespace magpie::model
