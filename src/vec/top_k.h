#pragma once
// Keeps the k best of a stream: highest score first, among equals the lowest id, so that the outcome does not depend on the order
// in which candidates come. A heap of k; most candidates cost one comparison.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace magpie::vec {

struct Scored {
  float score = 0;
  std::uint32_t id = 0;
  bool operator==(const Scored&) const = default;
};

/// The order of answers.
inline bool better(const Scored& a, const Scored& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; }

class TopK {
 public:
  /// k >= 1.
  explicit TopK(std::size_t k) : k_(k) {}

  void offer(Scored candidate) {
    if (heap_.size() < k_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end(), kBetter);
    } else if (better(candidate, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), kBetter);
      heap_.back() = candidate;
      std::push_heap(heap_.begin(), heap_.end(), kBetter);
    }
  }
  /// The score a candidate must reach to have a chance; minus infinity while fewer than k are kept.
  float floor() const { return heap_.size() < k_ ? -std::numeric_limits<float>::infinity() : heap_.front().score; }
  /// Best first; the object is empty afterwards.
  std::vector<Scored> take() {
    std::sort_heap(heap_.begin(), heap_.end(), kBetter);
    return std::move(heap_);
  }

 private:
  // Not the function itself: by its address it would not be put in line.
  static constexpr auto kBetter = [](const Scored& a, const Scored& b) { return better(a, b); };
  std::size_t k_;
  std::vector<Scored> heap_;  // worst kept one in front
};

}  // namespace magpie::vec
