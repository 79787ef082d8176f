// What a detector's graph gives: any floats in any shape, in every decoding. Boxes are boxes, scores are shares, and there are not too
// many.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "model/decode_detections.h"

// u8 decoding, classes, width, height (in 8 px), outputs; for each output u8 rank and u8 sides; the floats go on round and round.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie;
  std::size_t at = 0;
  const auto byte = [&]() -> std::size_t { return at < size ? data[at++] : 0; };
  model::DetectionForm form;
  form.decoding = static_cast<model::BoxDecoding>(byte() % 6);
  form.classes.assign(1 + byte() % 8, "thing");
  model::InputForm input;
  input.width = static_cast<int>(8 * (1 + byte() % 8)), input.height = static_cast<int>(8 * (1 + byte() % 8));
  std::vector<std::vector<float>> values(byte() % 8);
  std::vector<model::OutputTensor> outputs;
  for (std::vector<float>& floats : values) {
    model::OutputTensor output;
    std::size_t count = 1;
    for (std::size_t rank = byte() % 5; rank > 0; --rank) {
      output.shape.push_back(static_cast<std::int64_t>(byte() % 64));
      count *= static_cast<std::size_t>(output.shape.back());
    }
    if (count > 1 << 16) return 0;
    floats.resize(count);
    for (float& value : floats) {
      std::uint8_t bytes[4];
      for (std::uint8_t& one : bytes) one = size > at ? data[at + (&one - bytes + (&value - floats.data()) * 4) % (size - at)] : 0;
      std::memcpy(&value, bytes, sizeof value);
    }
    output.values = floats;
    outputs.push_back(output);
  }
  const auto found = model::decode_detections(outputs, input, form);
  if (!found) return 0;
  MAGPIE_CHECK(found->size() <= 100, "{} boxes", found->size());
  for (const model::Detection& one : *found) {
    MAGPIE_CHECK(one.box.left >= 0 && one.box.top >= 0 && one.box.right <= 1 && one.box.bottom <= 1 && one.box.area() > 0, "no box");
    MAGPIE_CHECK(one.score >= form.score_min && one.score <= 1, "score {}", one.score);
    MAGPIE_CHECK(one.label >= 0 && static_cast<std::size_t>(one.label) < form.classes.size(), "label {}", one.label);
  }
  return 0;
}
