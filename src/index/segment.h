#pragma once
// A segment opened for reading: typed views into the mapped file (layout: segment_format.h). Thread-safe; lives as long as anybody
// holds it, also after the file is unlinked.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "core/text_index.h"
#include "index/graph_file.h"
#include "index/postings.h"
#include "index/segment_file.h"
#include "index/value_documents.h"
#include "vec/quantise.h"
#include "vec/sketch.h"

namespace magpie::index {

inline constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::min();

/// Sorted different strings; see segment_format.h.
class StringTable {
 public:
  StringTable() = default;
  /// kCorrupt unless `bytes` is a table.
  static Result<StringTable> parse(std::string_view bytes);
  std::uint32_t size() const { return static_cast<std::uint32_t>(ends_.size()); }
  std::string_view operator[](std::uint32_t i) const {
    const std::uint32_t begin = i == 0 ? 0 : ends_[i - 1];
    return bytes_.substr(begin, ends_[i] - begin);
  }
  /// Index of the first string that is not below; size() if there is none. Binary search.
  std::uint32_t not_below(std::string_view text) const;
  /// Index of the string. Binary search.
  std::optional<std::uint32_t> find(std::string_view text) const;

 private:
  std::span<const std::uint32_t> ends_;
  std::string_view bytes_;
};

/// Where a facet's column stands. A multi-valued one has starts.
struct FacetSections {
  Section names, codes;
  std::optional<Section> starts = std::nullopt;
  bool always = true;  // false: only where a document has a value
};
/// By Facet.
inline constexpr FacetSections kFacetSections[] = {
    {Section::kShopNames, Section::kShops},
    {Section::kCategoryNames, Section::kCategories},
    {Section::kBrandNames, Section::kBrands},
    {Section::kColourNames, Section::kColours, Section::kColourStarts},
    {Section::kCurrencyNames, Section::kCurrencies},
    {Section::kClassNames, Section::kClasses, Section::kClassStarts, false},
    {Section::kLanguageNames, Section::kLanguages},
    {Section::kSizeNames, Section::kSizes, Section::kSizeStarts, false},
    {Section::kLabelNames, Section::kLabels, Section::kLabelStarts, false},
    {Section::kLicenceNames, Section::kLicences, Section::kLicenceStarts, false},
};
static_assert(std::size(kFacetSections) == kFacetCount);

/// One facet of all documents of a segment. Values are 1 + index into names.
struct FacetColumn {
  StringTable names;
  std::span<const std::uint32_t> codes;   // single-valued: one per document, 0 none; multi-valued: all values
  std::span<const std::uint32_t> starts;  // multi-valued only

  /// None in a segment without the column.
  std::span<const std::uint32_t> of(std::uint32_t ordinal) const {
    if (codes.empty()) return {};
    if (!starts.empty()) return codes.subspan(starts[ordinal], starts[ordinal + 1] - starts[ordinal]);
    return codes.subspan(ordinal, codes[ordinal] == 0 ? 0 : 1);
  }
};

/// The way from an id to its ordinal: the ids as bits, and how many there are before each word of them.
class IdRanks {
 public:
  IdRanks() = default;
  /// `ids` ascending. Cost: one pass; 3 bits for each id from the first to the last.
  explicit IdRanks(std::span<const ImageId> ids);
  /// use(ordinal) for each of the ids that is in `wanted`, ascending.
  template <class Use>
  void for_each(const IdSet& wanted, Use&& use) const {
    const std::vector<std::uint64_t>& words = wanted.words();
    const std::size_t end = words.size() > first_word_ ? std::min(words.size() - first_word_, bits_.size()) : 0;
    for (std::size_t i = 0; i < end; ++i) {
      const std::uint64_t known = bits_[i];
      for (std::uint64_t rest = words[first_word_ + i] & known; rest != 0; rest &= rest - 1) {
        const int place = std::countr_zero(rest);
        const std::uint64_t before = known & ((std::uint64_t{1} << place) - 1);
        // Mostly no id is missing, and counting bits is a call without the instruction for it.
        use(before_[i] + static_cast<std::uint32_t>(known == ~std::uint64_t{0} ? place : std::popcount(before)));
      }
    }
  }

