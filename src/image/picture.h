#pragma once
// Everything that a crawled picture's pixels give, from one decoding: smaller copies, hashes, colours, and the pixels for the
// network. This is the function that a worker process runs for each picture.
#include <string>
#include <string_view>
#include <vector>

#include "image/colours.h"
#include "image/decode.h"
#include "image/hash.h"

namespace magpie::image {

/// A smaller copy, encoded as JPEG (quality 85, transparency laid on white).
struct Variant {
  Size size;
  std::string jpeg;
};

struct PictureOptions {
  std::uint32_t thumbnail_side = 256;  // px, longer side; variants never enlarge a picture (an SVG is drawn at the size wanted)
  std::uint32_t preview_side = 640;    // px, longer side, >= thumbnail_side
  int quality = 85;                    // of the JPEGs, 1..100
  bool wants_pixels = true;            // false, without a network: what gets no preview is decoded at the scale of its thumbnail
  bool pixels_only = false;            // and the header: all else stays empty, as for a picture to search with
};

inline constexpr std::uint32_t kOtherFrames = 3;

/// Of an animation everything but other_frames is of the frame that stands for it (animation.h).
struct AnalysedPicture {
  Header header;
  Pixels pixels;  // RGB, upright, on white; longer side at most preview_side. For the network, if wanted; not to be stored
  std::vector<Pixels> other_frames;  // of an animation, likewise: at most kOtherFrames that show something, spread over its time
  Variant thumbnail;
  Variant preview;          // empty, too, where the picture itself is no larger than it would be: a copy of that size is worth no encoding
  PerceptualHashes hashes;  // of thumbnail and preview; within a few bits of those at full size
  PdqTurns turns;           // PDQ of all eight turns; the first is that of `hashes`
  Colours colours;
  ColourGrid colour_grid{};
};

/// Sniffs, decodes once at the scale that the preview needs, and derives the rest from that. `bytes` is borrowed for the call.
/// Errors: those of decode(). Thread-safe. Cost, one core: see README.md.
Result<AnalysedPicture> analyse_picture(std::string_view bytes, const DecodeLimits& limits = {}, const PictureOptions& options = {});

/// One more copy, on demand: fits `side` px (1,600 for the large view), never enlarged. Errors: those of decode().
Result<Variant> make_variant(std::string_view bytes, std::uint32_t side, const DecodeLimits& limits = {}, int quality = 85);

}  // namespace magpie::image
