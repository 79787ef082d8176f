#pragma once
// Version 1 of the frontier's log, which had a record for each URL and no places in the others.
#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace magpie {

/// Writes the version 1 log `fd` anew as version 2, with the same seed and so the same signatures, and puts it in the place of `path`.
/// Killed meanwhile, the old one is still there. Needs memory for the whole log. kUnavailable.
Result<void> upgrade_frontier_log(int fd, std::uint64_t seed, const std::filesystem::path& path);

}  // namespace magpie
