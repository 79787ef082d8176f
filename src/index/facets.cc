// count_facets: a group of copies counts once for each value that any of its pictures has. Nearly all groups have one picture among
// the results; those are counted straight away. Only pictures that share their group with another are set aside, in order of groups, so
// the cost of exactness is borne by copies alone. Values are counted as the codes of their segment; names meet only in the end.
#include <algorithm>

#include "index/snapshot.h"

namespace magpie::index {
namespace {

/// A picture that shares its group with another of the index.
struct Member {
  ImageId group = kNoId;
  std::uint32_t part = 0, ordinal = 0;
};

/// Documents, by segment.
struct Documents {
  struct Part {
    const Segment* segment = nullptr;
    std::vector<std::uint32_t> alone;  // ordinals; no other document of the index is of the same group
  };
  std::vector<Part> parts;
  std::vector<Member> members;  // the others, group after group
};

Documents documents_of(const Snapshot& snapshot, const IdSet& ids) {
  const IdSet& copies = snapshot.copies();
  Documents found;
  snapshot.for_each_document(ids, [&](const SegmentState& state, std::uint32_t ordinal) {
    const Segment& segment = *state.segment;
    if (found.parts.empty() || found.parts.back().segment != &segment) found.parts.push_back({.segment = &segment});
    if (!copies.contains(segment.document_ids[ordinal])) found.parts.back().alone.push_back(ordinal);
    else found.members.push_back({segment.copy_groups[ordinal], static_cast<std::uint32_t>(found.parts.size() - 1), ordinal});
  });
  std::ranges::sort(found.members, {}, &Member::group);
  return found;
}

using Counts = std::vector<std::uint32_t>;  // by code, which mean something within their segment only

Counts count_codes(const FacetColumn& column, std::span<const std::uint32_t> ordinals) {
  Counts counts(column.names.size() + 1, 0);
  if (column.starts.empty() && !column.codes.empty()) {
    for (const std::uint32_t ordinal : ordinals) ++counts[column.codes[ordinal]];
  } else {
    for (const std::uint32_t ordinal : ordinals) {
      for (const std::uint32_t code : column.of(ordinal)) ++counts[code];
    }
  }
  return counts;
}

/// Adds each group once for each of its values.
void count_groups(const Documents& documents, std::size_t facet, std::vector<Counts>& counts) {
  using Value = std::pair<std::uint32_t, std::uint32_t>;  // part and code
  const auto column_of = [&](std::uint32_t part) -> const FacetColumn& { return documents.parts[part].segment->facets[facet]; };
  const auto name_of = [&](const Value& value) { return column_of(value.first).names[value.second - 1]; };
  std::vector<Value> values;
  for (auto member = documents.members.begin(); member != documents.members.end();) {
    values.clear();
    for (const ImageId group = member->group; member != documents.members.end() && member->group == group; ++member) {
      for (const std::uint32_t code : column_of(member->part).of(member->ordinal)) values.emplace_back(member->part, code);
    }
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
    if (!values.empty() && values.front().first != values.back().first) {  // of several segments: one may be the other's by name
      std::ranges::sort(values, {}, name_of);
      values.erase(std::ranges::unique(values, {}, name_of).begin(), values.end());
    }
    for (const auto& [part, code] : values) ++counts[part][code];
  }
}

using Values = std::vector<std::pair<std::string_view, std::uint64_t>>;  // views into mapped segments

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

FacetCounts count_facet(const Documents& documents, Facet which, std::size_t values_max) {
  const auto facet = static_cast<std::size_t>(which);
  std::vector<Counts> counts;
  for (const Documents::Part& part : documents.parts) counts.push_back(count_codes(part.segment->facets[facet], part.alone));
  count_groups(documents, facet, counts);
  Values values;
  for (std::size_t part = 0; part < counts.size(); ++part) {
    const FacetColumn& column = documents.parts[part].segment->facets[facet];
    for (std::uint32_t code = 1; code < counts[part].size(); ++code) {
      if (counts[part][code] > 0) values.emplace_back(column.names[code - 1], counts[part][code]);
    }
  }
  if (counts.size() > 1) values = joined(std::move(values));  // a segment's names ascend

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
  const Documents documents = documents_of(snapshot, ids);
  std::vector<FacetCounts> result;
  for (const Facet facet : facets) result.push_back(count_facet(documents, facet, values_max));
  return result;
}

}  // namespace magpie::index
