#pragma once
// A search's answer for people.
#include <string>

#include "base/result.h"

namespace magpie::cmd {

/// Prints an answer's hits, and its facets if it has them, to stdout, and what it says of itself to stderr. `json` is a SearchAnswer of
/// docs/openapi.yaml. kCorrupt when it is none.
Result<void> print_search_table(const std::string& json);
/// SearchAnswer's `total`. kCorrupt.
Result<std::uint64_t> total_of_search(const std::string& json);

}  // namespace magpie::cmd
