#pragma once
// The few functions of OpenVINO's C interface that Graph calls, looked up in libopenvino_c.so when the first network is loaded.
// Linking the library instead would cost every command its start-up, `magpie inspect url` included (README.md has the figure).
#include <openvino/c/openvino.h>

#include <memory>

#include "base/files.h"
#include "base/result.h"

namespace magpie::model {

struct OpenVinoRuntime {
  decltype(&::ov_core_create) core_create = nullptr;
  decltype(&::ov_core_free) core_free = nullptr;
  decltype(&::ov_core_compile_model_from_file_props) compile = nullptr;
  decltype(&::ov_compiled_model_free) compiled_model_free = nullptr;
  decltype(&::ov_compiled_model_create_infer_request) create_infer_request = nullptr;
  decltype(&::ov_infer_request_free) infer_request_free = nullptr;
  decltype(&::ov_infer_request_get_tensor) get_tensor = nullptr;
  decltype(&::ov_compiled_model_outputs_size) outputs_size = nullptr;
  decltype(&::ov_compiled_model_inputs_size) inputs_size = nullptr;
  decltype(&::ov_compiled_model_input_by_index) input_port = nullptr;
  decltype(&::ov_port_get_any_name) port_name = nullptr;
  decltype(&::ov_port_get_element_type) port_type = nullptr;
  decltype(&::ov_port_get_partial_shape) port_shape = nullptr;
  decltype(&::ov_output_const_port_free) port_free = nullptr;
  decltype(&::ov_partial_shape_free) partial_shape_free = nullptr;
  decltype(&::ov_free) free = nullptr;
  decltype(&::ov_shape_create) shape_create = nullptr;
  decltype(&::ov_tensor_create) tensor_create = nullptr;
  decltype(&::ov_infer_request_set_input_tensor_by_index) set_input = nullptr;
  decltype(&::ov_infer_request_get_output_tensor_by_index) get_output_tensor = nullptr;
  decltype(&::ov_infer_request_infer) infer = nullptr;
  decltype(&::ov_tensor_data) tensor_data = nullptr;
  decltype(&::ov_tensor_get_byte_size) tensor_byte_size = nullptr;
  decltype(&::ov_tensor_get_shape) tensor_shape = nullptr;
  decltype(&::ov_tensor_get_element_type) tensor_type = nullptr;
  decltype(&::ov_shape_free) shape_free = nullptr;
  decltype(&::ov_tensor_free) tensor_free = nullptr;
  decltype(&::ov_get_last_err_msg) last_error = nullptr;

  /// kInternal with OpenVINO's own words unless `status` is OK.
  Result<void> check(ov_status_e status, std::string_view what) const;
};

/// Opens the library from `folder`, or when that is empty from ../lib/magpie beside the program, or from the build's own folder.
/// It stays open for the rest of the process: its threads cannot be unloaded. kUnavailable says where it was looked for.
Result<OpenVinoRuntime> open_openvino(const fs::path& folder);

}  // namespace magpie::model
