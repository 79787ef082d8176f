#pragma once
// From all places that show a picture to the one document the index keeps of it. Pure.
#include <span>

#include "core/catalog.h"

namespace magpie {

/// `showings` are those that permit it, products' first; the first that has a value decides shop, language, brand, category and price.
/// Texts are joined by line ends, each piece once, and cut at a few KB: the words of the 64th page that shows a logo tell nothing new.
IndexDocument make_index_document(const Image& image, std::span<const std::string> urls, std::span<const Showing> showings);

}  // namespace magpie
