// match_words: BM25F (Robertson & Zaragoza 2009, §3.5 "simple BM25F") over four fields. Occurrences are weighted by field and by the
// field's length against its average, summed over fields, and saturated once per word. How often a word occurs is that of the most frequent
// of its forms, counted over live documents, so scores do not depend on how segments happen to be merged.
//
// A segment is gone through in windows of documents whose scores lie in the nearest cache: the rarest word that must be there opens a
// window, each other one keeps the documents that it has, too, and then what is left of them is handed over. A word passes over windows
// that hold nothing, and looks up single documents where only few are left.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "index/analyser.h"
#include "index/snapshot.h"
#include "index/typos.h"

namespace magpie::index {
namespace {

constexpr std::size_t kMendTriesMax = 4;  // words of a query
constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// One word of the query in the whole index.
struct Word {
  struct Term {
    std::uint32_t number = 0;  // in its segment
    float weight = 0;
  };
  std::vector<std::vector<Term>> by_segment;
  bool required = true;
  std::uint64_t documents = 0;  // alive, that have the most frequent of its terms
  float rarity = 0;
};

Word find_word(const Snapshot& snapshot, const QueryWord& asked) {
  Word word{.by_segment = std::vector<std::vector<Word::Term>>(snapshot.segments.size()), .required = asked.required};
  for (const QueryTerm& term : asked.terms) {
    std::uint64_t documents = 0;
    for (std::size_t i = 0; i < snapshot.segments.size(); ++i) {
      const auto number = snapshot.segments[i]->segment->terms.find(term.term);
      if (!number) continue;
      word.by_segment[i].push_back({*number, term.weight});
      documents += snapshot.segments[i]->live_documents_with(*number);
    }
    word.documents = std::max(word.documents, documents);
  }
  const double all = static_cast<double>(snapshot.documents()), with = static_cast<double>(word.documents);
  word.rarity = static_cast<float>(std::log(1 + (all - with + 0.5) / (with + 0.5)));
  return word;
}

/// Walks one word through one segment.
class WordUses {
 public:
  WordUses(const Segment& segment, const Word& word, std::span<const Word::Term> terms, const Snapshot& snapshot) : word_(&word) {
    for (const Word::Term& term : terms) {
      terms_.push_back({segment.postings(term.number), &snapshot.term_shares(term.weight)});
      postings_ += segment.term_count(term.number);
    }
  }

  const Word& word() const { return *word_; }
  /// Of all its terms, in the segment.
  std::size_t postings() const { return postings_; }
  /// The first document from here on; kNone at the end.
  std::uint32_t next() const {
    std::uint32_t first = kNone;
    for (const Term& term : terms_) {
      if (!term.cursor.at_end()) first = std::min(first, term.cursor.ordinal());
    }
    return first;
  }
  void seek(std::uint32_t ordinal) {
    for (Term& term : terms_) term.cursor.seek(ordinal);
  }
  struct Term {
    PostingCursor cursor;
    const TermShares* shares;
  };
  std::vector<Term>& terms() { return terms_; }

 private:
  const Word* word_;
  std::vector<Term> terms_;
  std::size_t postings_ = 0;
};

/// Whether words stand one after the other in a document.
class PhraseUses {
 public:
  /// `terms`: its words as terms of the segment.
  PhraseUses(const Segment& segment, std::span<const std::uint32_t> terms, Doubt in_doubt) : in_doubt_(in_doubt) {
    for (const std::uint32_t term : terms) words_.push_back(segment.postings(term));
  }
  /// Asked of ascending ordinals.
  bool has(std::uint32_t ordinal) {
    std::uint8_t together = 0xFF;
    std::vector<std::uint32_t> begins;  // where the phrase may begin, as far as it was followed
    bool known = true;
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i].seek(ordinal);
      if (words_[i].at_end() || words_[i].ordinal() != ordinal) return false;
      together &= fields_with(words_[i].fields());
      std::vector<std::uint32_t> positions = decode_positions(words_[i].positions());
      known &= !positions.empty();
      std::erase_if(positions, [&](std::uint32_t position) { return position < i; });
      for (std::uint32_t& position : positions) position -= static_cast<std::uint32_t>(i);
      if (i == 0) begins = std::move(positions);
      else std::erase_if(begins, [&](std::uint32_t begin) { return !std::ranges::binary_search(positions, begin); });
      if (known && begins.empty()) return false;
    }
    return known || (in_doubt_ == Doubt::kYes && together != 0);
  }

 private:
  static std::uint8_t fields_with(std::uint8_t fields) { return (fields | fields >> 1) & 0x55; }
  Doubt in_doubt_;
  std::vector<PostingCursor> words_;
};

