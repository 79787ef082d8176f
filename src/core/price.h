#pragma once
// Prices as whole numbers: the catalog and the index compare and sort millionths of the currency's unit.
#include <cstdint>
#include <optional>
#include <string_view>

namespace magpie {

/// "1299.95" -> 1'299'950'000. Nothing unless `decimal` is digits with at most one point, of a value of at most 9·10^12.
/// Digits behind the sixth place are dropped. Thread-safe, no heap.
std::optional<std::int64_t> price_micros(std::string_view decimal);

}  // namespace magpie
