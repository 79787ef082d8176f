#pragma once
// What was computed of parts of pictures, those asked for last: further pages and filters of a search ask again.
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "core/records.h"

namespace magpie {

/// Thread-safe.
class KeptParts {
 public:
  static constexpr std::size_t kCountMax = 2'000;  // 10 MB of 1,280 floats

  std::optional<Embedding> find(const std::string& name) const;
  /// The oldest makes room.
  void keep(const std::string& name, Embedding embedding);

 private:
  struct State {
    std::unordered_map<std::string, Embedding> by_name;
    std::deque<std::string> by_age;
  };
  Guarded<State> state_;
};

}  // namespace magpie
