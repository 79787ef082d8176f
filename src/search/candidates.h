#pragma once
// Which pictures answer the words and the pictures of a query, filter aside, and how well. The rules are in searcher.h.
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/text_index.h"
#include "core/vector_index.h"
#include "search/searcher.h"

namespace magpie {

/// The two views one search works on.
struct SearchView {
  std::shared_ptr<const TextSnapshot> text;
  std::shared_ptr<const VectorSnapshot> vectors;
};

/// A score per picture: an array by id, as ids are dense.
class ScoreMap {
 public:
  void set(ImageId id, float score) {
    if (id >= scores_.size()) scores_.resize(std::max<std::size_t>(id + std::size_t{1}, scores_.size() * 2), kNone);
    scores_[id] = score;
  }
  std::optional<float> get(ImageId id) const {
    if (id >= scores_.size() || scores_[id] == kNone) return std::nullopt;
    return scores_[id];
  }

 private:
  static constexpr float kNone = -std::numeric_limits<float>::infinity();
  std::vector<float> scores_;
};

struct CandidateOptions {
  bool nearest = false;              // searcher.h: only the nearest pictures, found approximately
  RecallMonitor* monitor = nullptr;  // is told of searches by picture; may be null
};

struct Candidates {
  bool browsing = false;  // neither words nor pictures: every document is one
  bool any_word = false;
  Exactness exactness = Exactness::kExact;
  VectorPlan plan = VectorPlan::kScan;
  bool cut_off = false;  // there are more pictures above the boundary than were asked for
  bool with_words = false, with_pictures = false;
  IdSet ids;                                           // meaningless while browsing
  ScoreMap text;                                       // 0..1
  ScoreMap similarity;                                 // cosine
  std::unordered_map<ImageId, std::uint16_t> regions;  // of similar pictures, which region it is; not those that are so as a whole
  float similarity_min = 0;

  /// `set` without what is no candidate.
  IdSet among(IdSet set) const {
    if (!browsing) set &= ids;
    return set;
  }
  /// The score by which hits are ranked, 0..1.
  float score(ImageId id, float text_weight) const;
};

/// Whether there is a word in it: anything but white space and ASCII punctuation.
bool has_words(const std::string& text);

/// `within`: only these ids are of interest; others may be left out.
Result<Candidates> find_candidates(const SearchView& view, const SearchQuery& query, const SearchSettings& settings, const IdSet& within,
                                   CandidateOptions options);

}  // namespace magpie
