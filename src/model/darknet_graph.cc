#include "model/darknet_graph.h"

#include <dlfcn.h>

#include <utility>

#include "base/check.h"
#include "base/files.h"
#include "darknet/darknet.h"
#include "model/darknet_cfg.h"

namespace magpie::model {
namespace {

constexpr int kOutputsMax = 16;
constexpr std::size_t kOutputFloatsMax = 16 << 20;
constexpr std::size_t kErrorBytes = 512;

struct DarknetLibrary {
  decltype(&::magpie_darknet_open) open = nullptr;
  decltype(&::magpie_darknet_close) close = nullptr;
  decltype(&::magpie_darknet_run) run = nullptr;
  decltype(&::magpie_darknet_output) output = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

/// Beside the program, in ../lib/magpie, or in the build's own folder.
Result<void*> load() {
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders = {program.parent_path().parent_path() / "lib" / "magpie", program.parent_path()};
  folders.emplace_back(MAGPIE_DARKNET_FOLDER);
  std::string tried;
  for (const fs::path& folder : folders) {
    const fs::path file = folder / "libmagpie_darknet.so";
    if (void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;  // stays open while the process lives
    const char* words = ::dlerror();
    tried += fmt::format("{}{}", tried.empty() ? "" : "; ", words == nullptr ? file.string() : words);
  }
  return fail(Code::kUnavailable, "networks of Darknet need OpenCV ({}); apt-get install libopencv-dnn406", tried);
}

Result<DarknetLibrary> open_library() {
  MAGPIE_TRY(void* library, load());
  DarknetLibrary darknet;
  const bool complete = find(library, "magpie_darknet_open", darknet.open) && find(library, "magpie_darknet_close", darknet.close) &&
                        find(library, "magpie_darknet_run", darknet.run) && find(library, "magpie_darknet_output", darknet.output);
  if (!complete) return fail(Code::kUnavailable, "libmagpie_darknet.so is of another version");
  return darknet;
}

class DarknetGraph final : public GraphEngine {
 public:
  DarknetGraph(std::string model, const DarknetLibrary& library, MagpieDarknet* network)
      : model_(std::move(model)), library_(library), network_(network, library.close) {}

  const std::vector<GraphInput>& inputs() const override { return inputs_; }

  Result<void*> bind(std::size_t, std::span<const std::int64_t> shape) override {
    height_ = static_cast<int>(shape[2]);
    width_ = static_cast<int>(shape[3]);
    planes_.assign(3 * static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_), 0);
    return planes_.data();
  }

  Result<std::vector<OutputTensor>> run() override {
    MAGPIE_CHECK(!planes_.empty(), "no input is bound");
    char error[kErrorBytes] = "";
    const int count = library_.run(network_.get(), planes_.data(), width_, height_, error, sizeof error);
    if (count < 0) return fail(Code::kCorrupt, "{}: {}", model_, error);
    if (count == 0 || count > kOutputsMax) return fail(Code::kCorrupt, "{}: {} outputs; 1 to {} can be read", model_, count, kOutputsMax);
    std::vector<OutputTensor> outputs;
    for (int i = 0; i < count; ++i) {
      std::size_t rows = 0, columns = 0;
      const float* values = library_.output(network_.get(), i, &rows, &columns);
      if (columns > 0 && rows > kOutputFloatsMax / columns)
        return fail(Code::kTooLarge, "{}: an output of {} boxes; {} floats are read at most", model_, rows, kOutputFloatsMax);
      outputs.push_back({{values, rows * columns}, {1, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}});
    }
    return outputs;
  }

 private:
  std::string model_;
  DarknetLibrary library_;
  std::unique_ptr<MagpieDarknet, decltype(&::magpie_darknet_close)> network_;
  const std::vector<GraphInput> inputs_ = {{"data", NumberType::kF32, {1, 3, -1, -1}}};
  std::vector<float> planes_;
  int width_ = 0, height_ = 0;
};

}  // namespace

Result<std::unique_ptr<GraphEngine>> open_darknet_graph(const fs::path& cfg_file, std::string model, const NetworkOptions& options) {
  MAGPIE_TRY(const std::string cfg, read_file(cfg_file, kDarknetCfgBytesMax));
  if (auto checked = check_darknet_cfg(cfg); !checked) return fail(std::move(checked).error(), model);
  MAGPIE_TRY(const DarknetLibrary library, open_library());
  const fs::path weights = fs::path(cfg_file).replace_extension(".weights");
  char error[kErrorBytes] = "";
  MagpieDarknet* network = library.open(cfg_file.c_str(), weights.c_str(), options.threads, error, sizeof error);
  if (network == nullptr) return fail(Code::kCorrupt, "{}: {}", model, error);
  return std::make_unique<DarknetGraph>(std::move(model), library, network);
}

}  // namespace magpie::model
