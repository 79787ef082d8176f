#pragma once
// Inner part of sniff.h: recognising SVG, which has no signature, and the size its root element states.
#include <string_view>

#include "image/pixels.h"

namespace magpie::image {

/// Where the root element "<svg" starts, behind byte order mark, XML declaration, comments and document type; npos if the document is
/// something else. Looks at the first 64 KiB. UTF-8 or another encoding that keeps ASCII; compressed SVG is not recognised.
std::size_t find_svg_root(std::string_view bytes);

/// width and height of the root element in px (CSS units; 96 px an inch), or those of its viewBox; 0 x 0 when it states neither.
Size svg_size(std::string_view bytes);

}  // namespace magpie::image
