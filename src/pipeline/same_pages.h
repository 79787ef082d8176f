#pragma once
// Soft errors that no word gives away: a host that says the same to many addresses. Learnt anew in each run, from Page::shape (text,
// title and pictures without the words of the page's own address; extract/page_class.h).
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace magpie::pipeline {

/// Not thread-safe.
class SamePages {
 public:
  /// Shapes kept in mind, 16 bytes each and what a hash table adds; further ones are not learnt.
  static constexpr std::size_t kShapesMax = 200'000;

  /// @param alike_max  pages of one host and shape that count as content.
  explicit SamePages(std::uint64_t alike_max) : alike_max_(alike_max) {}

  /// Notes a page, and says whether `alike_max` of its host were the same before it. Each address is to be noted once. A shape of 0 is
  /// like no other.
  bool is_one_too_many(std::string_view host, std::uint64_t shape);

 private:
  std::uint64_t alike_max_;
  std::unordered_map<std::uint64_t, std::uint64_t> alike_;  // by host and shape
};

}  // namespace magpie::pipeline
