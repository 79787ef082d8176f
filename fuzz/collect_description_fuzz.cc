// Any bytes are a description: one that reads has what a lister needs, and its first call can be made or is refused in words.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "collect/listing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie::collect;
  const auto made = parse_description({reinterpret_cast<const char*>(data), size}, "job.yaml");
  if (!made) {
    MAGPIE_CHECK(made.error().message.find("job.yaml") != std::string::npos, "no file is named: {}", made.error().message);
    return 0;
  }
  MAGPIE_CHECK(!made->source.empty() && !made->categories.empty(), "a source without name or lists");
  if (made->is_list()) return 0;
  const auto request = next_request(*made, made->categories.front(), {}, {});
  MAGPIE_CHECK(!request || request->url.is_http(), "it asks {}", request->url);
  return 0;
}
