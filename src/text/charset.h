#pragma once
// Which charset a page is in, and its text as UTF-8. Encodings, labels and the order in which they are looked for are those of the
// WHATWG Encoding and HTML standards (https://encoding.spec.whatwg.org/, https://html.spec.whatwg.org/#determining-the-character-encoding);
// the tables are lexbor's.
#include <optional>
#include <string>
#include <string_view>

namespace magpie {

/// Bytes at the start of a page in which a <meta> may name its charset.
inline constexpr std::size_t kCharsetPrescanBytes = 1024;

/// The standard's name in lower case for any of its labels: "latin1" -> "windows-1252". Empty for an unknown label.
std::string charset_from_label(std::string_view label);

/// The charset that a Content-Type header names ("text/html; charset=gbk" -> "gbk"). Empty when it names none that is known.
std::string charset_from_content_type(std::string_view content_type);

/// The charset that a <meta> within the first kCharsetPrescanBytes names ("prescan a byte stream to determine its encoding").
/// Empty when none does. UTF-16 there is read as UTF-8, as the standard says.
std::string charset_from_meta(std::string_view html);

/// What a browser would read the page in: byte order mark, then `content_type`, then <meta>, then UTF-8 when a page that says
/// nothing is valid UTF-8 beyond ASCII, else "windows-1252". Never empty. At most two passes.
std::string sniff_charset(std::string_view html, std::string_view content_type);

/// The bytes as well-formed UTF-8, without their byte order mark; malformed sequences become U+FFFD as the standard says.
/// `charset` is a name as above; an unknown one is read as windows-1252. Valid UTF-8 is checked and copied; others are decoded in one pass.
std::string decode_to_utf8(std::string_view bytes, std::string_view charset);

/// The same without the copy where the bytes are valid UTF-8 already; `bytes` must outlive it.
class Utf8Text {
 public:
  Utf8Text(std::string_view bytes, std::string_view charset);
  Utf8Text(const Utf8Text&) = delete;
  Utf8Text& operator=(const Utf8Text&) = delete;
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;  // of the bytes, or of decoded_
  std::string decoded_;
};

/// The query of a URL on a page in `charset` as bytes of that charset; a character it lacks becomes "%26%23<decimal>%3B"
/// (WHATWG URL "percent-encode after encoding"). UTF-16 and unknown names give UTF-8, as the standard says.
std::string encode_for_url_query(std::string_view utf8, std::string_view charset);

}  // namespace magpie
