#pragma once
// Pixels of the ports as networks are given them.
#include "core/embedder.h"
#include "model/rgb_view.h"

namespace magpie::analyse {

/// kBadInput where there are not the bytes that its sides say.
Result<model::RgbView> view_of(const RgbPixels& pixels);

}  // namespace magpie::analyse