/// The documents of one window, as bits, and their scores so far.
class Window {
 public:
  static constexpr std::uint32_t kDocuments = 4'096;

  explicit Window(const Segment& segment) : segment_(segment) {}

  std::uint32_t begin() const { return begin_; }
  std::uint32_t end() const { return begin_ + kDocuments; }
  /// The window that `ordinal` is in, without any document yet.
  void open(std::uint32_t ordinal) {
    begin_ = ordinal / kDocuments * kDocuments;
    bits_ = {};
    count_ = 0;
  }
  bool empty() const { return count_ == 0; }
  /// Takes in all documents that have the word.
  void join(WordUses& uses) {
    if (empty()) return begin_with(uses);
    for (WordUses::Term& term : uses.terms()) {
      term.cursor.seek(begin_);
      term.cursor.for_runs_below(end(), [&](std::span<const std::uint32_t> ordinals, const std::uint8_t* fields) {
        if (&term == &uses.terms().front()) set_run(ordinals, fields, *term.shares, 1, has_, found_);
        else raise_run(ordinals, fields, *term.shares, 1, has_, found_);
      });
    }
    const float most = most_of(uses.word());
    for (std::size_t at = 0; at < kWords; ++at) {
      const std::uint64_t known = bits_[at];
      for (std::uint64_t rest = has_[at]; rest != 0; rest &= rest - 1) {
        const std::size_t bit = low_bit(rest), i = at * 64 + bit;
        const bool was_there = (known >> bit & 1) != 0;
        scores_[i] = most * found_[i] + (was_there ? scores_[i] : 0);
        count_ += was_there ? 0 : 1;
      }
      bits_[at] |= std::exchange(has_[at], 0);
    }
  }
  /// Adds the word's scores; `only`: and keeps only the documents that have it.
  void meet(WordUses& uses, bool only) {
    // Looking up one document takes as long as passing over some.
    constexpr std::size_t kPassedMeanwhile = 8;
    const std::size_t expected = uses.postings() * kDocuments / std::max(segment_.documents(), kDocuments);
    for (WordUses::Term& term : uses.terms()) {
      if (count_ * kPassedMeanwhile < expected) look_up(term);
      else pass_over(term);
    }
    if (only) {
      for (std::size_t at = 0; at < kWords; ++at) bits_[at] &= has_[at];
    }
    const std::size_t scored = add_scores(uses.word());
    if (only) count_ = scored;
  }
  /// Keeps those of which keep(ordinal) is true.
  template <class Keep>
  void keep_if(Keep&& keep) {
    for_each([&](std::uint32_t ordinal, float) {
      const std::uint32_t i = ordinal - begin_;
      if (!keep(ordinal)) bits_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    });
  }
  /// use(ordinal, score), ascending.
  template <class Use>
  void for_each(Use&& use) const {
    for (std::size_t word = 0; word < kWords; ++word) {
      for (std::uint64_t rest = bits_[word]; rest != 0; rest &= rest - 1) {
        const std::size_t i = word * 64 + low_bit(rest);
        use(begin_ + static_cast<std::uint32_t>(i), scores_[i]);
      }
    }
  }
  /// use(ordinal, bits, scores) for 64 documents each from the ordinal on, where any is left.
  template <class Use>
  void for_each_word(Use&& use) const {
    for (std::size_t word = 0; word < kWords; ++word) {
      if (bits_[word] != 0) use(begin_ + static_cast<std::uint32_t>(word * 64), bits_[word], &scores_[word * 64]);
    }
  }
  /// The highest score.
  float best() const {
    float best = 0;
    for_each([&](std::uint32_t, float score) { best = std::max(best, score); });
    return best;
  }

 private:
  static constexpr std::size_t kWords = kDocuments / 64;
  static std::size_t low_bit(std::uint64_t word) { return static_cast<std::size_t>(std::countr_zero(word)); }

