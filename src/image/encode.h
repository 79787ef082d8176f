#pragma once
// JPEG files from pixels, by libjpeg-turbo.
#include <string>

#include "base/result.h"
#include "image/pixels.h"

namespace magpie::image {

/// A baseline JPEG with 4:2:0 chroma; alpha is laid on white. `quality` 1..100. Thread-safe.
/// Errors: kBadInput for no pixels or a side over 65,500. Cost: about 4 ms a megapixel.
Result<std::string> encode_jpeg(PixelsView pixels, int quality = 85);

}  // namespace magpie::image
