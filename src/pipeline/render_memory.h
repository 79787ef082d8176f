#pragma once
// Which kinds of pages a browser shows more of, learnt while a crawl runs: by host and the shape of the address, as all pages of a kind are
// made by one template.
#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "core/records.h"

namespace magpie::pipeline {

/// Not thread-safe.
class RenderMemory {
 public:
  /// Pages of a kind that are tried, and what share of them has to gain by it for more to be tried.
  static constexpr std::uint32_t kTriesMin = 3;
  static constexpr std::uint32_t kShareMin = 5;  // one in so many
  /// Kinds kept in mind; further ones are always tried.
  static constexpr std::size_t kKindsMax = 100'000;

  /// Whether another page of this kind is worth a try.
  bool is_worth(std::string_view url) const;
  void note(std::string_view url, bool helped);

 private:
  struct Kind {
    std::uint32_t tries = 0, helped = 0;
  };
  std::unordered_map<std::uint64_t, Kind> kinds_;
};

/// Whether the page as a browser showed it says more than the one the server sent: a product, a picture, links, or words where hardly any
/// were.
bool says_more(const Page& shown, const Page& plain);

}  // namespace magpie::pipeline
