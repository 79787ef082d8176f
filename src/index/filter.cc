// filter_documents: one bit per document of a segment, met with the bits of each condition: those of facet values are kept
// (value_documents.h), the others are made by a pass over their column.
#include <algorithm>
#include <bit>

#include "index/snapshot.h"
#include "text/tokens.h"

namespace magpie::index {
namespace {

using Bits = ValueDocuments::Bits;

void keep_values(const Segment& segment, std::size_t facet, const std::vector<std::string>& values, Bits& bits) {
  const FacetColumn& column = segment.facets[facet];
  Bits any(bits.size());
  for (const std::string& value : values) {
    const auto index = column.names.find(value);
    if (!index) continue;
    const auto has = segment.value_documents.of(facet, column, *index + 1, segment.documents());
    for (std::size_t i = 0; i < any.size(); ++i) any[i] |= (*has)[i];
  }
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] &= any[i];
}

template <class Test>
void keep_where(std::span<const std::int64_t> column, Bits& bits, Test&& test) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::size_t begin = 64 * i, count = std::min<std::size_t>(64, column.size() - begin);
    std::uint64_t kept = 0;
    for (std::size_t k = 0; k < count; ++k) kept |= static_cast<std::uint64_t>(test(column[begin + k])) << k;
    bits[i] &= kept;
  }
}

void apply(const Segment& segment, const Filter& filter, Bits& bits) {
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) {
    const std::vector<std::string>& values = filter.values(static_cast<Facet>(facet));
    if (!values.empty()) keep_values(segment, facet, values, bits);
  }
  if (filter.price_min_micros) {
    keep_where(segment.prices, bits, [low = *filter.price_min_micros](std::int64_t price) { return (price != kNoPrice) & (price >= low); });
  }
  if (filter.price_max_micros) {
    keep_where(segment.prices, bits,
               [high = *filter.price_max_micros](std::int64_t price) { return (price != kNoPrice) & (price <= high); });
  }
  if (filter.since_seconds) {
    keep_where(segment.fetched_at, bits, [since = *filter.since_seconds](std::int64_t at) { return at >= since; });
  }
}

bool restricts(const Filter& filter) {
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) {
    if (!filter.values(static_cast<Facet>(facet)).empty()) return true;
  }
  return filter.price_min_micros || filter.price_max_micros || filter.since_seconds;
}

/// The ids of the live documents among those of the bits. Ids that follow one another without a gap, as those of a segment that nothing was
/// taken out of, are shifted to their places by words.
void add_kept(const SegmentState& state, const Bits& bits, IdSet& passed) {
  const Segment& segment = *state.segment;
  const std::span<const ImageId> ids = segment.document_ids;
  const bool gapless = ids.back() - ids.front() == ids.size() - 1;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const std::uint64_t kept = bits[i] & ~state.dead_documents.word(i);
    if (kept == 0) continue;
    if (!gapless) {
      for (std::uint64_t rest = kept; rest != 0; rest &= rest - 1)
        passed.add(ids[64 * i + static_cast<std::size_t>(std::countr_zero(rest))]);
      continue;
    }
    const std::size_t first = ids.front() + 64 * i, shift = first % 64;
    passed.add_word(first / 64, kept << shift);
    if (shift > 0 && kept >> (64 - shift) != 0) passed.add_word(first / 64 + 1, kept >> (64 - shift));
  }
}

IdSet filtered(const Snapshot& snapshot, const Filter& filter) {
  IdSet passed(snapshot.id_max());
  for (const auto& state : snapshot.segments) {
    const std::uint32_t documents = state->segment->documents();
    if (documents == 0) continue;
    Bits bits((std::size_t{documents} + 63) / 64, ~std::uint64_t{0});
    if (documents % 64 != 0) bits.back() >>= 64 - documents % 64;
    apply(*state->segment, filter, bits);
    add_kept(*state, bits, passed);
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
