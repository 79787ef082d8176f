#pragma once
// The sizes that a product can be had in, out of the versions that its page names.
#include <string>
#include <vector>

#include "core/records.h"

namespace magpie {

/// Values of the choice that its page calls size, in any main language of trade, as the page spells them, each once, in its order. Versions
/// that are sold out are left out; where some versions have the picture `image_url`, so are those that do not (a blue shirt's picture says
/// nothing of the red one). Empty where no choice is one of sizes. Pure.
std::vector<std::string> sizes_shown(const Product& product, const std::string& image_url);

}  // namespace magpie
