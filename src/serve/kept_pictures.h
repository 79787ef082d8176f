#pragma once
// Large variants that were made on demand, the last ones used. Making one takes a worker tens of milliseconds.
#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/guarded.h"
#include "core/records.h"

namespace magpie {

/// Thread-safe.
class KeptPictures {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  explicit KeptPictures(std::size_t bytes_max = 64 << 20) : bytes_max_(bytes_max) {}
  /// Null when it is not kept.
  Bytes find(ImageId id);
  /// Drops those that were used longest ago until it fits; one that never fits is not kept.
  void keep(ImageId id, Bytes bytes);

 private:
  struct Entry {
    ImageId id;
    Bytes bytes;
  };
  struct State {
    std::list<Entry> by_use;  // last used first
    std::unordered_map<ImageId, std::list<Entry>::iterator> by_id;
    std::size_t bytes = 0;
  };
  const std::size_t bytes_max_;
  Guarded<State> state_;
};

}  // namespace magpie
