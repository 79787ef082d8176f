// count_facets: a group of copies counts once for each value that any of its pictures has. Nearly all groups have one picture among
// the results; those are counted straight away. Only pictures that share their group with another are set aside, and counted after
// removing doubles, so the cost of exactness is borne by copies alone.
#include <algorithm>

#include "index/snapshot.h"

namespace magpie::index {
namespace {

/// Documents of one segment.
struct Part {
  const Segment* segment = nullptr;
  std::vector<std::uint32_t> alone;   // ordinals; no other document of the index is of the same group
  std::vector<std::uint32_t> shared;  // the others
};

std::vector<Part> parts_of(const Snapshot& snapshot, const IdSet& ids) {
  const IdSet& copies = snapshot.copies();
  std::vector<Part> parts;
  snapshot.for_each_document(ids, [&](const SegmentState& state, std::uint32_t ordinal) {
    if (parts.empty() || parts.back().segment != state.segment.get()) parts.push_back({.segment = state.segment.get()});
    (copies.contains(state.segment->document_ids[ordinal]) ? parts.back().shared : parts.back().alone).push_back(ordinal);
  });
  return parts;
}

/// By code; codes mean something within their segment only.
std::vector<std::uint32_t> count_codes(const FacetColumn& column, std::span<const std::uint32_t> ordinals) {
  std::vector<std::uint32_t> counts(column.names.size() + 1, 0);
  if (column.starts.empty() && !column.codes.empty()) {
    for (const std::uint32_t ordinal : ordinals) ++counts[column.codes[ordinal]];
  } else {
    for (const std::uint32_t ordinal : ordinals) {
      for (const std::uint32_t code : column.of(ordinal)) ++counts[code];
    }
  }
  counts[0] = 0;
  return counts;
}

using Values = std::vector<std::pair<std::string_view, std::uint64_t>>;  // views into mapped segments

/// Each group once for each of its values, and those values by name.
void count_groups(const std::vector<Part>& parts, std::size_t facet, Values& values) {
  std::vector<std::pair<ImageId, std::string_view>> doubles;
  for (const Part& part : parts) {
    const FacetColumn& column = part.segment->facets[facet];
    for (const std::uint32_t ordinal : part.shared) {
      for (const std::uint32_t code : column.of(ordinal)) doubles.emplace_back(part.segment->copy_groups[ordinal], column.names[code - 1]);
    }
  }
  std::sort(doubles.begin(), doubles.end());
  doubles.erase(std::unique(doubles.begin(), doubles.end()), doubles.end());
  for (const auto& [group, value] : doubles) values.emplace_back(value, 1);
}

/// One entry a name, ascending.
Values joined(Values values) {
  std::ranges::sort(values);
  std::size_t kept = 0;
  for (const auto& [value, count] : values) {
    if (kept > 0 && values[kept - 1].first == value) values[kept - 1].second += count;
    else values[kept++] = {value, count};
  }
  values.resize(kept);
  return values;
}

FacetCounts count_facet(const std::vector<Part>& parts, Facet which, std::size_t values_max) {
  const auto facet = static_cast<std::size_t>(which);
  Values values;
  for (const Part& part : parts) {
    const FacetColumn& column = part.segment->facets[facet];
    const std::vector<std::uint32_t> counts = count_codes(column, part.alone);
    for (std::uint32_t code = 1; code < counts.size(); ++code) {
      if (counts[code] > 0) values.emplace_back(column.names[code - 1], counts[code]);
    }
  }
  const std::size_t of_alone = values.size();
  count_groups(parts, facet, values);
  // A segment's names ascend; those of several, and of copies, are not yet one list.
  if (parts.size() > 1 || values.size() > of_alone) values = joined(std::move(values));

  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;  // the number among the values settles equal counts as the name does
  order.reserve(values.size());
  for (std::uint32_t i = 0; i < values.size(); ++i) order.emplace_back(values[i].second, i);
  const std::size_t kept = std::min(values_max, values.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  FacetCounts result{.facet = which, .values_total = values.size()};
  result.values.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) result.values.push_back({std::string(values[order[i].second].first), order[i].first});
  return result;
}

}  // namespace

std::vector<FacetCounts> count_facets(const Snapshot& snapshot, std::span<const Facet> facets, const IdSet& ids, std::size_t values_max) {
  if (facets.empty()) return {};
  const std::vector<Part> parts = parts_of(snapshot, ids);
  std::vector<FacetCounts> result;
  for (const Facet facet : facets) result.push_back(count_facet(parts, facet, values_max));
  return result;
}

}  // namespace magpie::index
