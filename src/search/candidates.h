#pragma once
// Which pictures answer the words and the pictures of a query, filter aside, and how well. The rules are in searcher.h.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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

/// A score per picture: an array by id, as ids are dense, of which only what was set is ever touched.
class ScoreMap {
 public:
  ScoreMap() = default;
  explicit ScoreMap(ImageId id_max) : known_(id_max), scores_(std::make_unique_for_overwrite<float[]>(id_max + std::size_t{1})) {}

  /// `id` is at most id_max.
  void set(ImageId id, float score) {
    known_.add(id);
    scores_[id] = score;
  }
  std::optional<float> get(ImageId id) const {
    if (!known_.contains(id)) return std::nullopt;
    return scores_[id];
  }

 private:
  IdSet known_;
  std::unique_ptr<float[]> scores_;
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
  ScoreMap text;                                           // 0..1
  ScoreMap similarity;                                     // cosine
  std::vector<std::pair<ImageId, std::uint16_t>> regions;  // of similar pictures by id: which region it is, where not the whole
  float similarity_min = 0;
  bool with_looks = false;  // looks were asked, too: `fused` says how words and looks rank together, 0..1
  ScoreMap fused;
  IdSet by_looks_alone;

  /// Found by looks alone, where others have all the words: those come first in every order.
  bool stands_behind(ImageId id) const { return all_words && by_looks_alone.contains(id); }

  /// `set` without what is no candidate.
  IdSet among(IdSet set) const {
    if (!browsing) set &= ids;
    return set;
  }
  /// Which region of a similar picture is meant; 0 for the whole.
  std::uint16_t region(ImageId id) const;
  /// The score by which hits are ranked, 0..1.
  float score(ImageId id, float text_weight) const;
};

/// Whether there is a word in it: anything but white space and ASCII punctuation.
bool has_words(const std::string& text);

/// `within`: only these ids are of interest; others may be left out.
Result<Candidates> find_candidates(const SearchView& view, const SearchQuery& query, const SearchSettings& settings, const IdSet& within,
                                   CandidateOptions options);

}  // namespace magpie
