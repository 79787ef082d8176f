#include "model/openvino_runtime.h"

#include <dlfcn.h>

#include <cstdlib>

#include <string>
#include <vector>

namespace magpie::model {
namespace {

std::vector<fs::path> folders_to_try(const fs::path& folder) {
  if (!folder.empty()) return {folder};
  std::vector<fs::path> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "lib" / "magpie");
  folders.emplace_back(MAGPIE_OPENVINO_FOLDER);
  return folders;
}

Result<void*> open_library(const std::vector<fs::path>& folders) {
  std::string tried;
  for (const fs::path& folder : folders) {
    const fs::path path = folder / MAGPIE_OPENVINO_LIBRARY;
    if (void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL); library != nullptr) return library;
    const char* words = ::dlerror();
    tried += fmt::format("{}{}", tried.empty() ? "" : "; ", words == nullptr ? path.string() : words);
  }
  return fail(Code::kUnavailable, "the OpenVINO runtime cannot be opened ({}); ./dev setup fetches it", tried);
}

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<void> OpenVinoRuntime::check(ov_status_e status, std::string_view what) const {
  if (status == ov_status_e::OK) return {};
  const char* words = last_error();
  return fail(Code::kInternal, "OpenVINO, {}: {}", what, words == nullptr || *words == '\0' ? "no reason given" : words);
}

Result<OpenVinoRuntime> open_openvino(const fs::path& folder) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  ::setenv("TBB_ENABLE_SANITIZERS", "1", 0);  // oneTBB then opens its helper without RTLD_DEEPBIND, which sanitizers refuse
#endif
  MAGPIE_TRY(void* library, open_library(folders_to_try(folder)));
  OpenVinoRuntime runtime;
  const bool complete =
      find(library, "ov_core_create", runtime.core_create) && find(library, "ov_core_free", runtime.core_free) &&
      find(library, "ov_core_compile_model_from_file_props", runtime.compile) &&
      find(library, "ov_compiled_model_free", runtime.compiled_model_free) &&
      find(library, "ov_compiled_model_create_infer_request", runtime.create_infer_request) &&
      find(library, "ov_infer_request_free", runtime.infer_request_free) &&
      find(library, "ov_infer_request_get_tensor", runtime.get_tensor) && find(library, "ov_infer_request_infer", runtime.infer) &&
      find(library, "ov_tensor_data", runtime.tensor_data) && find(library, "ov_tensor_get_byte_size", runtime.tensor_byte_size) &&
      find(library, "ov_compiled_model_outputs_size", runtime.outputs_size) &&
      find(library, "ov_compiled_model_inputs_size", runtime.inputs_size) &&
      find(library, "ov_compiled_model_input_by_index", runtime.input_port) && find(library, "ov_port_get_any_name", runtime.port_name) &&
      find(library, "ov_port_get_element_type", runtime.port_type) && find(library, "ov_port_get_partial_shape", runtime.port_shape) &&
      find(library, "ov_output_const_port_free", runtime.port_free) && find(library, "ov_partial_shape_free", runtime.partial_shape_free) &&
      find(library, "ov_free", runtime.free) && find(library, "ov_shape_create", runtime.shape_create) &&
      find(library, "ov_tensor_create", runtime.tensor_create) &&
      find(library, "ov_infer_request_set_input_tensor_by_index", runtime.set_input) &&
      find(library, "ov_infer_request_get_output_tensor_by_index", runtime.get_output_tensor) &&
      find(library, "ov_tensor_get_shape", runtime.tensor_shape) && find(library, "ov_tensor_get_element_type", runtime.tensor_type) &&
      find(library, "ov_shape_free", runtime.shape_free) && find(library, "ov_tensor_free", runtime.tensor_free) &&
      find(library, "ov_get_last_err_msg", runtime.last_error);
  if (!complete) return fail(Code::kUnavailable, "{} lacks functions of version {}", MAGPIE_OPENVINO_LIBRARY, MAGPIE_OPENVINO_VERSION);
  return runtime;
}

}  // namespace magpie::model
