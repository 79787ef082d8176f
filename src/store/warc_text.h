#pragma once
// Small questions about header lines, shared by the WARC writer and reader.
#include <cstddef>
#include <optional>
#include <string_view>

namespace magpie {

/// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);
/// Bytes of an HTTP (or WARC) header block up to and with its empty line, ended by CRLF or LF; `block.size()` if it has none.
std::size_t http_header_end(std::string_view block);
/// 200 of "HTTP/1.1 200 OK"; nothing for other text.
std::optional<int> http_status_of(std::string_view block);

}  // namespace magpie
