#pragma once
// UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace magpie {

/// Bytes (1..4) of the well-formed sequence at the start of `text`; 0 if there is none.
std::size_t utf8_sequence_length(std::string_view text);
bool is_utf8(std::string_view text);
/// Each malformed byte becomes U+FFFD; well-formed text comes back unchanged.
std::string to_valid_utf8(std::string_view text);
/// Appends the code point; surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);
/// The code point at `text[at]`, moving `at` behind it; U+FFFD and one byte on for a malformed one. at < text.size().
char32_t next_code_point(std::string_view text, std::size_t& at);
/// The longest prefix of at most `bytes_max` bytes that does not cut a character.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace magpie
