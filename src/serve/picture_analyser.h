#pragma once
// Port of this folder: what needs a decoder. `app` implements it over the sandboxed workers, so that an uploaded picture that
// crashes its decoder costs only its own request.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "core/picture_part.h"
#include "core/records.h"

namespace magpie {

/// Thread-safe; callers wait for a worker until their deadline.
class PictureAnalyser {
 public:
  virtual ~PictureAnalyser() = default;
  /// The vector of an uploaded picture, in the space searches use. kBadInput when it is no picture, is broken or crashed its
  /// decoder, kTooLarge over the pixel limit, kTimeout or kUnavailable when no worker came free. The message says what and why.
  virtual Result<Embedding> embed(std::string_view bytes, Deadline deadline) = 0;
  /// The vector of what is in one part of it. kBadInput, too, where that is too small to tell anything.
  virtual Result<Embedding> embed_part(std::string_view bytes, const PicturePart& part, Deadline deadline) = 0;
  /// The upright picture, made to fit side_max × side_max pixels and never enlarged, encoded for a browser (JPEG, PNG or WebP).
  /// `original` is the file's bytes. Errors as embed().
  virtual Result<std::string> scale(std::string_view original, std::uint32_t side_max, Deadline deadline) = 0;
};

}  // namespace magpie
