# C++20, warnings as errors for our own code, and the sanitizers behind one option.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -O2 with line tables: stack traces of the release program are readable. MAGPIE_CHECK stays on everywhere; assert() is not used.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

# Every x86 processor since 2010 has what this asks for (counting bits, above all), and the networks' runtime asks for it, too. What later ones
# have is chosen when the program runs (src/vec/dot.cc).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v2)
endif()

set(MAGPIE_SANITIZE "" CACHE STRING "address, thread or fuzzer: builds everything with that sanitizer")
# What tests need to know: how much slower a sanitizer makes them, and what it must not report.
set(MAGPIE_TEST_SLOWNESS 1)
set(MAGPIE_TEST_ENVIRONMENT "")
if(MAGPIE_SANITIZE)
  set(MAGPIE_TEST_SLOWNESS 8)
  set(MAGPIE_TEST_ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/sanitizers/thread.supp")
  string(REPLACE "-O2" "-O1" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")  # compiles in half the time
  string(REPLACE "-O2" "-O1" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
endif()
if(MAGPIE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(MAGPIE_SANITIZE STREQUAL "thread")
  # Boost.Asio's fences are not modelled; it is told so by its own annotations.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=thread)
elseif(MAGPIE_SANITIZE STREQUAL "fuzzer")
  # Libraries get coverage and ASan; only the targets of fuzz/ link libFuzzer's main.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

add_library(magpie_flags INTERFACE)
target_compile_options(magpie_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
target_include_directories(magpie_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports moved-from optionals and inlined std::string copies as uninitialised or overlapping; both are known false alarms.
  target_compile_options(magpie_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-missing-field-initializers)
else()
  # libseccomp's macros are C99 compound literals.
  target_compile_options(magpie_flags INTERFACE -Wno-missing-field-initializers -Wno-c99-extensions)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()
