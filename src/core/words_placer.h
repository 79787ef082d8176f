#pragma once
// Port: where words lie among the pictures. Implemented in `app` over a collection's bridge (learn/bridge.h), or over a model that takes
// pictures and words alike.
#include <optional>
#include <string_view>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// Pictures that look like what the words say have vectors near `vector`. How near is told from what is usual there: a picture's closeness
/// is its cosine less the mean cosine of all pictures (VectorSnapshot::background).
struct WordsPlace {
  Embedding vector;         // unit length, in the space of the index's vectors
  float closeness_min = 0;  // below it a picture is not what the words say
};

class WordsPlacer {
 public:
  virtual ~WordsPlacer() = default;
  /// Nothing for words that say nothing of pictures as far as is known, and where nothing is known. kUnavailable, kTimeout and kInternal
  /// when no worker can embed words. Thread-safe. Cost: some 30 ms for words not asked before.
  virtual Result<std::optional<WordsPlace>> place(std::string_view words) const = 0;
};

}  // namespace magpie
