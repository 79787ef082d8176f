#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>

#include "index/build_segment.h"

namespace magpie::index {
namespace {

using Sources = std::span<const std::shared_ptr<const SegmentState>>;
constexpr std::uint32_t kGone = std::numeric_limits<std::uint32_t>::max();

struct Place {
  ImageId id = kNoId;
  std::uint32_t source = 0, row = 0;
};

/// Live documents of all sources, ascending by id: the index of each is its ordinal in the merged segment.
std::vector<Place> live_documents(Sources sources) {
  std::vector<Place> places;
  for (std::uint32_t source = 0; source < sources.size(); ++source) {
    const Segment& segment = *sources[source]->segment;
    for (std::uint32_t row = 0; row < segment.documents(); ++row) {
      if (!sources[source]->dead_documents.dead(row)) places.push_back({segment.document_ids[row], source, row});
    }
  }
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.id < b.id; });
  return places;
}

DocumentRow row_of(const Segment& segment, std::uint32_t i) {
  DocumentRow row{.id = segment.document_ids[i],
                  .copy_group = segment.copy_groups[i],
                  .pixels = segment.pixels[i],
                  .fetched_at = segment.fetched_at[i],
                  .price = segment.prices[i]};
  if (!segment.old_prices.empty()) row.old_price = segment.old_prices[i];
  std::copy_n(segment.lengths.begin() + static_cast<std::ptrdiff_t>(i * kFieldCount), kFieldCount, row.lengths.begin());
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) {
    const FacetColumn& column = segment.facets[facet];
    for (const std::uint32_t code : column.of(i)) row.facets[facet].push_back(column.names[code - 1]);
  }
  return row;
}

/// Per source: old ordinal -> merged ordinal, kGone for the dead.
std::vector<std::vector<std::uint32_t>> renumbering(Sources sources, const std::vector<Place>& places) {
  std::vector<std::vector<std::uint32_t>> renumbered;
  for (const auto& source : sources) renumbered.emplace_back(source->segment->documents(), kGone);
  for (std::uint32_t merged = 0; merged < places.size(); ++merged) renumbered[places[merged].source][places[merged].row] = merged;
  return renumbered;
}

/// Walks the term tables of all sources together, in order.
class TermMerge {
 public:
  struct Cursor {
    std::string_view term;
    std::uint32_t source = 0, index = 0;
    bool operator>(const Cursor& other) const { return term != other.term ? term > other.term : source > other.source; }
  };
  explicit TermMerge(Sources sources) : sources_(sources) {
    for (std::uint32_t source = 0; source < sources.size(); ++source) push(source, 0);
  }
  bool at_end() const { return cursors_.empty(); }
  /// All sources' entries of the next term.
  std::vector<Cursor> next() {
    std::vector<Cursor> same;
    do {
      same.push_back(cursors_.top());
      cursors_.pop();
    } while (!cursors_.empty() && cursors_.top().term == same.front().term);
    for (const Cursor& cursor : same) push(cursor.source, cursor.index + 1);
    return same;
  }

 private:
  void push(std::uint32_t source, std::uint32_t index) {
    const StringTable& terms = sources_[source]->segment->terms;
    if (index < terms.size()) cursors_.push({terms[index], source, index});
  }
  Sources sources_;
  std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors_;
};

void merge_postings(SegmentFileWriter& file, Sources sources, const std::vector<Place>& places) {
  const auto renumbered = renumbering(sources, places);
  PostingsWriter writer(file);
  std::vector<Posting> postings;
  for (TermMerge terms(sources); !terms.at_end();) {
    const auto entries = terms.next();
    postings.clear();
    for (const TermMerge::Cursor& entry : entries) {
      for (PostingCursor one = sources[entry.source]->segment->postings(entry.index); !one.at_end(); one.next()) {
        const std::uint32_t merged = renumbered[entry.source][one.ordinal()];
        if (merged != kGone) postings.push_back({merged, one.fields(), one.positions()});
      }
    }
    if (postings.empty()) continue;
    std::sort(postings.begin(), postings.end(), [](const Posting& a, const Posting& b) { return a.ordinal < b.ordinal; });
    writer.add(entries.front().term, postings);
  }
  writer.finish();
}

std::vector<VectorRow> live_vectors(Sources sources) {
  std::vector<VectorRow> rows;
  for (const auto& source : sources) {
    const Segment& segment = *source->segment;
    for (std::uint32_t i = 0; i < segment.vectors(); ++i) {
      if (source->dead_vectors.dead(i)) continue;
      rows.push_back(
          {segment.vector_ids[i], segment.region(i), segment.region_class(i), segment.row(i), segment.codes(i), segment.code_scales[i]});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const VectorRow& a, const VectorRow& b) { return std::tie(a.id, a.region) < std::tie(b.id, b.region); });
  return rows;
}

}  // namespace

Result<void> merge_segments(const fs::path& path, Sources sources, std::uint32_t dims) {
  MAGPIE_TRY(SegmentFileWriter file, SegmentFileWriter::create(path));
  const std::vector<Place> places = live_documents(sources);
  DocumentsWriter documents;
  for (const Place& place : places) documents.add(row_of(*sources[place.source]->segment, place.row));
  for (const auto& source : sources) {
    const StringTable& languages = source->segment->facet(Facet::kLanguage).names;
    for (std::uint32_t i = 0; i < languages.size(); ++i) documents.add_language(languages[i]);
  }
  documents.write(file);
  merge_postings(file, sources, places);
  const std::vector<VectorRow> rows = live_vectors(sources);
  write_vectors(file, rows, dims);
  return file.finish({documents.size(), static_cast<std::uint32_t>(rows.size()), dims});
}

}  // namespace magpie::index
