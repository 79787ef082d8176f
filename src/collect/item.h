#pragma once
// One picture as a source lists it.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace magpie::collect {

/// Texts are UTF-8 on one line, cut at kItemTextBytesMax.
struct Item {
  std::string picture;              // an absolute http or https address; of a folder, a file: one
  std::vector<std::string> labels;  // each once; maybe none
  std::string artist, artist_url, page, licence;
  bool operator==(const Item&) const = default;
};
inline constexpr std::size_t kItemTextBytesMax = 2'048;
inline constexpr std::size_t kItemLabelsMax = 64;

/// What a piece of a source says.
struct Items {
  std::vector<Item> items;
  std::size_t malformed = 0;  // without an address, or with one that is none
  std::string next;           // of an answer: the next cursor or address
};

/// White space squeezed to single spaces, what is not UTF-8 replaced, cut at kItemTextBytesMax.
std::string one_line(std::string_view text);

}  // namespace magpie::collect