  static float most_of(const Word& word) { return word.rarity * (TermShares::kSaturation + 1); }
  void look_up(WordUses::Term& term) {
    PostingCursor& cursor = term.cursor;
    for_each([&](std::uint32_t ordinal, float) {
      cursor.seek(ordinal);
      if (!cursor.at_end() && cursor.ordinal() == ordinal) note(ordinal, cursor.fields(), *term.shares);
    });
  }
  void pass_over(WordUses::Term& term) {
    term.cursor.seek(begin_);
    term.cursor.for_runs_below(end(), [&](std::span<const std::uint32_t> ordinals, const std::uint8_t* fields) {
      for (std::size_t k = 0; k < ordinals.size(); ++k) {
        const std::uint32_t i = ordinals[k] - begin_;
        if ((bits_[i / 64] >> (i % 64) & 1) != 0) note(ordinals[k], fields[k], *term.shares);
      }
    });
  }
  /// A document has one term of the word: the best of them counts.
  void note(std::uint32_t ordinal, std::uint8_t fields, const TermShares& shares) {
    const std::uint32_t i = ordinal - begin_;
    const float share = shares.of(fields, &segment_.lengths[std::size_t{ordinal} * kFieldCount]);
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    found_[i] = (has_[i / 64] & bit) != 0 ? std::max(found_[i], share) : share;
    has_[i / 64] |= bit;
  }
  /// join() by a window without documents.
  void begin_with(WordUses& uses) {
    const float most = most_of(uses.word());
    for (WordUses::Term& term : uses.terms()) {
      const bool is_first = &term == &uses.terms().front();
      term.cursor.seek(begin_);
      term.cursor.for_runs_below(end(), [&](std::span<const std::uint32_t> ordinals, const std::uint8_t* fields) {
        if (is_first) set_run(ordinals, fields, *term.shares, most, bits_, scores_);
        else raise_run(ordinals, fields, *term.shares, most, bits_, scores_);
        count_ += ordinals.size();  // some twice: it is how many there may be
      });
    }
  }
  using Bits = std::array<std::uint64_t, kDocuments / 64>;
  using Values = std::array<float, kDocuments>;
  /// Sets bits and values, shares times `factor`, of documents whose bits are not set.
  void set_run(std::span<const std::uint32_t> ordinals, const std::uint8_t* fields, const TermShares& shares, float factor, Bits& bits,
               Values& values) const {
    std::size_t at = (ordinals.front() - begin_) / 64;
    std::uint64_t pending = 0;  // of bits[at], kept at hand: the next document is mostly in the same word
    for (std::size_t k = 0; k < ordinals.size(); ++k) {
      const std::uint32_t i = ordinals[k] - begin_;
      values[i] = factor * shares.of(fields[k], &segment_.lengths[std::size_t{ordinals[k]} * kFieldCount]);
      if (i / 64 != at) {
        bits[at] |= pending;
        at = i / 64;
        pending = 0;
      }
      pending |= std::uint64_t{1} << (i % 64);
    }
    bits[at] |= pending;
  }
  /// The same where bits may be set: the higher value counts.
  void raise_run(std::span<const std::uint32_t> ordinals, const std::uint8_t* fields, const TermShares& shares, float factor, Bits& bits,
                 Values& values) const {
    for (std::size_t k = 0; k < ordinals.size(); ++k) {
      const std::uint32_t i = ordinals[k] - begin_;
      const float value = factor * shares.of(fields[k], &segment_.lengths[std::size_t{ordinals[k]} * kFieldCount]);
      const std::uint64_t bit = std::uint64_t{1} << (i % 64);
      values[i] = (bits[i / 64] & bit) != 0 ? std::max(values[i], value) : value;
      bits[i / 64] |= bit;
    }
  }
  /// Of what was noted of documents that are here, and forgets it. Gives their number.
  std::size_t add_scores(const Word& word) {
    const float most = most_of(word);
    std::size_t count = 0;
    for (std::size_t at = 0; at < kWords; ++at) {
      for (std::uint64_t rest = has_[at] & bits_[at]; rest != 0; rest &= rest - 1, ++count) {
        const std::size_t i = at * 64 + low_bit(rest);
        scores_[i] += most * found_[i];
      }
      has_[at] = 0;
    }
    return count;
  }

  const Segment& segment_;
  std::uint32_t begin_ = 0;
  std::size_t count_ = 0;  // documents taken in, but for keep_if(), at most; 0 for none
  Bits bits_{}, has_{};    // documents of the window; those that have the word just looked at
  Values scores_, found_;
};

