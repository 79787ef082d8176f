#include "analyse/rgb_view.h"

#include <limits>

namespace magpie::analyse {

Result<model::RgbView> view_of(const RgbPixels& pixels) {
  const std::size_t row_bytes = std::size_t{3} * pixels.width;
  constexpr std::uint32_t kSideMax = std::numeric_limits<int>::max();
  if (pixels.bytes.empty() || pixels.width > kSideMax || pixels.height > kSideMax || pixels.bytes.size() != row_bytes * pixels.height) {
    return fail(Code::kBadInput, "{} bytes are not {} x {} pixels", pixels.bytes.size(), pixels.width, pixels.height);
  }
  return model::RgbView{pixels.bytes.data(), static_cast<int>(pixels.width), static_cast<int>(pixels.height), row_bytes};
}

}  // namespace magpie::analyse
