#pragma once
// Groups of copies in memory, as the catalog keeps them: new links join groups, reviews of a person split and merge them, and every review
// can be taken back. Holds pictures that have a copy only; about 200 bytes each.
//
// Groups are the connected parts of the graph of links, so they do not depend on the order pictures came in; but no link joins two groups
// of which a person has taken a picture of the one and a picture of the other apart. Nor does a link with a picture without colours, which
// would be a copy of each, join groups whose colours lean otherwise, nor any link those of which two pictures were found to be one thing in
// two colours: these are two products.
#include <map>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/catalog.h"
#include "core/copies.h"

namespace magpie::pipeline {

/// Not thread-safe: the recorder's, or of a command that holds the collection. What it changes it writes to the transaction it is given;
/// when that is not committed, it must be loaded anew.
class CopyGroups {
 public:
  static Result<CopyGroups> load(const Catalog& catalog);

  ImageId group_of(ImageId image) const;
  /// Pictures that are in a group without being its first.
  std::size_t copies() const { return groups_.size(); }

  /// Keeps links that were found, and joins groups by them.
  Result<void> join(CatalogTransaction& transaction, std::span<const CopyLink> links);

  /// What a person says. kBadInput where it makes no sense: fewer than two pictures to merge, pictures of several groups to keep or split,
  /// all of a group to split, or more than kPairsMax pairs to take apart. kNotFound for a picture in no group, unless it is to be merged.
  Result<CopyReview> review(CatalogTransaction& transaction, CopyAction action, std::span<const ImageId> images, Timestamp now);
  static constexpr std::size_t kPairsMax = 20'000;
  /// Puts back what a review changed. `later`: those made since (Catalog::copy_reviews_since). kBusy when it is undone already, or one of
  /// them that holds speaks of the same pairs: that one goes first.
  Result<void> undo(CatalogTransaction& transaction, const CopyReview& review, std::span<const CopyReview> later);

 private:
  std::vector<ImageId> members_of(ImageId group) const;
  void put(ImageId image, ImageId group);
  std::optional<CopyVerdict> verdict_of(ImageId one, ImageId other) const;
  bool are_apart(ImageId one, ImageId other) const;
  std::optional<Tone> tone_of_group(ImageId group) const;
  bool are_other_colours(ImageId one, ImageId other) const;
  bool may_join(ImageId image, ImageId other) const;
  /// Whether it was known.
  bool note(const CopyLink& link);
  Result<void> unite(CatalogTransaction& transaction, ImageId one, ImageId other);
  Result<void> set_verdict(CatalogTransaction& transaction, const CopyPair& pair);
  Result<void> regroup(CatalogTransaction& transaction, std::set<ImageId> images);

  std::unordered_map<ImageId, std::set<ImageId>> found_;                  // links, both ways
  std::unordered_map<ImageId, std::map<ImageId, CopyVerdict>> verdicts_;  // of pairs, both ways
  std::unordered_map<ImageId, std::set<ImageId>> other_colours_;          // likewise, of one thing in two colours
  std::unordered_map<ImageId, Tone> tones_;                               // of coloured pictures with a link by looks
  std::unordered_map<ImageId, ImageId> groups_;                           // of pictures that are not their own group
  std::unordered_map<ImageId, std::vector<ImageId>> members_;             // the other way round, without the group's first picture
};

}  // namespace magpie::pipeline
