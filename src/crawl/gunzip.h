#pragma once
// Takes gzip off a body within a limit, for files that are gzip themselves (sitemap.xml.gz), whatever the transfer did.
#include <string>
#include <string_view>

#include "base/result.h"

namespace magpie::crawl {

/// Whether the bytes begin as a gzip file does (RFC 1952).
bool is_gzip(std::string_view bytes);

struct Gunzipped {
  std::string bytes;
  bool cut = false;  // the limit was reached, or the stream broke after at least one byte
};
/// All members joined. kBadInput when nothing at all can be read. Thread-safe; memory: at most `bytes_max` plus 64 KB.
Result<Gunzipped> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace magpie::crawl
