// A bridge file behind its magic and checksum, which are put before the input: whatever is in it, it is refused, or it leads somewhere and
// is written down as it was read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hash.h"
#include "learn/bridge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::uint32_t sum = magpie::crc32c(input);
  std::string bytes = "MGPBRDG1";
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  const auto bridge = magpie::learn::Bridge::decode(bytes.append(input));
  if (!bridge) return 0;
  const std::string encoded = bridge->encode();
  const auto again = magpie::learn::Bridge::decode(encoded);
  MAGPIE_CHECK(again && again->encode() == encoded, "a bridge is written down as it was read");
  const std::size_t dims = bridge->text_dims();
  const auto place = bridge->place(magpie::Embedding(dims, 0.5F));
  MAGPIE_CHECK(place, "words of its own dims have a place, or none");
  return 0;
}
