#include "index/value_documents.h"

#include <algorithm>

#include "index/segment.h"

namespace magpie::index {
namespace {

ValueDocuments::Bits find(const FacetColumn& column, std::uint32_t code, std::uint32_t documents) {
  ValueDocuments::Bits bits((std::size_t{documents} + 63) / 64);
  if (column.codes.empty()) return bits;
  if (!column.starts.empty()) {
    for (std::uint32_t ordinal = 0; ordinal < documents; ++ordinal) {
      const std::uint64_t has = std::ranges::count(column.of(ordinal), code) > 0 ? 1 : 0;
      bits[ordinal / 64] |= has << (ordinal % 64);
    }
    return bits;
  }
  for (std::uint32_t ordinal = 0; ordinal < documents; ++ordinal) {
    const std::uint64_t has = column.codes[ordinal] == code ? 1 : 0;
    bits[ordinal / 64] |= has << (ordinal % 64);
  }
  return bits;
}

}  // namespace

std::shared_ptr<const ValueDocuments::Bits> ValueDocuments::of(std::size_t facet, const FacetColumn& column, std::uint32_t code,
                                                               std::uint32_t documents) const {
  const Key key(facet, code);
  const auto kept = known_.with([&](Known& known) -> std::shared_ptr<const Bits> {
    const auto place = known.places.find(key);
    if (place == known.places.end()) return nullptr;
    known.latest.splice(known.latest.begin(), known.latest, place->second);
    return place->second->second;
  });
  if (kept) return kept;
  const auto found = std::make_shared<const Bits>(find(column, code, documents));
  known_.with([&](Known& known) {
    if (known.places.contains(key)) return;  // another thread was quicker
    known.latest.emplace_front(key, found);
    known.places[key] = known.latest.begin();
    constexpr std::size_t kBeside = 256;  // what a list, a map and a shared pointer take
    const std::size_t bytes_each = found->size() * sizeof(std::uint64_t) + kBeside;
    if (known.latest.size() * bytes_each <= kBytesMax) return;
    known.places.erase(known.latest.back().first);
    known.latest.pop_back();
  });
  return found;
}

}  // namespace magpie::index
