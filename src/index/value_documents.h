#pragma once
// Which documents of a segment have a facet's value, a bit each. A pass over the column finds them when a filter first asks; as segments
// never change, what was found is kept, and filters of a large collection are a few thousand words met with one another.
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/guarded.h"

namespace magpie::index {

struct FacetColumn;

/// Of one segment. Thread-safe.
class ValueDocuments {
 public:
  using Bits = std::vector<std::uint64_t>;  // by ordinal, lowest first; zeros behind the last document
  /// What is kept; those least lately asked for go first. Some 250 values of a million documents.
  static constexpr std::size_t kBytesMax = 32 << 20;

  /// @param code  a value of the column, from 1. Cost: some ms a million documents at first, nothing later.
  std::shared_ptr<const Bits> of(std::size_t facet, const FacetColumn& column, std::uint32_t code, std::uint32_t documents) const;

 private:
  using Key = std::pair<std::size_t, std::uint32_t>;  // facet and code
  struct Known {
    std::list<std::pair<Key, std::shared_ptr<const Bits>>> latest;  // last asked for first
    std::map<Key, decltype(latest)::iterator> places;
  };
  mutable Guarded<Known> known_;
};

}  // namespace magpie::index
