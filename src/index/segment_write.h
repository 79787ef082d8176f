#pragma once
// Puts documents, postings and vectors into a segment file in the layout of segment_format.h. Whoever builds a segment, be it from
// documents just added or from older segments merged, goes through these three; so there is one writer of the format.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/records.h"
#include "core/text_index.h"
#include "index/segment.h"
#include "index/segment_file.h"

namespace magpie::index {

/// The facts of one document; views are borrowed for the call that takes it.
struct DocumentRow {
  ImageId id = kNoId, copy_group = kNoId;
  std::uint64_t pixels = 0;
  std::int64_t fetched_at = 0;
  std::int64_t price = kNoPrice, old_price = kNoPrice;
  std::array<std::uint8_t, kFieldCount> lengths{};
  std::array<std::vector<std::string_view>, kFacetCount> facets;  // by Facet; empty values are left out
};

/// Gathers the values of one facet and writes them with their names sorted.
class FacetWriter {
 public:
  void add_document(std::span<const std::string_view> values);
  /// A name that stands among the facet's names and is no document's; empty is none.
  void add_name(std::string_view name);
  /// Whether no document has a value.
  bool empty() const { return codes_.empty(); }
  void write(SegmentFileWriter& file, const FacetSections& sections) const;

 private:
  std::unordered_map<std::string, std::uint32_t> known_;  // value -> code in order of first sight, from 1
  std::vector<std::uint32_t> codes_;
  std::vector<std::uint32_t> starts_{0};
};

/// Takes documents ascending by id, then writes all their columns.
class DocumentsWriter {
 public:
  void add(const DocumentRow& row);
  /// A language that some words here are in, though no document as a whole is; empty is none.
  void add_language(std::string_view language) { facets_[static_cast<std::size_t>(Facet::kLanguage)].add_name(language); }
  void write(SegmentFileWriter& file) const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(ids_.size()); }

 private:
  std::vector<ImageId> ids_, copy_groups_;
  std::vector<std::uint64_t> pixels_;
  std::vector<std::int64_t> fetched_at_, prices_, old_prices_;
  std::vector<std::uint8_t> lengths_;
  std::array<FacetWriter, kFacetCount> facets_;
};

/// Streams postings to the file, term after term, ascending.
class PostingsWriter {
 public:
  explicit PostingsWriter(SegmentFileWriter& file) : file_(file) { file_.begin(Section::kPostingBlocks); }
  /// Postings ascending by ordinal, at least one.
  void add(std::string_view term, std::span<const Posting> postings);
  /// Writes the term table; nothing may be added afterwards.
  void finish();

 private:
  SegmentFileWriter& file_;
  std::string encoded_;
  std::string terms_;
  std::vector<std::uint32_t> term_ends_, counts_;
  std::vector<std::uint64_t> starts_{0};
};

/// One vector: padded row, codes and class, borrowed until written.
struct VectorRow {
  ImageId id = kNoId;
  std::uint16_t region = 0;
  std::string_view region_class;
  const float* row = nullptr;
  const std::uint8_t* codes = nullptr;
  vec::CodeScale scale;
};
/// Rows ascending by id and region.
void write_vectors(SegmentFileWriter& file, std::span<const VectorRow> rows, std::size_t dims);

/// Writes a whole string table section.
void write_string_table(SegmentFileWriter& file, Section section, const std::vector<std::uint32_t>& ends, std::string_view bytes);

}  // namespace magpie::index
