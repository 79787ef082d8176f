#include "pipeline/next_index.h"

namespace magpie::pipeline {

// What comes once it is whole is new to the catalog, so that update() hears of it.
Result<bool> NextIndex::fill(std::size_t count) {
  if (whole_) return false;
  MAGPIE_TRY(const Catalog::LastImages last, catalog_.last_images());
  for (; count > 0 && done_ < last.known; --count) MAGPIE_TRY_DO(put(++done_));
  whole_ = done_ >= last.known;
  if (whole_ || waiting_ >= kCommitEvery) MAGPIE_TRY_DO(commit());
  return !whole_;
}

// One that is not in yet goes in when its turn comes.
Result<void> NextIndex::update(ImageId id) { return whole_ || id <= done_ ? put(id) : Result<void>(); }

Result<void> NextIndex::commit() {
  if (waiting_ == 0) return {};
  MAGPIE_TRY_DO(into_.text.commit());
  MAGPIE_TRY_DO(into_.vectors.commit());
  waiting_ = 0;
  return {};
}

Result<void> NextIndex::put(ImageId id) {
  ++waiting_;
  const auto is_in = index_picture(catalog_, into_, id, space_);
  return is_in ? Result<void>() : Failure(is_in.error());
}

}  // namespace magpie::pipeline
