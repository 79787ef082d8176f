// match_words: BM25F (Robertson & Zaragoza 2009, §3.5 "simple BM25F") over four fields. Occurrences are weighted by field and by the
// field's length against its average, summed over fields, and saturated once per word. How often a word occurs in the index is
// counted over live documents during the query itself, so scores do not depend on how segments happen to be merged.
#include <algorithm>
#include <cmath>

#include "index/analyser.h"
#include "index/snapshot.h"

namespace magpie::index {
namespace {

constexpr float kFieldWeights[kFieldCount] = {4.0F, 2.5F, 1.5F, 1.0F};
constexpr float kLengthPull = 0.5F;  // BM25's b: 0 ignores lengths, 1 divides by them
constexpr float kSaturation = 1.2F;  // BM25's k1

struct Occurrence {
  std::uint32_t ordinal = 0;
  float weight = 0;  // over all fields
};
using Occurrences = std::vector<Occurrence>;

/// For every field, what one occurrence is worth by the field's length.
class FieldWeights {
 public:
  explicit FieldWeights(const Snapshot& snapshot) {
    const auto documents = static_cast<double>(std::max<std::uint64_t>(snapshot.documents(), 1));
    for (std::size_t field = 0; field < kFieldCount; ++field) {
      double words = 0;
      for (const auto& state : snapshot.segments) words += static_cast<double>(state->words[field]);
      const double average = std::max(words / documents, 1.0);
      for (std::size_t length = 0; length < 256; ++length) {
        const double norm = 1 - kLengthPull + kLengthPull * static_cast<double>(length) / average;
        per_occurrence_[field][length] = kFieldWeights[field] / static_cast<float>(norm);
      }
    }
  }
  float of(const Posting& posting, const std::uint8_t* lengths) const {
    float sum = 0;
    for (std::size_t field = 0; field < kFieldCount; ++field) {
      const unsigned times = (posting.fields >> (2 * field)) & kFieldOccurrencesMax;
      sum += static_cast<float>(times) * per_occurrence_[field][lengths[field]];
    }
    return sum;
  }

 private:
  float per_occurrence_[kFieldCount][256];
};

/// Live documents of one segment with a word, ascending; the best of its terms counts.
Occurrences find_word(const SegmentState& state, const QueryWord& word, const FieldWeights& weights) {
  const Segment& segment = *state.segment;
  Occurrences found;
  for (const QueryTerm& term : word.terms) {
    const auto index = segment.terms.find(term.term);
    if (!index) continue;
    const auto middle = static_cast<std::ptrdiff_t>(found.size());
    PostingReader reader = segment.postings(*index);
    for (Posting posting; reader.next(posting);) {
      if (state.dead_documents.dead(posting.ordinal)) continue;
      found.push_back({posting.ordinal, term.weight * weights.of(posting, &segment.lengths[posting.ordinal * kFieldCount])});
    }
    std::inplace_merge(found.begin(), found.begin() + middle, found.end(), [](const Occurrence& a, const Occurrence& b) {
      return a.ordinal != b.ordinal ? a.ordinal < b.ordinal : a.weight > b.weight;
    });
    found.erase(std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.ordinal == b.ordinal; }), found.end());
  }
  return found;
}

/// Documents and scores of one segment; `words` holds each word's occurrences there.
void score_segment(const Segment& segment, const std::vector<const Occurrences*>& words, const std::vector<float>& rarity, WordRule rule,
                   std::vector<ScoredId>& out) {
  std::vector<float> scores(segment.documents(), 0.0F);
  std::vector<std::uint8_t> hits(segment.documents(), 0);
  for (std::size_t word = 0; word < words.size(); ++word) {
    for (const Occurrence& at : *words[word]) {
      scores[at.ordinal] += rarity[word] * at.weight * (kSaturation + 1) / (at.weight + kSaturation);
      ++hits[at.ordinal];
    }
  }
  const std::size_t needed = rule == WordRule::kAll ? words.size() : 1;
  for (std::uint32_t ordinal = 0; ordinal < segment.documents(); ++ordinal) {
    if (hits[ordinal] >= needed) out.push_back({segment.document_ids[ordinal], scores[ordinal]});
  }
}

}  // namespace

std::vector<ScoredId> match_words(const Snapshot& snapshot, const TextQuery& query) {
  const std::vector<QueryWord> words = analyse_query(query, snapshot.languages());
  std::vector<ScoredId> matches;
  if (words.empty()) return matches;

  const FieldWeights weights(snapshot);
  std::vector<std::vector<Occurrences>> found(words.size());  // by word, then segment
  std::vector<float> rarity(words.size());
  const auto documents = static_cast<double>(snapshot.documents());
  for (std::size_t word = 0; word < words.size(); ++word) {
    std::size_t with_word = 0;
    for (const auto& state : snapshot.segments) {
      found[word].push_back(find_word(*state, words[word], weights));
      with_word += found[word].back().size();
    }
    const auto frequency = static_cast<double>(with_word);
    rarity[word] = static_cast<float>(std::log(1 + (documents - frequency + 0.5) / (frequency + 0.5)));
    if (with_word == 0 && query.rule == WordRule::kAll) return matches;
  }
  for (std::size_t segment = 0; segment < snapshot.segments.size(); ++segment) {
    std::vector<const Occurrences*> here;
    for (const auto& by_segment : found) here.push_back(&by_segment[segment]);
    score_segment(*snapshot.segments[segment]->segment, here, rarity, query.rule, matches);
  }
  std::sort(matches.begin(), matches.end(), [](const ScoredId& a, const ScoredId& b) { return a.id < b.id; });
  return matches;
}

}  // namespace magpie::index
