// Stored bodies of any bytes under any codings: decoding ends, and keeps its limit. The first byte chooses the codings.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/content_coding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kCodings = {"gzip", "deflate", "br", "zstd", "gzip, br", "deflate, zstd", "identity", ""};
  constexpr std::size_t kBytesMax = 1 << 18;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  magpie::HttpHeaders headers = {{"Content-Encoding", kCodings[data[0] % kCodings.size()]}};
  if ((data[0] & 8) != 0) headers.push_back({"Transfer-Encoding", "chunked"});
  const auto decoded = magpie::decode_stored_body(headers, body, kBytesMax);
  if (decoded && decoded->size() > kBytesMax) std::abort();
  return 0;
}
