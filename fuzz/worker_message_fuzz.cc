// Everything a worker process may send its manager, and the manager's first message: the first byte chooses the decoder. Beyond not
// crashing: what decodes must encode to something that decodes to the same.
#include <cstdint>
#include <string_view>

#include "analyse/analysed_image.h"
#include "base/check.h"
#include "process/frame.h"
#include "process/start_message.h"

namespace {

void try_header(std::string_view bytes) {
  const auto header = magpie::decode_header(bytes, 1 << 20);
  if (header) MAGPIE_CHECK(magpie::encode_header(*header) == bytes, "a frame's header changes");
}

void try_start(std::string_view bytes) {
  const auto start = magpie::decode_start(bytes);
  if (!start) return;
  const auto again = magpie::decode_start(magpie::encode_start(*start));
  MAGPIE_CHECK(again && again->config == start->config && again->sandbox.readable == start->sandbox.readable, "a start message changes");
}

void try_analysed(std::string_view bytes) {
  const auto analysed = magpie::analyse::decode_analysed_image(bytes);
  if (!analysed) return;
  const std::string text = magpie::analyse::encode_analysed_image(*analysed);
  const auto again = magpie::analyse::decode_analysed_image(text);
  MAGPIE_CHECK(again && magpie::analyse::encode_analysed_image(*again) == text, "an analysed picture changes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: try_header(rest); break;
    case 1: try_start(rest); break;
    case 2: try_analysed(rest); break;
    default: (void)magpie::decode_error(rest); break;
  }
  return 0;
}
