#include "index/snapshot.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "index/analyser.h"
#include "index/fetch_ahead.h"

namespace magpie::index {

bool DeadRows::kill(std::uint32_t row) {
  if (dead(row)) return false;
  if (row / 64 >= bits_.size()) bits_.resize(row / 64 + 1);
  bits_[row / 64] |= std::uint64_t{1} << (row % 64);
  ++count_;
  return true;
}

std::vector<std::uint32_t> DeadRows::to_vector() const {
  std::vector<std::uint32_t> rows;
  rows.reserve(count_);
  for (std::uint32_t row = 0; row < bits_.size() * 64; ++row) {
    if (dead(row)) rows.push_back(row);
  }
  return rows;
}

SegmentState::SegmentState(std::shared_ptr<const Segment> of) : segment(std::move(of)) {
  for (std::size_t i = 0; i < segment->lengths.size(); ++i) words[i % kFieldCount] += segment->lengths[i];
}

void SegmentState::kill_document(std::uint32_t ordinal) {
  if (!dead_documents.kill(ordinal)) return;
  for (std::size_t field = 0; field < kFieldCount; ++field) words[field] -= segment->lengths[ordinal * kFieldCount + field];
}

std::uint64_t SegmentState::live_documents_with(std::uint32_t term) const {
  if (dead_documents.count() == 0) return segment->term_count(term);
  std::uint64_t live = 0;
  PostingCursor postings = segment->postings(term);
  postings.for_runs_below(std::numeric_limits<std::uint32_t>::max(), [&](std::span<const std::uint32_t> ordinals, const std::uint8_t*) {
    for (const std::uint32_t ordinal : ordinals) live += dead_documents.dead(ordinal) ? 0 : 1;
  });
  return live;
}

std::uint64_t Snapshot::documents() const {
  std::uint64_t total = 0;
  for (const auto& state : segments) total += state->live_documents();
  return total;
}

std::uint64_t Snapshot::vectors() const {
  std::uint64_t total = 0;
  for (const auto& state : segments) total += state->live_vectors();
  return total;
}

std::uint64_t Snapshot::bytes() const {
  std::uint64_t total = 0;
  for (const auto& state : segments) total += state->segment->bytes();
  return total;
}

ImageId Snapshot::id_max() const {
  ImageId most = kNoId;
  for (const auto& state : segments) {
    if (state->segment->documents() > 0) most = std::max(most, state->segment->document_ids.back());
  }
  return most;
}

const IdSet& Snapshot::live_documents() const {
  std::call_once(live_found_, [this] {
    live_ = IdSet(id_max());
    for (const auto& state : segments) {
      for (std::uint32_t i = 0; i < state->segment->documents(); ++i) {
        if (!state->dead_documents.dead(i)) live_.add(state->segment->document_ids[i]);
      }
    }
  });
  return live_;
}

const IdSet& Snapshot::copies() const {
  std::call_once(copies_found_, [this] {
    IdSet groups, shared;
    const auto each_live = [this](auto&& use) {
      for (const auto& state : segments) {
        for (std::uint32_t i = 0; i < state->segment->documents(); ++i) {
          if (!state->dead_documents.dead(i)) use(state->segment->document_ids[i], state->segment->copy_groups[i]);
        }
      }
    };
    each_live([&](ImageId, ImageId group) { (groups.contains(group) ? shared : groups).add(group); });
    if (shared.empty()) return;
    each_live([&](ImageId id, ImageId group) {
      if (shared.contains(group)) copies_.add(id);
    });
  });
  return copies_;
}

const TermShares& Snapshot::term_shares(float weight) const {
  MAGPIE_CHECK(weight == 1 || weight == kStemWeight, "terms have no weight {}", weight);
  std::call_once(shares_made_, [this] {
    std::array<double, kFieldCount> average_lengths;
    const auto all = static_cast<double>(std::max<std::uint64_t>(documents(), 1));
    for (std::size_t field = 0; field < kFieldCount; ++field) {
      double words = 0;
      for (const auto& state : segments) words += static_cast<double>(state->words[field]);
      average_lengths[field] = std::max(words / all, 1.0);
    }
    shares_ = {TermShares(average_lengths, 1), TermShares(average_lengths, kStemWeight)};
  });
  return shares_[weight == 1 ? 0 : 1];
}

std::vector<std::string> Snapshot::languages() const {
  std::set<std::string> found;
  for (const auto& state : segments) {
    const StringTable& names = state->segment->facet(Facet::kLanguage).names;
    for (std::uint32_t i = 0; i < names.size(); ++i) found.emplace(names[i]);
  }
  return {found.begin(), found.end()};
}

void visit_rows(const Snapshot& snapshot, const IdSet& ids, const std::function<void(std::span<const IndexRow>)>& take) {
  constexpr std::size_t kBatch = 1'024;
  std::vector<IndexRow> batch;
  batch.reserve(kBatch);
  struct Document {
    const Segment* segment = nullptr;
    std::uint32_t ordinal = 0;
  };
  const auto read = [&](const Document& document) {
    const Segment& segment = *document.segment;
    const std::uint32_t ordinal = document.ordinal;
    IndexRow row{.id = segment.document_ids[ordinal],
                 .copy_group = segment.copy_groups[ordinal],
                 .pixels = segment.pixels[ordinal],
                 .fetched_at_seconds = segment.fetched_at[ordinal]};
    if (segment.prices[ordinal] != kNoPrice) row.price_micros = segment.prices[ordinal];
    if (!segment.old_prices.empty() && segment.old_prices[ordinal] != kNoPrice) row.old_price_micros = segment.old_prices[ordinal];
    const FacetColumn& currencies = segment.facet(Facet::kCurrency);
    if (currencies.codes[ordinal] != 0) row.currency = currencies.names[currencies.codes[ordinal] - 1];
    batch.push_back(row);
    if (batch.size() == kBatch) {
      take(batch);
      batch.clear();
    }
  };
  FetchAhead<Document> ahead;
  snapshot.for_each_document(ids, [&](const SegmentState& state, std::uint32_t ordinal) {
    const Segment& segment = *state.segment;
    const auto fetch_of = [ordinal](const auto& column) {
      if (!column.empty()) fetch(&column[ordinal], sizeof column[ordinal]);
    };
    fetch_of(segment.copy_groups);
    fetch_of(segment.pixels);
    fetch_of(segment.fetched_at);
    fetch_of(segment.prices);
    fetch_of(segment.old_prices);
    fetch_of(segment.facet(Facet::kCurrency).codes);
    ahead.put({&segment, ordinal}, read);
  });
  ahead.finish(read);
  if (!batch.empty()) take(batch);
}

}  // namespace magpie::index
