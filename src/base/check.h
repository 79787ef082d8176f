#pragma once
// MAGPIE_CHECK: a broken promise of our own code ends the program, in release too, with the place and the reason.
// Never for foreign input: that is a value of Result<T> (base/result.h).
#include <fmt/format.h>

#include <string_view>

namespace magpie::detail {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view why);
}  // namespace magpie::detail

#define MAGPIE_CHECK(condition, ...)                                                                                               \
  do {                                                                                                                             \
    if (!(condition)) [[unlikely]] { ::magpie::detail::check_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); } \
  } while (false)