/// Goes through one segment.
class SegmentMatcher {
 public:
  SegmentMatcher(const SegmentState& state, std::size_t number, const std::vector<Word>& words,
                 std::span<const std::vector<std::string>> phrases, Doubt in_doubt, const Snapshot& snapshot)
      : state_(state), window_(*state.segment) {
    for (const Word& word : words) {
      possible_ &= !word.required || !word.by_segment[number].empty();
      required_ += word.required ? 1 : 0;
      if (!word.by_segment[number].empty()) uses_.emplace_back(*state.segment, word, word.by_segment[number], snapshot);
    }
    for (const auto& phrase : phrases) add_phrase(phrase, in_doubt);
  }
  void run(WordMatches& matches) {
    if (!possible_ || uses_.empty()) return;
    const Segment& segment = *state_.segment;
    ScoreMap::Filler scores(matches.scores);
    for (std::uint32_t at = first(); at != kNone; at = first()) {
      window_.open(at);
      fill();
      if (state_.dead_documents.count() > 0) window_.keep_if([&](std::uint32_t ordinal) { return !state_.dead_documents.dead(ordinal); });
      for (PhraseUses& phrase : phrases_) window_.keep_if([&](std::uint32_t ordinal) { return phrase.has(ordinal); });
      if (segment.ids_are_dense) {
        window_.for_each_word([&](std::uint32_t ordinal, std::uint64_t bits, const float* of) {
          matches.scores.set_word(segment.document_ids.front() + ordinal, bits, of);
        });
      } else {
        window_.for_each([&](std::uint32_t ordinal, float score) { scores.set(segment.document_ids[ordinal], score); });
      }
      matches.best = std::max(matches.best, window_.best());
    }
  }

 private:
  void add_phrase(const std::vector<std::string>& phrase, Doubt in_doubt) {
    std::vector<std::uint32_t> terms;
    for (const std::string& word : phrase) {
      if (const auto term = state_.segment->terms.find(word)) terms.push_back(*term);
    }
    possible_ &= terms.size() == phrase.size();
    if (possible_) phrases_.emplace_back(*state_.segment, terms, in_doubt);
  }
  /// The first document from here on that can be one; kNone at the end.
  std::uint32_t first() const {
    std::uint32_t most = 0, least = kNone;
    for (const WordUses& uses : uses_) {
      if (uses.word().required) most = std::max(most, uses.next());
      least = std::min(least, uses.next());
    }
    return required_ > 0 ? most : least;
  }
  void fill() {
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      if (i == 0 || required_ == 0) window_.join(uses_[i]);
      else window_.meet(uses_[i], uses_[i].word().required);
      if (required_ > 0 && window_.empty()) return;
    }
  }

  const SegmentState& state_;
  Window window_;
  std::vector<WordUses> uses_;  // those that must be there first, then the rarest
  std::vector<PhraseUses> phrases_;
  std::size_t required_ = 0;
  bool possible_ = true;
};

/// Puts what was probably meant in the place of words that no document has; what is quoted is meant as it is.
void mend(const Snapshot& snapshot, const TextQuery& query, const AnalysedQuery& analysed, std::vector<Word>& words,
          std::vector<std::pair<std::string, std::string>>& mended) {
  std::size_t tries = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].documents > 0 || analysed.words[i].quoted || ++tries > kMendTriesMax) continue;
    const std::string& typed = analysed.words[i].terms.front().term;
    auto meant = meant_by(snapshot, typed);
    if (!meant) continue;
    const bool required = words[i].required;
    words[i] = find_word(snapshot, analyse_word(*meant, query.language, snapshot.languages()));
    words[i].required = required;
    // Said twice, once as it should be: it counts once, as any word does.
    if (std::ranges::any_of(analysed.words, [&](const QueryWord& other) { return other.terms.front().term == *meant; }))
      words[i].rarity = 0;
    mended.emplace_back(typed, std::move(*meant));
  }
}

}  // namespace

WordMatches match_words(const Snapshot& snapshot, const TextQuery& query, Doubt in_doubt) {
  const AnalysedQuery analysed = analyse_query(query, snapshot.languages());
  WordMatches matches;
  std::vector<Word> words;
  for (const QueryWord& word : analysed.words) words.push_back(find_word(snapshot, word));
  const auto is_known = [](const Word& word) { return word.documents > 0; };
  if (query.typos == Typos::kMend || (query.typos == Typos::kMendBesideKnown && std::ranges::any_of(words, is_known))) {
    mend(snapshot, query, analysed, words, matches.meant);
  }
  if (!std::ranges::all_of(words, [&](const Word& word) { return is_known(word) || !word.required; })) return {};
  if (words.empty()) return {};
  // The order is that of the whole index, so that sums of floats, too, do not depend on how segments happen to be merged.
  std::ranges::stable_sort(words, {}, [](const Word& word) { return std::pair(!word.required, word.documents); });

  matches.scores = ScoreMap(snapshot.id_max());
  for (std::size_t i = 0; i < snapshot.segments.size(); ++i) {
    SegmentMatcher(*snapshot.segments[i], i, words, analysed.phrases, in_doubt, snapshot).run(matches);
  }
  return matches;
}

}  // namespace magpie::index
