# `cmake --install build/release --prefix DIR`: the program, what it shows, its model, the part of OpenVINO that runs it, and what
# opens OpenCV for Darknet's networks.
install(TARGETS magpie RUNTIME DESTINATION bin)
install(TARGETS magpie_darknet LIBRARY DESTINATION lib/magpie)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/build/models/ DESTINATION share/magpie/models PATTERN ".stamp" EXCLUDE)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/web/dist/ DESTINATION share/magpie/web)
install(FILES docs/openapi.yaml DESTINATION share/magpie)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/sources ${CMAKE_SOURCE_DIR}/profiles DESTINATION share/magpie)
install(FILES LICENSE README.md docs/dependencies.md DESTINATION share/doc/magpie)
install(DIRECTORY ${MAGPIE_DEPS_DIR}/openvino/openvino/libs/ DESTINATION lib/magpie
  FILES_MATCHING PATTERN "libopenvino.so*" PATTERN "libopenvino_c.so*" PATTERN "libopenvino_ir_frontend.so*"
  # of the forms that users bring models in
  PATTERN "libopenvino_onnx_frontend.so*" PATTERN "libopenvino_tensorflow_frontend.so*" PATTERN "libopenvino_tensorflow_lite_frontend.so*"
  PATTERN "libopenvino_intel_cpu_plugin.so" PATTERN "libtbb.so*" PATTERN "libtbbmalloc.so*" PATTERN "libhwloc.so*")
