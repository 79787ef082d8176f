// A model's manifest: any text. What is taken for one keeps to its limits, and names a space and a file that are no path elsewhere.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie;
  const auto manifest = model::parse_manifest({reinterpret_cast<const char*>(data), size});
  if (!manifest) {
    MAGPIE_CHECK(!manifest.error().message.empty(), "refused without a word");
    return 0;
  }
  MAGPIE_CHECK(manifest->name.find('/') == std::string::npos && manifest->name != "..", "the name '{}' is a path", manifest->name);
  for (const model::ModelFile& file : manifest->files) {
    MAGPIE_CHECK(!file.name.empty() && file.name.front() != '.' && file.name.find('/') == std::string::npos, "'{}' is a path", file.name);
  }
  const bool of_words = manifest->task == model::Task::kText;
  MAGPIE_CHECK(of_words || manifest->input.values() > 0, "no input");
  MAGPIE_CHECK(manifest->input.values() <= std::size_t{3} * 4'096 * 4'096, "input out of bounds");
  for (const float scale : manifest->input.scale) MAGPIE_CHECK(std::isfinite(1 / scale), "no scale");
  if (manifest->task == model::Task::kDetection) {
    MAGPIE_CHECK(!manifest->detection.classes.empty() && manifest->detection.classes.size() <= 1'000, "classes out of bounds");
    MAGPIE_CHECK(manifest->detection.score_min > 0 && manifest->detection.score_min <= 1, "score out of bounds");
  } else {
    MAGPIE_CHECK(manifest->embedding_dims > 0, "an embedder without an output");
  }
  if (manifest->text.tokenizer == model::Tokenizer::kClipBpe) {
    MAGPIE_CHECK(manifest->text.context >= 3 && manifest->text.context <= 1'024, "context out of bounds");
    for (const std::string& file : manifest->text.vocabulary) MAGPIE_CHECK(file.find('/') == std::string::npos, "'{}' is a path", file);
  }
  return 0;
}
