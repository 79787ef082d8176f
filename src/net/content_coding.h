#pragma once
// Takes the codings off a body that was stored as it came over the wire (RFC 9112 section 7.1, RFC 9110 section 8.4), as web archives of
// other tools keep it. What HttpClient fetches needs none of this: its bodies are decoded already.
//   MAGPIE_TRY(std::string page, decode_stored_body(headers, stored, 10 << 20));
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http_headers.h"

namespace magpie {

/// The body without the Transfer-Encoding and then the Content-Encodings that `headers` name: chunked, gzip, deflate (with or without its
/// zlib frame), br, zstd, at most four of them. Some tools store the decoded body under the headers of the encoded one; bytes that do not
/// begin as the named coding does are therefore taken as decoded already, and so is all behind a coding of another name.
/// kTooLarge once the result passes `bytes_max`, kBadInput for a body that begins well and then breaks or ends early.
/// Thread-safe. Memory: two copies of the result at most, and 8 MB for a window.
Result<std::string> decode_stored_body(const HttpHeaders& headers, std::string_view body, std::size_t bytes_max);

}  // namespace magpie
