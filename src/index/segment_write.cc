#include "index/segment_write.h"

#include <algorithm>

#include "base/check.h"
#include "vec/dot.h"

namespace magpie::index {
void write_string_table(SegmentFileWriter& file, Section section, const std::vector<std::uint32_t>& ends, std::string_view bytes) {
  const auto count = static_cast<std::uint32_t>(ends.size());
  file.begin(section);
  file.append(std::span<const std::uint32_t>(&count, 1));
  file.append(std::span<const std::uint32_t>(ends));
  file.append(bytes);
}

void FacetWriter::add_document(std::span<const std::string_view> values) {
  for (const std::string_view value : values) {
    if (value.empty()) continue;
    const auto next = static_cast<std::uint32_t>(known_.size() + 1);
    const std::uint32_t code = known_.try_emplace(std::string(value), next).first->second;
    // A document that names a value twice has it once, or counts would be wrong.
    if (std::find(codes_.begin() + starts_.back(), codes_.end(), code) == codes_.end()) codes_.push_back(code);
  }
  starts_.push_back(static_cast<std::uint32_t>(codes_.size()));
}

void FacetWriter::add_name(std::string_view name) {
  if (!name.empty()) known_.try_emplace(std::string(name), static_cast<std::uint32_t>(known_.size() + 1));
}

void FacetWriter::write(SegmentFileWriter& file, const FacetSections& sections) const {
  std::vector<std::pair<std::string_view, std::uint32_t>> sorted(known_.begin(), known_.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::uint32_t> final_code(sorted.size() + 1, 0), ends;
  std::string bytes;
  for (std::uint32_t i = 0; i < sorted.size(); ++i) {
    final_code[sorted[i].second] = i + 1;
    bytes += sorted[i].first;
    ends.push_back(static_cast<std::uint32_t>(bytes.size()));
  }
  write_string_table(file, sections.names, ends, bytes);

  std::vector<std::uint32_t> written;
  written.reserve(codes_.size());
  if (sections.starts) {
    for (const std::uint32_t code : codes_) written.push_back(final_code[code]);
    file.write(*sections.starts, starts_);
  } else {
    for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
      MAGPIE_CHECK(starts_[i + 1] - starts_[i] <= 1, "single-valued facet with two values");
      written.push_back(starts_[i + 1] == starts_[i] ? 0 : final_code[codes_[starts_[i]]]);
    }
  }
  file.write(sections.codes, written);
}

void DocumentsWriter::add(const DocumentRow& row) {
  MAGPIE_CHECK(ids_.empty() || ids_.back() < row.id, "documents must come ascending by id");
  ids_.push_back(row.id);
  copy_groups_.push_back(row.copy_group);
  pixels_.push_back(row.pixels);
  fetched_at_.push_back(row.fetched_at);
  prices_.push_back(row.price);
  old_prices_.push_back(row.old_price);
  lengths_.insert(lengths_.end(), row.lengths.begin(), row.lengths.end());
  for (std::size_t facet = 0; facet < kFacetCount; ++facet) facets_[facet].add_document(row.facets[facet]);
}

void DocumentsWriter::write(SegmentFileWriter& file) const {
  file.write(Section::kDocumentIds, ids_);
  file.write(Section::kCopyGroups, copy_groups_);
  file.write(Section::kPixels, pixels_);
  file.write(Section::kFetchedAt, fetched_at_);
  file.write(Section::kPrices, prices_);
  file.write(Section::kLengths, lengths_);
  if (std::ranges::any_of(old_prices_, [](std::int64_t price) { return price != kNoPrice; })) file.write(Section::kOldPrices, old_prices_);
  for (std::size_t i = 0; i < kFacetCount; ++i) {
    if (kFacetSections[i].always || !facets_[i].empty()) facets_[i].write(file, kFacetSections[i]);
  }
}

void PostingsWriter::add(std::string_view term, std::span<const Posting> postings) {
  encoded_.clear();
  encode_postings(postings, encoded_);
  file_.append(encoded_);
  starts_.push_back(starts_.back() + encoded_.size());
  terms_ += term;
  term_ends_.push_back(static_cast<std::uint32_t>(terms_.size()));
  counts_.push_back(static_cast<std::uint32_t>(postings.size()));
}

void PostingsWriter::finish() {
  file_.append(std::string_view("\0\0\0\0\0\0\0\0", kPostingsPadding));
  write_string_table(file_, Section::kTerms, term_ends_, terms_);
  file_.write(Section::kPostingBlockStarts, starts_);
  file_.write(Section::kTermCounts, counts_);
}

namespace {

// The mean of the rows: what they have in common, so that sketches tell of their differences.
std::vector<float> centre_of(std::span<const VectorRow> rows, std::size_t row_size) {
  std::vector<double> sums(row_size, 0);
  for (const VectorRow& row : rows) {
    for (std::size_t i = 0; i < row_size; ++i) sums[i] += row.row[i];
  }
  std::vector<float> centre(row_size);
  for (std::size_t i = 0; i < row_size; ++i) centre[i] = static_cast<float>(sums[i] / static_cast<double>(rows.size()));
  return centre;
}

void write_sketches(SegmentFileWriter& file, std::span<const VectorRow> rows, std::size_t row_size) {
  const std::vector<float> centre = centre_of(rows, row_size);
  const vec::Rotation rotation(row_size);
  std::vector<vec::SketchScale> scales;
  scales.reserve(rows.size());
  std::vector<std::uint64_t> words(vec::sketch_words(row_size));
  file.write(Section::kSketchCentre, centre);
  file.begin(Section::kSketchWords);
  for (const VectorRow& row : rows) {
    scales.push_back(vec::make_sketch(std::span<const float>(row.row, row_size), centre, rotation, words));
    file.append(std::span<const std::uint64_t>(words));
  }
  file.write(Section::kSketchScales, scales);
}

void write_regions(SegmentFileWriter& file, std::span<const VectorRow> rows) {
  if (std::all_of(rows.begin(), rows.end(), [](const VectorRow& row) { return row.region == 0; })) return;
  std::vector<std::uint16_t> regions;
  regions.reserve(rows.size());
  FacetWriter classes;
  for (const VectorRow& row : rows) {
    regions.push_back(row.region);
    classes.add_document(std::span(&row.region_class, 1));
  }
  file.write(Section::kVectorRegions, regions);
  classes.write(file, {Section::kRegionClassNames, Section::kRegionClasses});
}

}  // namespace

void write_vectors(SegmentFileWriter& file, std::span<const VectorRow> rows, std::size_t dims) {
  const std::size_t row_size = vec::padded(dims);
  std::vector<ImageId> ids;
  std::vector<vec::CodeScale> scales;
  ids.reserve(rows.size());
  scales.reserve(rows.size());
  for (const VectorRow& row : rows) {
    ids.push_back(row.id);
    scales.push_back(row.scale);
  }
  file.write(Section::kVectorIds, ids);
  write_regions(file, rows);
  file.write(Section::kCodeScales, scales);
  file.begin(Section::kVectorCodes);
  for (const VectorRow& row : rows) file.append(std::span<const std::uint8_t>(row.codes, row_size));
  file.begin(Section::kVectorRows);
  for (const VectorRow& row : rows) file.append(std::span<const float>(row.row, row_size));
  if (rows.size() >= kSketchedVectorsMin) write_sketches(file, rows, row_size);
}

}  // namespace magpie::index
