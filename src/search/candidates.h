#pragma once
// Which pictures answer the words and the pictures of a query, filter aside, and how well. The rules are in searcher.h.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/score_map.h"
#include "core/text_index.h"
#include "core/vector_index.h"
#include "core/words_placer.h"
#include "search/searcher.h"

namespace magpie {

/// The two views one search works on.
struct SearchView {
  std::shared_ptr<const TextSnapshot> text;
  std::shared_ptr<const VectorSnapshot> vectors;
};

struct CandidateOptions {
  bool nearest = false;                 // searcher.h: only the nearest pictures, found approximately
  RecallMonitor* monitor = nullptr;     // is told of searches by picture; may be null
  const WordsPlacer* placer = nullptr;  // knows where words lie among pictures; may be null
};

struct Candidates {
  bool browsing = false;   // neither words nor pictures: every document is one
  bool all_words = false;  // some documents have all of them
  bool any_word = false;   // none has, but some have any
  Exactness exactness = Exactness::kExact;
  VectorPlan plan = VectorPlan::kScan;
  bool cut_off = false;  // there are more pictures above the boundary than were asked for
  bool with_words = false, with_pictures = false;
  IdSet ids;                                               // meaningless while browsing
  WordMatches words;                                       // see text()
  ScoreMap similarity;                                     // cosine
  std::vector<std::pair<ImageId, std::uint16_t>> regions;  // of similar pictures by id: which region it is, where not the whole
  Embedding vector;                                        // what pictures were compared with
  float similarity_min = 0;
  bool with_looks = false;  // looks were asked, too: `fused` says how words and looks rank together, 0..1
  ScoreMap fused;
  IdSet by_looks_alone;
  IdSet left_out;  // what no hit may be, whatever found it

  /// The score of its words, 0..1; nothing where it was not found by them.
  std::optional<float> text(ImageId id) const {
    std::optional<float> score = words.scores.get(id);
    if (score) *score /= words.best;
    return score;
  }
  /// Found by looks alone, where others have all the words: those come first in every order.
  bool stands_behind(ImageId id) const { return all_words && by_looks_alone.contains(id); }

  /// `set` without what is no candidate.
  IdSet among(IdSet set) const {
    if (!browsing) set &= ids;
    set -= left_out;
    return set;
  }
  /// Which region of a similar picture is meant; 0 for the whole.
  std::uint16_t region(ImageId id) const;
  /// The score by which a candidate is ranked, 0..1.
  float score(ImageId id, float text_weight) const {
    return by_words_alone() ? words.scores[id] / words.best : fused_score(id, text_weight);
  }
  /// Whether that is the score of its words; then nothing stands behind.
  bool by_words_alone() const { return with_words && !with_pictures && !with_looks; }

 private:
  float fused_score(ImageId id, float text_weight) const;
};

/// Whether the query has a word, or a phrase with one.
bool asks_words(const SearchQuery& query);

/// `within`: only these ids are of interest; others may be left out.
Result<Candidates> find_candidates(const SearchView& view, const SearchQuery& query, const SearchSettings& settings, const IdSet& within,
                                   CandidateOptions options);

/// The kNearestHits nearest pictures of another ground, for a search by pictures alone whose candidates are the nearest (`found`; its
/// exactness becomes what holds for both).
Result<IdSet> nearest_within(const SearchView& view, const SearchQuery& query, const IdSet& ground, Candidates& found);

}  // namespace magpie
