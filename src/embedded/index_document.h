#pragma once
// From all places that show a picture to the one document the index keeps of it. Pure.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/catalog.h"

namespace magpie {

/// `showings` are those that permit it, products' first; the first that has a value decides shop, language, brand, category and price.
/// Texts are joined by line ends, each piece once, and cut at a few KB: the words of the 64th page that shows a logo tell nothing new.
/// Labels and artists of collected sources are keywords; labels and licences are facts, too. Sizes are those of all its products.
IndexDocument make_index_document(const Image& image, std::span<const std::string> urls, std::span<const Showing> showings,
                                  std::span<const PictureLabel> labels);

/// The most telling words that speak of the picture itself: names of its products, alt texts, captions and labels. Texts as above.
std::vector<std::string> own_words(std::span<const Showing> showings, std::span<const PictureLabel> labels);

/// Whether a picture is what a site shows where it has none: small, and under many addresses of one host ("no-image" for each product).
/// Large ones are let be: shops give one photograph many addresses, too, as by the width asked for.
bool is_stand_in(const Image& image, std::span<const std::string> urls);
inline constexpr std::uint32_t kStandInSideMax = 256;    // pixels
inline constexpr std::size_t kStandInAddressesMin = 10;  // a colour swatch, or one picture of five variants, has fewer

}  // namespace magpie
