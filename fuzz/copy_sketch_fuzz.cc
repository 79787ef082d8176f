// What a worker says of a picture's looks: whatever it is, it can be compared with. One guess of each kind is laid over: all would be more
// of the same, and a hundred times slower.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "analyse/copy_proof.h"
#include "analyse/copy_sketch.h"

namespace {

using namespace magpie;
using namespace magpie::analyse;

void look_at_first(const std::vector<CopyGuess>& guesses, const CopySketch& first, const CopySketch& second) {
  if (guesses.empty()) return;
  const auto overlap = image::overlay(first.overlap, second.overlap, guesses.front().map);
  if (!overlap) return;
  (void)judge(*overlap, guesses.front().evidence);
  (void)describe(of_whole(*overlap, first, second));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sketch = decode_sketch({reinterpret_cast<const char*>(data), size});
  if (!sketch) return 0;
  const auto again = decode_sketch(encode_sketch(*sketch));
  if (!again) __builtin_trap();
  look_at_first(guesses_by_hashes(*sketch, *again), *sketch, *again);
  look_at_first(guesses_by_keypoints(*sketch, *again), *sketch, *again);
  return 0;
}
