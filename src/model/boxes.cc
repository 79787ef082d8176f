#include "model/boxes.h"

#include <algorithm>

namespace magpie::model {

float overlap(const Box& a, const Box& b) {
  const Box both{std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right), std::min(a.bottom, b.bottom)};
  const float shared = both.area();
  const float all = a.area() + b.area() - shared;
  return all > 0 ? shared / all : 0;
}

std::vector<Detection> keep_best(std::vector<Detection> boxes, const KeepRule& rule) {
  std::ranges::stable_sort(boxes, std::ranges::greater(), &Detection::score);
  std::vector<Detection> kept;
  for (const Detection& box : boxes) {
    if (kept.size() == rule.kept_max) break;
    const bool covered = std::ranges::any_of(kept, [&](const Detection& better) {
      return overlap(better.box, box.box) > (better.label == box.label ? rule.overlap_max : rule.overlap_max_any);
    });
    if (!covered) kept.push_back(box);
  }
  return kept;
}

}  // namespace magpie::model
