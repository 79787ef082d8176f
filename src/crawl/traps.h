#pragma once
// Signs that an address was made by a machine that never ends: relative links that nest for ever, sessions in paths, calendars
// that page into the next century. Limits, not guesses: each is stated, and a refusal is counted.
#include <cstddef>
#include <string_view>

namespace magpie::crawl {

struct TrapLimits {
  std::size_t url_bytes_max = 2'048;
  std::size_t segments_max = 32;        // parts of the path, at most 64
  std::size_t segment_repeats_max = 3;  // times the same part may stand in a path: /a/b/a/b/a is fine, one more is not
  std::size_t parameters_max = 32;      // of the query
};

/// Whether path and query ("/a/b?c=d") look endless. Pure; no heap.
bool looks_endless(std::string_view path_and_query, const TrapLimits& limits);

}  // namespace magpie::crawl
