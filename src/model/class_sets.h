#pragma once
// Lists of classes that many detectors share, so that a manifest need only name them: `classes: deepfashion2`.
#include <span>
#include <string_view>

namespace magpie::model {

/// "coco" (80 things of everyday life; Lin et al. 2014, in the order networks give them) or "deepfashion2" (13 garments; Ge et al. 2019).
/// Empty for other names. Thread-safe.
std::span<const std::string_view> class_set(std::string_view name);

}  // namespace magpie::model
