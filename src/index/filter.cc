// filter_documents: one byte per document of a segment, and one pass over a column per condition, which compilers vectorise.
#include <algorithm>
#include <bit>
#include <cstring>

#include "index/snapshot.h"
#include "text/tokens.h"

namespace magpie::index {
namespace {

using Mask = std::vector<std::uint8_t>;

/// mask[i] &= whether document i has one of the values.
void keep_values(const FacetColumn& column, const std::vector<std::string>& values, Mask& mask) {
  std::vector<std::uint8_t> wanted(column.names.size() + 1, 0);
  for (const std::string& value : values) {
    if (const auto index = column.names.find(value)) wanted[*index + 1] = 1;
  }
  for (std::uint32_t i = 0; i < mask.size(); ++i) {
    std::uint8_t any = 0;
    if (column.starts.empty() && !column.codes.empty()) {
      any = wanted[column.codes[i]];
    } else {
      for (const std::uint32_t code : column.of(i)) any |= wanted[code];
    }
    mask[i] &= any;
  }
}

template <class Test>
void keep_where(std::span<const std::int64_t> column, Mask& mask, Test&& test) {
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] &= static_cast<std::uint8_t>(test(column[i]));
}

void apply(const Segment& segment, const Filter& filter, Mask& mask) {
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) {
    const std::vector<std::string>& values = filter.values(static_cast<Facet>(facet));
    if (!values.empty()) keep_values(segment.facets[facet], values, mask);
  }
  if (filter.price_min_micros) {
    keep_where(segment.prices, mask, [low = *filter.price_min_micros](std::int64_t price) { return (price != kNoPrice) & (price >= low); });
  }
  if (filter.price_max_micros) {
    keep_where(segment.prices, mask,
               [high = *filter.price_max_micros](std::int64_t price) { return (price != kNoPrice) & (price <= high); });
  }
  if (filter.since_seconds) {
    keep_where(segment.fetched_at, mask, [since = *filter.since_seconds](std::int64_t at) { return at >= since; });
  }
}

bool restricts(const Filter& filter) {
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) {
    if (!filter.values(static_cast<Facet>(facet)).empty()) return true;
  }
  return filter.price_min_micros || filter.price_max_micros || filter.since_seconds;
}

/// Documents whose byte is not 0, eight bytes at a time, as a filter stops most.
void add_kept(const SegmentState& state, const Mask& mask, IdSet& passed) {
  const auto add = [&](std::size_t i) {
    if (mask[i] != 0 && !state.dead_documents.dead(static_cast<std::uint32_t>(i))) passed.add(state.segment->document_ids[i]);
  };
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= mask.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, mask.data() + i, sizeof eight);
    for (; eight != 0; eight &= eight - 1) {
      // A byte is 0 or 1, so each bit that is set is a document.
      add(i + static_cast<std::size_t>(std::countr_zero(eight)) / 8);
    }
  }
  for (; i < mask.size(); ++i) add(i);
}

IdSet filtered(const Snapshot& snapshot, const Filter& filter) {
  IdSet passed(snapshot.id_max());
  for (const auto& state : snapshot.segments) {
    Mask mask(state->segment->documents(), 1);
    apply(*state->segment, filter, mask);
    add_kept(*state, mask, passed);
  }
  return passed;
}

}  // namespace

IdSet filter_documents(const Snapshot& snapshot, const Filter& filter) {
  IdSet passed = restricts(filter) ? filtered(snapshot, filter) : snapshot.live_documents();
  for (const std::string& words : filter.without) {
    TextQuery unwanted{.language = filter.without_language};
    const bool phrase = tokenise(words, 2).size() > 1;
    (phrase ? unwanted.phrases.emplace_back() : unwanted.words) = words;
    passed -= match_words(snapshot, unwanted, Doubt::kNo).scores.ids();
  }
  if (filter.ids) {
    IdSet wanted;
    for (const ImageId id : *filter.ids) {
      if (passed.contains(id)) wanted.add(id);
    }
    passed = std::move(wanted);
  }
  return passed;
}

}  // namespace magpie::index
