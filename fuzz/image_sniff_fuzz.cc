// Sniffing reads headers and walks block lists of foreign bytes by our own code alone.
#include <cstddef>
#include <cstdint>

#include "image/sniff.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)magpie::image::sniff(bytes);
  (void)magpie::image::exif_orientation(bytes);
  return 0;
}
