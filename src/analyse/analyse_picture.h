#pragma once
// The analyse stage: a picture's bytes -> everything that is kept of it (analysed_image.h). Runs in worker processes, because C
// libraries parse foreign bytes here; the manager's side builds the requests and reads the answers with the functions below.
//
//   manager:  pool.submit(*analyse_request(archive, place), [](Result<std::string> answer) { … decode_analysed_image(*answer) … });
//   worker:   add_picture_handlers(handlers, {.model_folder = …});
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/archive.h"
#include "core/picture_part.h"
#include "core/records.h"
#include "image/decode.h"
#include "process/worker_loop.h"
#include "process/worker_pool.h"

namespace magpie::analyse {

/// Kinds of request (WorkRequest::kind).
inline constexpr std::uint32_t kAnalysePicture = 1;   // -> AnalysedImage with variants
inline constexpr std::uint32_t kEmbedPicture = 2;     // -> AnalysedImage with the embedding alone: a picture to search with
inline constexpr std::uint32_t kMakeVariant = 3;      // -> a JPEG of a given side
inline constexpr std::uint32_t kDescribePicture = 4;  // -> AnalysedImage without embedding and regions
inline constexpr std::uint32_t kLookAgain = 5;        // -> AnalysedImage with embedding and regions alone, of a kept picture
inline constexpr std::uint32_t kEmbedPart = 7;        // -> AnalysedImage with the embedding alone, of a part of a picture to search with

/// A part is looked at from so many pixels of the picture on, on either side.
inline constexpr std::uint32_t kPartSideMin = 16;

struct PictureSettings {
  fs::path model_folder;         // of the embedder; holds manifest.yaml. Empty: only kDescribePicture and kMakeVariant are answered
  fs::path detector_folder;      // likewise; empty: no regions
  image::DecodeLimits limits{};  // its deadline is set by each request
};

/// Errors that the manager sees from the handlers: kBadInput (no picture, broken), kTooLarge (over a limit), kTimeout, kCorrupt (the
/// archive's record), kInternal; and those of the pool (process/worker_pool.h).
///
/// In the worker: loads the model and puts the handlers for these kinds and for comparing (compare_copies.h), and the warm-up they
/// need, beside those that are there.
/// kNotFound, kCorrupt or kUnavailable when the model or its runtime cannot be loaded. Cost: about 0.3 s a network, once.
Result<void> add_picture_handlers(WorkerHandlers& handlers, const PictureSettings& settings);

/// A picture in the archive: `place` is the record of its HTTP answer. Errors: those of Archive::open_file.
Result<WorkRequest> analyse_request(const Archive& archive, const ArchivePlace& place);
/// Everything but the embedding, at a third of the cost.
Result<WorkRequest> describe_request(const Archive& archive, const ArchivePlace& place);
/// A picture given by its bytes (an upload, a file).
WorkRequest analyse_request(std::string_view picture);
WorkRequest embed_request(std::string_view picture);
/// kBadInput, too, for a part under kPartSideMin. Of an animation the frame that stands for it. Cost: as much of the decoding as the part
/// needs to be seen well; at worst that of the whole picture at its full size.
WorkRequest embed_part_request(std::string_view picture, const PicturePart& part);
/// `known`: the regions that are kept of it, whose vectors come back in their order if no detector of the worker's looks for others.
Result<WorkRequest> look_again_request(const Archive& archive, const ArchivePlace& place, const std::vector<EmbeddedRegion>& known = {});
/// A larger copy on demand, longer side at most `side` px (1,600 for the large view); never enlarged. Answer: JPEG bytes.
Result<WorkRequest> variant_request(const Archive& archive, const ArchivePlace& place, std::uint32_t side);
WorkRequest variant_request(std::string_view picture, std::uint32_t side);

}  // namespace magpie::analyse
