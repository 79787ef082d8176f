#include "pipeline/same_pages.h"

#include "base/hash.h"

namespace magpie::pipeline {

bool SamePages::is_one_too_many(std::string_view host, std::uint64_t shape) {
  if (shape == 0) return false;
  const std::uint64_t key = signature64(host, shape);
  if (alike_.size() >= kShapesMax && !alike_.contains(key)) return false;
  return ++alike_[key] > alike_max_;
}

}  // namespace magpie::pipeline
