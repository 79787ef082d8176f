#pragma once
// Looks through a Darknet .cfg before OpenCV reads it, which takes numbers for indexes, divisors and sizes without looking at them
// (modules/dnn/src/darknet/darknet_io.cpp).
#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace magpie::model {

inline constexpr std::size_t kDarknetCfgBytesMax = 1 << 20;

/// Errors: kCorrupt, naming section and entry, for what OpenCV would not find itself: indexes of no anchor or section, numbers that are
/// none or out of all proportion; kTooLarge. Thread-safe. Cost: one pass.
Result<void> check_darknet_cfg(std::string_view cfg);

}  // namespace magpie::model
