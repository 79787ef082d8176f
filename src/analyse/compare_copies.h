#pragma once
// Which of a few known pictures a new one is a copy of, by looks (copy_proof.h): cropped, framed, turned, squeezed, written on. Who is
// worth comparing is the caller's to say; the nearest by embedding are. Runs in worker processes, on thumbnails: they are decoded there,
// and nothing else of the pictures is needed.
//
//   manager:  pool.submit(compare_request(thumbnail, candidates), [](Result<std::string> answer) { … decode_comparison(*answer, …) … });
//   worker:   handlers.by_kind[kCompareCopies] = compare_copies;
//
// Messages, base/wire.h. Request: bytes thumbnail · u64 count, then candidates (u64 group, bytes thumbnail, bytes sketch).
// Answer, version 1: u64 version · bytes sketch · tone · u64 count, then candidates of another colour (u64) · u64 count, then
// copies (u64 candidate, bytes words, tone). A tone is f64 red,
// blue, both 0 for none.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/copies.h"
#include "process/worker_loop.h"
#include "process/worker_pool.h"

namespace magpie::analyse {

/// Kind of request, beside those of analyse_picture.h.
inline constexpr std::uint32_t kCompareCopies = 6;
inline constexpr std::size_t kCopyCandidatesMax = 32;

/// A known picture. Borrowed for the call.
struct CopyCandidate {
  std::uint64_t group = 0;     // of copies that it is in: one link a group is enough
  std::string_view thumbnail;  // JPEG, upright
  std::string_view sketch;     // that its own comparison gave; empty: it is made anew, for 5 ms
};

struct ProvenCopy {
  std::size_t candidate = 0;  // its number in the request
  std::string words;          // for a person: "mirrored, 71 % of it, 100 % of the other"
  std::optional<Tone> tone;   // the candidate's
};

struct CopyComparison {
  std::string sketch;  // of the new picture, to be kept for later ones (copy_sketch.h, without pixels)
  std::optional<Tone> tone;
  std::vector<std::size_t> other_colours;  // candidates that are the same thing in another colour
  std::vector<ProvenCopy> copies;          // at most one a group, in the order of the candidates
};

/// Candidates beyond kCopyCandidatesMax are left out; let the likeliest come first.
WorkRequest compare_request(std::string_view thumbnail, std::span<const CopyCandidate> candidates);
/// kCorrupt for anything that compare_copies() cannot have answered.
Result<CopyComparison> decode_comparison(std::string_view bytes, std::size_t candidates);

/// The worker's side. A candidate whose thumbnail or sketch is broken is passed over. kBadInput when the new picture's is, kTimeout. Cost,
/// one core: 6 ms, and 1 to 5 for each candidate.
Result<std::string> compare_copies(const WorkerRequest& request);

}  // namespace magpie::analyse
