#include "index/build_segment.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace magpie::index {
namespace {

DocumentRow row_of(const AnalysedDocument& document) {
  const IndexDocument& facts = document.facts;
  DocumentRow row{.id = facts.id,
                  .copy_group = facts.copy_group,
                  .pixels = facts.pixels,
                  .fetched_at = facts.fetched_at_seconds,
                  .price = facts.price_micros.value_or(kNoPrice),
                  .old_price = facts.old_price_micros.value_or(kNoPrice),
                  .lengths = document.lengths};
  const auto values = [&](Facet facet) -> std::vector<std::string_view>& { return row.facets[static_cast<std::size_t>(facet)]; };
  values(Facet::kShop) = {facts.shop};
  values(Facet::kCategory) = {facts.category};
  values(Facet::kBrand) = {facts.brand};
  values(Facet::kColour).assign(facts.colours.begin(), facts.colours.end());
  values(Facet::kCurrency) = {facts.currency};
  values(Facet::kClass).assign(facts.classes.begin(), facts.classes.end());
  values(Facet::kLanguage) = {facts.language};
  values(Facet::kSize).assign(facts.sizes.begin(), facts.sizes.end());
  values(Facet::kLabel).assign(facts.labels.begin(), facts.labels.end());
  values(Facet::kLicence).assign(facts.licences.begin(), facts.licences.end());
  return row;
}

void write_documents(SegmentFileWriter& file, const Pending& pending) {
  DocumentsWriter documents;
  for (const auto& [id, document] : pending.documents) {
    documents.add(row_of(document));
    documents.add_language(document.facts.alt_language);
  }
  documents.write(file);
}

void write_postings(SegmentFileWriter& file, const Pending& pending) {
  std::unordered_map<std::string_view, std::vector<Posting>> by_term;
  std::uint32_t ordinal = 0;
  for (const auto& [id, document] : pending.documents) {
    for (const TermUse& use : document.terms) by_term[use.term].push_back({ordinal, use.fields, document.positions_of(use)});
    ++ordinal;
  }
  std::vector<std::string_view> terms;
  terms.reserve(by_term.size());
  for (const auto& [term, postings] : by_term) terms.push_back(term);
  std::sort(terms.begin(), terms.end());
  PostingsWriter writer(file);
  for (const std::string_view term : terms) writer.add(term, by_term.find(term)->second);
  writer.finish();
}

}  // namespace

Result<void> build_segment(const fs::path& path, const Pending& pending, std::uint32_t dims) {
  MAGPIE_TRY(SegmentFileWriter file, SegmentFileWriter::create(path));
  write_documents(file, pending);
  write_postings(file, pending);
  std::vector<VectorRow> rows;
  for (const auto& [id, vectors] : pending.vectors) {
    for (const PendingVector& one : vectors)
      rows.push_back({id, one.region, one.region_class, one.row.data(), one.codes.data(), one.scale});
  }
  write_vectors(file, rows, dims);
  return file.finish({static_cast<std::uint32_t>(pending.documents.size()), static_cast<std::uint32_t>(rows.size()), dims});
}

}  // namespace magpie::index
