#pragma once
// Times and sizes as people and JSON read them.
#include <string>

#include "core/records.h"

namespace magpie::cmd {

/// RFC 3339 in UTC with seconds: "2026-11-21T23:14:05Z".
std::string time_text(Timestamp time);
/// "1.2 GB", "37 KB".
std::string bytes_text(std::uint64_t bytes);
/// "1:05:09", "0:42".
std::string duration_text(double seconds);

}  // namespace magpie::cmd
