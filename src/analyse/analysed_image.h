#pragma once
// What a worker process says about one picture, and its form on the pipe. The worker may have been taken over by the picture, so the
// manager's side (decode_analysed) believes no length and no value.
//
// Message, base/wire.h, version 5
//   u64 version · bytes sha256[32] · bytes format · u64 width, height, frames, duration (ms), plays, orientation, bytes · u64 phash, dhash
//   bytes pdq[32] · u64 pdq_quality · bytes colour_grid[48] · f64 brightness · u64 count, then colours (u64 rgb, f64 share, bytes name) ·
//   bytes thumbnail · bytes preview · bytes space · floats embedding · bytes turned_pdq[7][32] · bytes detector · u64 count, then regions
//   (f64 left, top, right, bottom, score, bytes label, colours as above, floats embedding)
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/records.h"

namespace magpie::analyse {

/// Of kEmbedPicture and kLookAgain (analyse_picture.h) the header's facts, embedding and regions alone.
struct AnalysedImage {
  Image image;  // all that the bytes give; id, places, fetched_at and copy_group are the manager's to fill
  /// PDQ of the picture turned and mirrored, as image::PdqTurns orders them behind the first, highest bit first: copies may be.
  std::array<std::array<std::uint8_t, 32>, 7> turned_pdq{};
  std::string thumbnail;                // JPEG, longer side at most 256 px
  std::string preview;                  // JPEG, longer side at most 640 px; empty where the picture itself is no larger
  std::string space;                    // of the embedding (core/embedder.h), "efficientnet-lite0@1"
  Embedding embedding;                  // unit length, of an animation the mean of a few frames'; none for a dot and for kDescribePicture
  std::string detector;                 // who looked for things in it (Detector::name()); empty: nobody, and regions were known
  std::vector<EmbeddedRegion> regions;  // what was found, best score first, at most kRegionsMax, each with its vector in `space`
};

/// Whether it is a spacer or a counting pixel: a side of at most 2 px. Nobody looks for those, so no network is asked about them.
constexpr bool is_dot(const Image& image) { return image.width <= 2 || image.height <= 2; }

std::string encode_analysed_image(const AnalysedImage& analysed);
/// kCorrupt for anything that encode_analysed_image cannot have written: wrong lengths, sides of 0, shares outside 0..1, an orientation
/// outside 1..8, an embedding that is not of unit length. Thread-safe; one pass.
Result<AnalysedImage> decode_analysed_image(std::string_view bytes);

}  // namespace magpie::analyse