 private:
  std::size_t first_word_ = 0;
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> before_;
};

/// Ordinals from begin up to, but not including, end.
struct RowRange {
  std::uint32_t begin = 0, end = 0;
};

class Segment {
 public:
  /// With its graph, if there is one beside it. A graph that cannot be used is told in the log, and the segment is scanned.
  static Result<std::shared_ptr<const Segment>> open(const fs::path& path, std::uint64_t number);

  std::uint64_t number() const { return number_; }
  std::uint64_t bytes() const { return file_.bytes() + (graph_ ? graph_->bytes() : 0); }
  std::uint32_t documents() const { return file_.counts().documents; }
  std::uint32_t vectors() const { return file_.counts().vectors; }
  std::uint32_t dims() const { return file_.counts().dims; }
  Result<void> verify() const;

  std::span<const ImageId> document_ids, copy_groups;
  bool ids_are_dense = false;  // each document's is the one before it and 1
  IdRanks document_ranks;
  std::span<const std::uint64_t> pixels;
  std::span<const std::int64_t> fetched_at, prices;
  std::span<const std::int64_t> old_prices;  // empty: no document has one
  std::span<const std::uint8_t> lengths;     // kFieldCount per document
  FacetColumn facets[kFacetCount];           // by Facet
  ValueDocuments value_documents;
  StringTable terms;
  std::span<const ImageId> vector_ids;            // ascending; a picture's vectors stand together, by region
  std::span<const std::uint16_t> vector_regions;  // empty: all are of whole pictures
  FacetColumn region_classes;                     // per vector, with vector_regions
  std::span<const vec::CodeScale> code_scales;
  std::size_t row_size = 0;              // components of a padded row
  std::span<const float> sketch_centre;  // empty: no vector has a sketch
  std::span<const vec::SketchScale> sketch_scales;

  const FacetColumn& facet(Facet which) const { return facets[static_cast<std::size_t>(which)]; }
  std::optional<std::uint32_t> find_document(ImageId id) const;
  RowRange vectors_of(ImageId id) const;
  std::uint16_t region(std::uint32_t vector) const { return vector_regions.empty() ? std::uint16_t{0} : vector_regions[vector]; }
  std::string_view region_class(std::uint32_t vector) const;
  PostingCursor postings(std::uint32_t term) const;
  std::uint32_t term_count(std::uint32_t term) const { return term_counts_[term]; }
  const float* row(std::uint32_t vector) const { return rows_.data() + vector * row_size; }
  const std::uint8_t* codes(std::uint32_t vector) const { return codes_.data() + vector * row_size; }
  bool has_sketches() const { return !sketch_centre.empty(); }
  const std::uint64_t* sketch(std::uint32_t vector) const { return sketch_words_.data() + vector * vec::sketch_words(row_size); }

  bool has_graph() const { return graph_.has_value(); }
  /// Whether there is a graph, and one worth walking.
  bool has_good_graph() const { return graph_ && graph_->good(); }
  vec::GraphView graph() const { return graph_->view(sketch_centre); }
  /// What a graph is over; has_sketches() only.
  vec::GraphRows graph_rows() const;
  /// crc32c of the sketches: tells whose graph it is.
  std::uint32_t sketches_sum() const { return file_.sum(Section::kSketchWords); }

 private:
  Segment(SegmentFile file, std::uint64_t number) : file_(std::move(file)), number_(number) {}
  Result<void> map_documents();
  Result<void> map_terms();
  Result<void> map_vectors();
  Result<void> map_regions();
  void open_graph(const fs::path& path);
  /// No column where there is none and need not be one.
  Result<FacetColumn> map_facet(const FacetSections& sections, std::uint64_t rows) const;

  SegmentFile file_;
  std::uint64_t number_;
  std::span<const std::uint64_t> posting_starts_;
  std::span<const std::uint32_t> term_counts_;
  std::string_view postings_;
  PostingLayout posting_layout_ = PostingLayout::kBlocks;
  std::span<const float> rows_;
  std::span<const std::uint8_t> codes_;
  std::span<const std::uint64_t> sketch_words_;
  std::optional<GraphFile> graph_;
};

}  // namespace magpie::index
