#pragma once
// Addresses of pictures in a file, read piece by piece, so that a file of any size needs little memory:
//   .txt           an address a line; blank lines and those with '#' in front are passed over
//   .csv, .tsv     RFC 4180, the first line names the columns
//   .jsonl         a JSON object a line
// Columns and members are those of the description's `fields`; where it says nothing, the usual names (url, picture, image, image_url;
// label, class, category; artist, author; artist_url; page, page_url, source, source_url; licence, license).
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "collect/description.h"
#include "collect/item.h"

namespace magpie::collect {

inline constexpr std::size_t kListLineBytesMax = 1 << 20;

/// Used by one thread.
class UrlList {
 public:
  struct Piece {
    Items items;
    std::uint64_t next = 0;  // where the next piece begins
    bool end = false;
  };

  /// `description` must outlive it. kNotFound, kForbidden; kBadInput for a header without a column of addresses.
  static Result<std::unique_ptr<UrlList>> open(const Description& description);
  virtual ~UrlList() = default;
  /// What stands from byte `from` on (0, or an earlier piece's `next`), at most `items_max`. kTooLarge for a line over kListLineBytesMax,
  /// naming where it begins; kUnavailable from the disk.
  virtual Result<Piece> read(std::uint64_t from, std::size_t items_max) = 0;
};

}  // namespace magpie::collect
