#pragma once
// What was computed from uploaded pictures, under unguessable tokens, so that paging and filtering need no second upload. In memory
// only; the pictures themselves are not kept.
#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "core/clock.h"

namespace magpie {

/// Thread-safe.
class UploadedPictures {
 public:
  static constexpr std::chrono::minutes kKept{30};  // after its last use
  static constexpr std::size_t kCountMax = 20'000;  // 100 MB of 1,280 floats

  explicit UploadedPictures(const Clock& clock) : clock_(clock) {}
  /// The token: 48 hex digits. Nothing when as many as fit were used within kKept.
  std::optional<std::string> add(Embedding embedding);
  /// Counts as a use. Nothing for a token that is unknown or no longer kept.
  std::optional<Embedding> find(const std::string& token);

 private:
  struct Entry {
    Embedding embedding;
    std::chrono::steady_clock::time_point used_at;
  };
  const Clock& clock_;
  Guarded<std::unordered_map<std::string, Entry>> entries_;
};

}  // namespace magpie
