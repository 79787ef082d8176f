#include "index/segment.h"

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "core/vector_index.h"
#include "vec/dot.h"

namespace magpie::index {
namespace {

static_assert(sizeof(vec::CodeScale) == 8 && sizeof(ImageId) == 4, "both are written as they lie in memory");

std::optional<std::uint32_t> find_id(std::span<const ImageId> ids, ImageId id) {
  const auto found = std::lower_bound(ids.begin(), ids.end(), id);
  if (found == ids.end() || *found != id) return std::nullopt;
  return static_cast<std::uint32_t>(found - ids.begin());
}

}  // namespace

Result<StringTable> StringTable::parse(std::string_view bytes) {
  StringTable table;
  if (bytes.empty()) return table;
  std::uint32_t count = 0;
  if (bytes.size() < sizeof count) return fail(Code::kCorrupt, "string table is cut short");
  std::memcpy(&count, bytes.data(), sizeof count);
  const std::size_t head = sizeof count * (std::size_t{count} + 1);
  if (bytes.size() < head) return fail(Code::kCorrupt, "string table is cut short");
  table.ends_ = {reinterpret_cast<const std::uint32_t*>(bytes.data() + sizeof count), count};
  table.bytes_ = bytes.substr(head);
  if (!std::is_sorted(table.ends_.begin(), table.ends_.end()) || (count > 0 && table.ends_.back() != table.bytes_.size())) {
    return fail(Code::kCorrupt, "string table contradicts itself");
  }
  return table;
}

std::uint32_t StringTable::not_below(std::string_view text) const {
  std::uint32_t low = 0, high = size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if ((*this)[middle] < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

std::optional<std::uint32_t> StringTable::find(std::string_view text) const {
  const std::uint32_t place = not_below(text);
  if (place == size() || (*this)[place] != text) return std::nullopt;
  return place;
}

IdRanks::IdRanks(std::span<const ImageId> ids) {
  if (ids.empty()) return;
  first_word_ = ids.front() / 64;
  bits_.resize(ids.back() / 64 - first_word_ + 1);
  for (const ImageId id : ids) bits_[id / 64 - first_word_] |= std::uint64_t{1} << (id % 64);
  before_.reserve(bits_.size());
  std::uint32_t before = 0;
  for (const std::uint64_t word : bits_) {
    before_.push_back(before);
    before += static_cast<std::uint32_t>(std::popcount(word));
  }
}

Result<std::shared_ptr<const Segment>> Segment::open(const fs::path& path, std::uint64_t number) {
  MAGPIE_TRY(SegmentFile file, SegmentFile::open(path));
  std::shared_ptr<Segment> segment(new Segment(std::move(file), number));  // the constructor is private
  MAGPIE_TRY_DO(segment->map_documents());
  MAGPIE_TRY_DO(segment->map_terms());
  MAGPIE_TRY_DO(segment->map_vectors());
  if (segment->has_sketches()) segment->open_graph(path.parent_path() / graph_file_name(number));
  return std::shared_ptr<const Segment>(std::move(segment));
}

Result<void> Segment::map_documents() {
  const std::uint64_t count = documents();
  MAGPIE_TRY(document_ids, file_.column<ImageId>(Section::kDocumentIds, count));
  if (std::ranges::adjacent_find(document_ids, std::greater_equal<>()) != document_ids.end())
    return fail(Code::kCorrupt, "ids are not in order");
  document_ranks = IdRanks(document_ids);
  ids_are_dense = !document_ids.empty() && document_ids.back() - document_ids.front() == document_ids.size() - 1;
  MAGPIE_TRY(copy_groups, file_.column<ImageId>(Section::kCopyGroups, count));
  MAGPIE_TRY(pixels, file_.column<std::uint64_t>(Section::kPixels, count));
  MAGPIE_TRY(fetched_at, file_.column<std::int64_t>(Section::kFetchedAt, count));
  MAGPIE_TRY(prices, file_.column<std::int64_t>(Section::kPrices, count));
  MAGPIE_TRY(lengths, file_.column<std::uint8_t>(Section::kLengths, count * kFieldCount));
  if (!file_.section(Section::kOldPrices).empty()) { MAGPIE_TRY(old_prices, file_.column<std::int64_t>(Section::kOldPrices, count)); }
  for (std::size_t i = 0; i < kFacetCount; ++i) { MAGPIE_TRY(facets[i], map_facet(kFacetSections[i], count)); }
  return {};
}

Result<FacetColumn> Segment::map_facet(const FacetSections& sections, std::uint64_t rows) const {
  FacetColumn column;
  if (!sections.always && file_.section(sections.names).empty()) return column;
  MAGPIE_TRY(column.names, StringTable::parse(file_.section(sections.names)));
  std::uint64_t values = rows;
  if (sections.starts) {
    MAGPIE_TRY(column.starts, file_.column<std::uint32_t>(*sections.starts, rows + 1));
    if (!std::is_sorted(column.starts.begin(), column.starts.end())) return fail(Code::kCorrupt, "facet starts are not in order");
    values = column.starts.back();
  }
  MAGPIE_TRY(column.codes, file_.column<std::uint32_t>(sections.codes, values));
  for (const std::uint32_t code : column.codes) {
    if (code > column.names.size()) return fail(Code::kCorrupt, "a facet value has no name");
  }
  return column;
}

Result<void> Segment::map_terms() {
  MAGPIE_TRY(terms, StringTable::parse(file_.section(Section::kTerms)));
  posting_layout_ = file_.section(Section::kPostingStarts).empty() ? PostingLayout::kBlocks : PostingLayout::kVarints;
  const bool blocks = posting_layout_ == PostingLayout::kBlocks;
  const Section starts = blocks ? Section::kPostingBlockStarts : Section::kPostingStarts;
  MAGPIE_TRY(posting_starts_, file_.column<std::uint64_t>(starts, std::uint64_t{terms.size()} + 1));
  MAGPIE_TRY(term_counts_, file_.column<std::uint32_t>(Section::kTermCounts, terms.size()));
  postings_ = file_.section(blocks ? Section::kPostingBlocks : Section::kPostings);
  const std::size_t padding = blocks ? kPostingsPadding : 0;
  if (!std::is_sorted(posting_starts_.begin(), posting_starts_.end()) || posting_starts_.back() + padding != postings_.size()) {
    return fail(Code::kCorrupt, "postings contradict their starts");
  }
  return {};
}

Result<void> Segment::map_vectors() {
  const std::uint64_t count = vectors();
  if (dims() > kVectorDimsMax) return fail(Code::kCorrupt, "vectors of {} components", dims());
  row_size = vec::padded(dims());
  MAGPIE_TRY(vector_ids, file_.column<ImageId>(Section::kVectorIds, count));
  MAGPIE_TRY(rows_, file_.column<float>(Section::kVectorRows, count * row_size));
  MAGPIE_TRY(codes_, file_.column<std::uint8_t>(Section::kVectorCodes, count * row_size));
  MAGPIE_TRY(code_scales, file_.column<vec::CodeScale>(Section::kCodeScales, count));
  file_.expect_random_access(Section::kVectorRows);
  MAGPIE_TRY_DO(map_regions());
  if (file_.section(Section::kSketchCentre).empty()) return {};
  // Sketches leave few rows whose codes are looked at. Read with their neighbours, those would drive the sketches out of a small memory.
  file_.expect_random_access(Section::kVectorCodes);
  MAGPIE_TRY(sketch_centre, file_.column<float>(Section::kSketchCentre, row_size));
  MAGPIE_TRY(sketch_words_, file_.column<std::uint64_t>(Section::kSketchWords, count * vec::sketch_words(row_size)));
  MAGPIE_TRY(sketch_scales, file_.column<vec::SketchScale>(Section::kSketchScales, count));
  return {};
}

Result<void> Segment::map_regions() {
  if (file_.section(Section::kVectorRegions).empty()) return {};
  MAGPIE_TRY(vector_regions, file_.column<std::uint16_t>(Section::kVectorRegions, vectors()));
  MAGPIE_TRY(region_classes, map_facet({Section::kRegionClassNames, Section::kRegionClasses}, vectors()));
  return {};
}

void Segment::open_graph(const fs::path& path) {
  Result<GraphFile> graph = GraphFile::open(path, file_);
  if (graph) {
    graph_.emplace(std::move(*graph));
  } else if (graph.error().code != Code::kNotFound) {
    log::warn("index.graph_ignored", {{"why", graph.error().message}});
  }
}

Result<void> Segment::verify() const {
  MAGPIE_TRY_DO(file_.verify());
  return graph_ ? graph_->verify() : Result<void>();
}

vec::GraphRows Segment::graph_rows() const { return {vectors(), row_size, codes_.data(), code_scales.data(), sketch_centre}; }

std::optional<std::uint32_t> Segment::find_document(ImageId id) const { return find_id(document_ids, id); }

RowRange Segment::vectors_of(ImageId id) const {
  const auto [begin, end] = std::equal_range(vector_ids.begin(), vector_ids.end(), id);
  return {static_cast<std::uint32_t>(begin - vector_ids.begin()), static_cast<std::uint32_t>(end - vector_ids.begin())};
}

std::string_view Segment::region_class(std::uint32_t vector) const {
  if (vector_regions.empty() || region_classes.codes[vector] == 0) return {};
  return region_classes.names[region_classes.codes[vector] - 1];
}

PostingCursor Segment::postings(std::uint32_t term) const {
  const std::uint64_t begin = posting_starts_[term];
  return {postings_.substr(begin, posting_starts_[term + 1] - begin), term_counts_[term], documents(), posting_layout_};
}

}  // namespace magpie::index
