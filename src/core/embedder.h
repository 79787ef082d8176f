#pragma once
// Ports: what networks make of pictures. Implementations live in workers (src/analyse) over src/model.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// Upright sRGB pixels, interleaved, `width * height * 3` bytes, rows without gaps; borrowed for the call.
struct RgbPixels {
  std::span<const std::uint8_t> bytes;
  std::uint32_t width = 0, height = 0;
};

class Embedder {
 public:
  virtual ~Embedder() = default;
  /// Unit-length vector of dims() floats. kBadInput for empty pixels, kInternal from the runtime. Not thread-safe.
  virtual Result<Embedding> embed(const RgbPixels& pixels) = 0;
  virtual std::size_t dims() const = 0;
  /// Name and version of the model; vectors of different spaces are never compared.
  virtual const std::string& space() const = 0;
};

class Detector {
 public:
  virtual ~Detector() = default;
  /// What it knows in the picture, best score first, without colours. Errors and threads as Embedder.
  virtual Result<std::vector<Region>> detect(const RgbPixels& pixels) = 0;
  /// Name and version of the model; kept beside what it found.
  virtual const std::string& name() const = 0;
};

}  // namespace magpie
