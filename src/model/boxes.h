#pragma once
// Boxes in pictures, and which of many that overlap are kept. Pure arithmetic.
#include <cstddef>
#include <vector>

namespace magpie::model {

/// In shares 0..1 of a picture's width and height.
struct Box {
  float left = 0, top = 0, right = 0, bottom = 0;
  float area() const { return right > left && bottom > top ? (right - left) * (bottom - top) : 0; }
  bool operator==(const Box&) const = default;
};

struct Detection {
  Box box;
  float score = 0;  // 0..1
  int label = 0;    // number of the class
};

/// Intersection over union, 0..1; 0 where either is empty.
float overlap(const Box& a, const Box& b);

struct KeepRule {
  float overlap_max = 0.45F;     // of two boxes of one class that overlap more, the better stays
  float overlap_max_any = 0.8F;  // of two boxes of any class: two names for one thing
  std::size_t kept_max = 100;
};

/// Greedy non-maximum suppression: the best first, each that overlaps one that is kept is left out. Equal scores stand in the order they
/// came in, so the answer does not depend on the machine. Cost: boxes × kept.
std::vector<Detection> keep_best(std::vector<Detection> boxes, const KeepRule& rule);

}  // namespace magpie::model
