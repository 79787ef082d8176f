#include "core/copies.h"

#include <cmath>

namespace magpie {

std::string_view to_string(CopyCause cause) {
  switch (cause) {
    case CopyCause::kHashes: return "hashes";
    case CopyCause::kLooks: return "looks";
    case CopyCause::kOtherColour: return "other_colour";
  }
  return "unknown";
}

std::string_view to_string(CopyAction action) {
  switch (action) {
    case CopyAction::kKeep: return "keep";
    case CopyAction::kSplit: return "split";
    case CopyAction::kMerge: return "merge";
  }
  return "unknown";
}

std::optional<CopyAction> copy_action_from_string(std::string_view name) {
  for (const CopyAction action : {CopyAction::kKeep, CopyAction::kSplit, CopyAction::kMerge}) {
    if (to_string(action) == name) return action;
  }
  return std::nullopt;
}

bool same_tone(const Tone& a, const Tone& b) {
  constexpr double kToneMin = 6;
  const double sizes = std::hypot(a.red, a.blue) * std::hypot(b.red, b.blue);
  return sizes < kToneMin * kToneMin || a.red * b.red + a.blue * b.blue >= 0.5 * sizes;
}

}  // namespace magpie
