#pragma once
// Colours as they are kept.
#include <vector>

#include "core/records.h"
#include "image/colours.h"

namespace magpie::analyse {

std::vector<ColourShare> colour_shares(const image::Colours& colours);

}  // namespace magpie::analyse
