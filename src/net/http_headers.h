#pragma once
// Header lines of HTTP/1 (RFC 9112 section 5) as name and value pairs.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace magpie {

struct HttpHeader {
  std::string name;   // as sent; compare without case
  std::string value;  // without white space around it
};
using HttpHeaders = std::vector<HttpHeader>;

/// ASCII letters compare without case.
bool same_header_name(std::string_view a, std::string_view b);
/// The first value under this name, without regard to case. The view lives as long as `headers`.
std::optional<std::string_view> find_header(const HttpHeaders& headers, std::string_view name);
/// All values under this name, a line each, for headers whose lines must not run into one another; empty when there is none.
std::string header_lines(const HttpHeaders& headers, std::string_view name);
/// The lines of a header block behind its first line; a folded line goes to the value before it, one without a colon is left out.
HttpHeaders parse_header_block(std::string_view block);
/// Whether both can stand in a message as they are: the name is a token, the value has no control characters but tabs.
bool is_sendable(const HttpHeader& header);

}  // namespace magpie
