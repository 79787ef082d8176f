#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace magpie::detail {

void check_failed(const char* file, int line, const char* condition, std::string_view why) {
  std::fprintf(stderr, "magpie: broken promise at %s:%d: %s (%.*s)\n", file, line, condition, static_cast<int>(why.size()), why.data());
  std::abort();
}

}  // namespace magpie::detail
