#include "core/price.h"

namespace magpie {

std::optional<std::int64_t> price_micros(std::string_view decimal) {
  constexpr std::int64_t kUnitsMax = 9'000'000'000'000;
  constexpr int kPlaces = 6;
  std::int64_t value = 0;
  int places = -1;  // digits behind the point; -1 before it
  bool digits = false;
  for (const char c : decimal) {
    if (c == '.' && places < 0) {
      places = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digits = true;
    if (places >= kPlaces) continue;
    value = value * 10 + (c - '0');
    if (places >= 0) ++places;
    else if (value > kUnitsMax) return std::nullopt;
  }
  if (!digits) return std::nullopt;
  for (int place = places < 0 ? 0 : places; place < kPlaces; ++place) value *= 10;
  return value;
}

}  // namespace magpie
