#pragma once
// The colours of a picture as a person would tell them: a few dominant ones with their shares, and how much of it is each of the
// eleven basic colour words (Berlin and Kay 1969). Distances are in CIELAB (D65, sRGB).
// Background: fully or mostly transparent pixels do not count, and neither does a plain light background: pixels joined to the
// border that are near-white or light grey (L* > 85, chroma < 8), provided that most of the border is so. If next to nothing (under 2 %)
// is left, the picture is its background and all pixels count. Brightness is of all pixels, transparency laid on white.
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "image/pixels.h"

namespace magpie::image {

enum class ColourName : std::uint8_t {  // persisted: append only
  kBlack = 0,
  kWhite = 1,
  kGrey = 2,
  kRed = 3,
  kOrange = 4,
  kYellow = 5,
  kGreen = 6,
  kBlue = 7,
  kPurple = 8,
  kPink = 9,
  kBrown = 10,
};
inline constexpr std::size_t kColourNames = 11;

/// "black", "white", "grey", ...
std::string_view to_string(ColourName name);

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Rgb&) const = default;
};

struct DominantColour {
  Rgb rgb;
  float share = 0;  // of the pixels that count, 0..1
  ColourName name = ColourName::kGrey;
};

struct Colours {
  std::vector<DominantColour> dominant;     // at most 5, largest share first; at least 1
  std::array<float, kColourNames> names{};  // share of each word, by ColourName; they sum to 1
  float brightness = 0;                     // mean luma (ITU-R 601) of all pixels, 0..255
  float background = 0;                     // share of all pixels that were left out as background
};

/// The basic colour word for one sRGB colour: that of the nearest of about sixty named examples.
ColourName name_of(Rgb colour);

/// Mean colours of a 4 x 4 grid laid over the whole upright picture, transparency on white, row by row: enough to tell two colours of
/// one product apart, which grey-level hashes take for the same picture.
using ColourGrid = std::array<Rgb, 16>;
ColourGrid colour_grid(PixelsView pixels);

/// How far apart a person sees two colours: the distance in CIELAB (CIE76); 2 is just noticeable, 100 is black to white.
double colour_distance(Rgb a, Rgb b);
/// The largest distance between cells at the same place.
double colour_distance(const ColourGrid& a, const ColourGrid& b);

/// `pixels`: 3 or 4 channels, not empty; made small (128 px) first. Thread-safe, repeatable. Cost: under 1 ms for 256 px.
Colours colours_of(PixelsView pixels);

}  // namespace magpie::image
