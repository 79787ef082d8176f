// A Darknet .cfg is refused or let through, whatever is in it.
#include <cstddef>
#include <cstdint>

#include "model/darknet_cfg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)magpie::model::check_darknet_cfg({reinterpret_cast<const char*>(data), size});
  return 0;
}
