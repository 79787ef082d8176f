#pragma once
// An index of vectors of another space, built beside the one that is searched while that one is written on. Pictures go in by id, some at a
// time; one that changes behind that goes in again, so that in the end it says what the catalog says.
#include <string>

#include "pipeline/index_picture.h"

namespace magpie::pipeline {

/// Used by one thread, on which the catalog is written, too: nothing changes between a picture's being read and its going in.
class NextIndex {
 public:
  static constexpr std::size_t kCommitEvery = 4'000;  // pictures; some 30 MB in memory until then

  /// `into` is empty, and must outlive it.
  NextIndex(const Catalog& catalog, PictureIndexes into, std::string space) : catalog_(catalog), into_(into), space_(std::move(space)) {}

  const std::string& space() const { return space_; }
  PictureIndexes ports() const { return into_; }
  /// Pictures that were put in, or found not to be for searching.
  ImageId done() const { return done_; }
  bool is_whole() const { return whole_; }
  /// The next `count`; false once there are none left. From then on it is whole and stays so by update(), and filling does nothing.
  Result<bool> fill(std::size_t count);
  /// The picture has changed, or is gone.
  Result<void> update(ImageId id);
  Result<void> commit();

 private:
  Result<void> put(ImageId id);

  const Catalog& catalog_;
  PictureIndexes into_;
  std::string space_;
  ImageId done_ = kNoId;
  bool whole_ = false;
  std::size_t waiting_ = 0;  // for a commit
};

}  // namespace magpie::pipeline
