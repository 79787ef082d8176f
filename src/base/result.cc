#include "base/result.h"

namespace magpie {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kBadInput: return "bad-input";
    case Code::kNotFound: return "not-found";
    case Code::kForbidden: return "forbidden";
    case Code::kTooLarge: return "too-large";
    case Code::kTimeout: return "timeout";
    case Code::kUnavailable: return "unavailable";
    case Code::kBusy: return "busy";
    case Code::kCorrupt: return "corrupt";
    case Code::kCancelled: return "cancelled";
    case Code::kInternal: return "internal";
  }
  return "internal";
}

}  // namespace magpie
