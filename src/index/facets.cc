// count_facets: a group of copies counts once for each value that any of its pictures has. Nearly all groups have one picture among
// the results; those are counted straight away. Only pictures that share their group with another are set aside, and counted after
// removing doubles, so the cost of exactness is borne by copies alone.
#include <algorithm>
#include <unordered_map>

#include "index/snapshot.h"

namespace magpie::index {
namespace {

/// Groups with more than one picture among the ids.
IdSet shared_groups(const Snapshot& snapshot, const IdSet& ids) {
  IdSet seen, shared;
  snapshot.for_each_document(ids, [&](const SegmentState& state, std::uint32_t ordinal) {
    const ImageId group = state.segment->copy_groups[ordinal];
    if (seen.contains(group)) shared.add(group);
    else seen.add(group);
  });
  return shared;
}

struct GroupValue {
  ImageId group = kNoId;
  std::string_view value;
  auto operator<=>(const GroupValue&) const = default;
};

class FacetCounter {
 public:
  explicit FacetCounter(Facet facet) : facet_(static_cast<std::size_t>(facet)) {}

  void add(const SegmentState& state, std::uint32_t ordinal, bool shared) {
    const FacetColumn& column = state.segment->facets[facet_];
    if (&column != column_) turn_to(column);
    const ImageId group = state.segment->copy_groups[ordinal];
    for (const std::uint32_t code : column.of(ordinal)) {
      if (shared) doubles_.push_back({group, column.names[code - 1]});
      else ++counts_[code];
    }
  }

  FacetCounts take(std::size_t values_max) {
    flush();
    std::sort(doubles_.begin(), doubles_.end());
    doubles_.erase(std::unique(doubles_.begin(), doubles_.end()), doubles_.end());
    for (const GroupValue& one : doubles_) ++totals_[one.value];

    FacetCounts result{.facet = static_cast<Facet>(facet_), .values_total = totals_.size()};
    std::vector<std::pair<std::string_view, std::uint64_t>> ranked(totals_.begin(), totals_.end());
    const std::size_t kept = std::min(values_max, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(kept), ranked.end(),
                      [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    for (std::size_t i = 0; i < kept; ++i) result.values.push_back({std::string(ranked[i].first), ranked[i].second});
    return result;
  }

 private:
  // Codes mean something within their segment only: they are counted in an array and joined by name when the segment changes.
  void turn_to(const FacetColumn& column) {
    flush();
    column_ = &column;
    counts_.assign(column.names.size() + 1, 0);
  }
  void flush() {
    for (std::uint32_t code = 1; code < counts_.size(); ++code) {
      if (counts_[code] > 0) totals_[column_->names[code - 1]] += counts_[code];
    }
    counts_.clear();
  }

  std::size_t facet_;
  const FacetColumn* column_ = nullptr;
  std::vector<std::uint64_t> counts_;
  std::vector<GroupValue> doubles_;
  std::unordered_map<std::string_view, std::uint64_t> totals_;  // views into mapped segments
};

}  // namespace

std::vector<FacetCounts> count_facets(const Snapshot& snapshot, std::span<const Facet> facets, const IdSet& ids, std::size_t values_max) {
  const IdSet shared = shared_groups(snapshot, ids);
  std::vector<FacetCounter> counters(facets.begin(), facets.end());
  snapshot.for_each_document(ids, [&](const SegmentState& state, std::uint32_t ordinal) {
    const bool copies = shared.contains(state.segment->copy_groups[ordinal]);
    for (FacetCounter& counter : counters) counter.add(state, ordinal, copies);
  });
  std::vector<FacetCounts> result;
  for (FacetCounter& counter : counters) result.push_back(counter.take(values_max));
  return result;
}

}  // namespace magpie::index
