#pragma once
// Making pictures smaller. Two filters: the area mean, fast and free of ringing, for what people and networks look at; and
// Lanczos exactly as Pillow computes it, because published perceptual hashes are defined over it.
#include "image/pixels.h"

namespace magpie::image {

/// The largest size of the same shape inside side x side, never larger than `size`, no side under 1.
Size fit_within(Size size, std::uint32_t side);

/// The mean of the source area under each target pixel. Any channel count; alpha is not premultiplied, so flatten first where edges
/// matter. `target` may be larger in a direction: pixels are then repeated. `source` must not be empty. Thread-safe.
/// Cost: one pass over the source, about 1 ms a megapixel and channel.
Pixels resize_area(PixelsView source, Size target);

/// resize_area into fit_within(size, side).
Pixels shrink_to_fit(PixelsView source, std::uint32_t side);

/// Lanczos (a = 3) with the support widened when shrinking, as Pillow's resize(LANCZOS): horizontally, then vertically, 8-bit result
/// rounded after each, 22-bit fixed-point weights; equal to Pillow bit for bit. Grey only (1 channel). Thread-safe.
Pixels resize_lanczos(PixelsView grey, Size target);

/// The part of a picture; the box is cut to the picture. Empty if nothing is left.
Pixels crop(PixelsView source, std::uint32_t left, std::uint32_t top, Size size);

}  // namespace magpie::image
