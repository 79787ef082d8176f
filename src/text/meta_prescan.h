#pragma once
// "Prescan a byte stream to determine its encoding" of the HTML standard: a scan for <meta> before there is a tree.
// https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding
#include <string>
#include <string_view>

namespace magpie {

/// The charset named by the first <meta> in `bytes` that names a known one, as in charset_from_label(), or empty. UTF-16 gives "utf-8".
/// `skip_raw_text` steps over the content of script, style, title and textarea, which the standard's scan of one kilobyte does not.
/// One pass; thread-safe.
std::string prescan_for_charset(std::string_view bytes, bool skip_raw_text);

/// The standard's "extracting a character encoding from a meta element": the value behind "charset=" in a content attribute or a
/// Content-Type header, as written; empty when there is none.
std::string_view charset_parameter(std::string_view text);

}  // namespace magpie
