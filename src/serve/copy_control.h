#pragma once
// Port of this folder: what people say of groups of copies (core/copies.h). `app` implements it over the collection's one writer; tests use
// a small fake.
#include <vector>

#include "base/result.h"
#include "core/copies.h"

namespace magpie {

/// From any thread; written when a call returns. Errors as pipeline/copy_groups.h has them.
class CopyControl {
 public:
  virtual ~CopyControl() = default;
  virtual Result<CopyReview> review_copies(CopyAction action, std::vector<ImageId> images) = 0;
  virtual Result<CopyReview> undo_copy_review(std::uint64_t id) = 0;
};

}  // namespace magpie
