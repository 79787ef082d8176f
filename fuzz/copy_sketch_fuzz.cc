// What a worker says of a picture's looks: whatever it is, it can be searched with.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyse/copy_search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto sketch = magpie::analyse::decode_sketch({reinterpret_cast<const char*>(data), size});
  if (!sketch) return 0;
  auto again = magpie::analyse::decode_sketch(magpie::analyse::encode_sketch(*sketch));
  if (!again) __builtin_trap();
  magpie::analyse::CopySearch search;
  search.add(std::move(*sketch));
  for (const auto& link : search.add(std::move(*again))) magpie::analyse::describe(link.overlap);
  return 0;
}
