#pragma once
// The frontier's log written anew without some of its addresses.
#include <functional>
#include <string_view>

#include "embedded/frontier_log.h"

namespace magpie {

/// Replaces the log's file by one without the entries that `gone` names and without what was noted of them; how many entries those were.
/// The caller opens it again: places after the first of them have moved. Without `really`, or when there are none, nothing is written.
/// After a crash there is either file. kUnavailable, kCorrupt.
Result<std::uint64_t> write_frontier_log_without(const FrontierLog& log, const std::function<bool(std::string_view url)>& gone,
                                                 bool really);

}  // namespace magpie
