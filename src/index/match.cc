// match_words: BM25F (Robertson & Zaragoza 2009, §3.5 "simple BM25F") over four fields. Occurrences are weighted by field and by the
// field's length against its average, summed over fields, and saturated once per word. How often a word occurs in the index is
// counted over live documents during the query itself, so scores do not depend on how segments happen to be merged.
#include <algorithm>
#include <bit>
#include <cmath>

#include "index/analyser.h"
#include "index/snapshot.h"

namespace magpie::index {
namespace {

constexpr float kFieldWeights[kFieldCount] = {4.0F, 2.5F, 1.5F, 1.0F};
constexpr float kLengthPull = 0.5F;  // BM25's b: 0 ignores lengths, 1 divides by them
constexpr float kSaturation = 1.2F;  // BM25's k1

/// That a document has one term of a word.
struct Use {
  std::uint32_t ordinal = 0;
  std::uint8_t fields = 0;
  std::uint8_t term = 0;  // of the word's
};
/// Of one word, ascending by ordinal; several of a document stand together.
using Uses = std::vector<Use>;

struct Scored {
  std::uint32_t ordinal = 0;
  float score = 0;
};

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
  float of(std::uint8_t fields, const std::uint8_t* lengths) const {
    float sum = 0;
    for (unsigned rest = fields; rest != 0;) {  // mostly one field
      const auto field = static_cast<std::size_t>(std::countr_zero(rest)) / 2;
      const unsigned times = (rest >> (2 * field)) & kFieldOccurrencesMax;
      sum += static_cast<float>(times) * per_occurrence_[field][lengths[field]];
      rest -= times << (2 * field);
    }
    return sum;
  }

 private:
  float per_occurrence_[kFieldCount][256];
};

bool by_ordinal(const Use& a, const Use& b) { return a.ordinal < b.ordinal; }

/// The word's uses in live documents of one segment.
Uses find_word(const SegmentState& state, const QueryWord& word) {
  const Segment& segment = *state.segment;
  const bool any_dead = state.dead_documents.count() > 0;
  Uses found;
  for (std::size_t term = 0; term < word.terms.size(); ++term) {
    const auto index = segment.terms.find(word.terms[term].term);
    if (!index) continue;
    Uses own;
    own.reserve(segment.term_count(*index));
    PostingReader reader = segment.postings(*index);
    for (Posting posting; reader.next(posting);) {
      if (any_dead && state.dead_documents.dead(posting.ordinal)) continue;
      own.push_back({posting.ordinal, posting.fields, static_cast<std::uint8_t>(term)});
    }
    if (found.empty()) {
      found = std::move(own);
      continue;
    }
    Uses both(found.size() + own.size());
    std::merge(found.begin(), found.end(), own.begin(), own.end(), both.begin(), by_ordinal);
    found = std::move(both);
  }
  return found;
}

std::size_t documents_of(const Uses& uses) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) count += i == 0 || uses[i].ordinal != uses[i - 1].ordinal ? 1 : 0;
  return count;
}

/// One word of the query, and what it adds to the score of a document.
class WordScores {
 public:
  WordScores(const QueryWord& word, const FieldWeights& weights, float rarity) : word_(word), weights_(weights), rarity_(rarity) {}

  /// The score of the document at uses[at]; `at` goes past it.
  float next(const Segment& segment, const Uses& uses, std::size_t& at) const {
    const std::uint32_t ordinal = uses[at].ordinal;
    const std::uint8_t* const lengths = &segment.lengths[std::size_t{ordinal} * kFieldCount];
    float weight = 0;  // the best of its terms counts
    for (; at < uses.size() && uses[at].ordinal == ordinal; ++at)
      weight = std::max(weight, word_.terms[uses[at].term].weight * weights_.of(uses[at].fields, lengths));
    return rarity_ * weight * (kSaturation + 1) / (weight + kSaturation);
  }

 private:
  const QueryWord& word_;
  const FieldWeights& weights_;
  float rarity_;
};

/// Keeps those that have the word, too.
void keep_with(const Segment& segment, const Uses& uses, const WordScores& word, std::vector<Scored>& scored) {
  std::size_t kept = 0, at = 0;
  for (const Scored& one : scored) {
    at = first_not_below(std::span<const Use>(uses), at, one.ordinal, &Use::ordinal);
    if (at == uses.size()) break;
    if (uses[at].ordinal == one.ordinal) scored[kept++] = {one.ordinal, one.score + word.next(segment, uses, at)};
  }
  scored.resize(kept);
}

/// Takes in those that have the word.
void join_with(const Segment& segment, const Uses& uses, const WordScores& word, std::vector<Scored>& scored) {
  std::vector<Scored> joined;
  joined.reserve(scored.size() + uses.size());
  std::size_t next = 0;
  for (std::size_t at = 0; at < uses.size();) {
    const std::uint32_t ordinal = uses[at].ordinal;
    for (; next < scored.size() && scored[next].ordinal < ordinal; ++next) joined.push_back(scored[next]);
    const float before = next < scored.size() && scored[next].ordinal == ordinal ? scored[next++].score : 0;
    joined.push_back({ordinal, before + word.next(segment, uses, at)});
  }
  joined.insert(joined.end(), scored.begin() + static_cast<std::ptrdiff_t>(next), scored.end());
  scored = std::move(joined);
}

/// What is known of one word of the query.
struct Found {
  std::vector<Uses> by_segment;
  std::size_t documents = 0;
  std::size_t word = 0;  // place in the query
};

}  // namespace

std::vector<ScoredId> match_words(const Snapshot& snapshot, const TextQuery& query) {
  const std::vector<QueryWord> words = analyse_query(query, snapshot.languages());
  std::vector<ScoredId> matches;
  if (words.empty()) return matches;

  std::vector<Found> found;
  for (std::size_t word = 0; word < words.size(); ++word) {
    found.push_back({.word = word});
    for (const auto& state : snapshot.segments) {
      found.back().by_segment.push_back(find_word(*state, words[word]));
      found.back().documents += documents_of(found.back().by_segment.back());
    }
    if (found.back().documents == 0 && query.rule == WordRule::kAll) return matches;
  }
  // The rarest first, as it leaves the fewest to look at. The order is that of the whole index, so that sums of floats, too, do not depend
  // on how segments happen to be merged.
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.documents < b.documents; });

  const FieldWeights weights(snapshot);
  const auto documents = static_cast<double>(snapshot.documents());
  std::vector<WordScores> scores;
  for (const Found& one : found) {
    const auto frequency = static_cast<double>(one.documents);
    scores.emplace_back(words[one.word], weights, static_cast<float>(std::log(1 + (documents - frequency + 0.5) / (frequency + 0.5))));
  }
  std::vector<Scored> scored;
  for (std::size_t i = 0; i < snapshot.segments.size(); ++i) {
    const Segment& segment = *snapshot.segments[i]->segment;
    scored.clear();
    for (std::size_t word = 0; word < found.size(); ++word) {
      if (word == 0 || query.rule == WordRule::kAny) join_with(segment, found[word].by_segment[i], scores[word], scored);
      else keep_with(segment, found[word].by_segment[i], scores[word], scored);
    }
    for (const Scored& one : scored) matches.push_back({segment.document_ids[one.ordinal], one.score});
  }
  const auto by_id = [](const ScoredId& a, const ScoredId& b) { return a.id < b.id; };
  if (!std::is_sorted(matches.begin(), matches.end(), by_id)) std::sort(matches.begin(), matches.end(), by_id);
  return matches;
}

}  // namespace magpie::index
