#pragma once
// The target of a request line (RFC 9112 section 3.2) as path and query.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace magpie {

struct HttpTarget {
  std::string path;                                        // percent-decoded
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
};

/// kBadInput unless it begins with "/" and has no NUL in it, also once decoded; kTooLarge for over 1,000 parameters.
Result<HttpTarget> parse_target(std::string_view target);
/// "%41" -> "A"; what is no escape stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace magpie
