// Decoding, hashes and colours within small limits, so that a run is short.
#include <cstddef>
#include <cstdint>

#include "image/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const image::DecodeLimits limits{.pixels_max = 1 << 18, .frames_max = 64, .bytes_max = 1 << 20, .deadline = Deadline::after(2s)};
  (void)image::analyse_picture(bytes, limits, {.thumbnail_side = 16, .preview_side = 32});
  return 0;
}
