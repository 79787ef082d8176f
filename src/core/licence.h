#pragma once
// Names of licences, so that one licence is one value to search by however sources write it.
#include <string>
#include <string_view>

namespace magpie {

/// The short name of a Creative Commons licence or dedication that is given by its address, as creativecommons.org itself writes it:
/// "https://creativecommons.org/licenses/by-nc-sa/3.0/de/deed.en" -> "CC BY-NC-SA 3.0 DE", ".../publicdomain/zero/1.0/" -> "CC0 1.0".
/// Anything else as it is. Thread-safe. Cost: one pass.
std::string licence_name(std::string_view terms);

/// Whether the address is one that licence_name() has a name for.
bool is_creative_commons(std::string_view address);

}  // namespace magpie
