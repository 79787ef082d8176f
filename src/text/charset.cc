#include "text/charset.h"

#include <lexbor/encoding/encoding.h>
#include <simdjson.h>

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/ascii.h"
#include "base/utf8.h"
#include "text/meta_prescan.h"

namespace magpie {
namespace {

// How far a late <meta> is looked for when the standard's first kilobyte names no charset. A browser finds it while building the tree.
constexpr std::size_t kLateMetaBytes = 64 * 1024;
constexpr std::string_view kFallback = "windows-1252";

const lxb_encoding_data_t* encoding_of(std::string_view label) {
  return lxb_encoding_data_by_pre_name(reinterpret_cast<const lxb_char_t*>(label.data()), label.size());
}

std::string lower_name(const lxb_encoding_data_t* encoding) {
  if (encoding == nullptr) return {};
  return ascii_lowered(reinterpret_cast<const char*>(encoding->name));
}

std::string charset_of_bom(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return "utf-8";
  if (bytes.starts_with("\xFE\xFF")) return "utf-16be";
  if (bytes.starts_with("\xFF\xFE")) return "utf-16le";
  return {};
}

// Eight bytes a step.
std::size_t ascii_prefix_size(std::string_view bytes) {
  std::size_t at = 0;
  for (std::uint64_t eight = 0; at + sizeof eight <= bytes.size(); at += sizeof eight) {
    std::memcpy(&eight, bytes.data() + at, sizeof eight);
    if ((eight & 0x8080'8080'8080'8080) != 0) break;
  }
  while (at < bytes.size() && static_cast<unsigned char>(bytes[at]) < 0x80) ++at;
  return at;
}

bool is_ascii(std::string_view bytes) { return ascii_prefix_size(bytes) == bytes.size(); }

// Whether ASCII bytes stand for themselves, whatever came before them.
bool keeps_ascii(const lxb_encoding_data_t* encoding) {
  switch (encoding->encoding) {
    case LXB_ENCODING_ISO_2022_JP:
    case LXB_ENCODING_REPLACEMENT:
    case LXB_ENCODING_UTF_16BE:
    case LXB_ENCODING_UTF_16LE: return false;
    default: return true;
  }
}

bool is_valid_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

void append_all(std::string& out, const lxb_encoding_decode_t& decoder) {
  for (std::size_t i = 0; i < decoder.buffer_used; ++i) append_utf8(out, decoder.buffer_out[i]);
}

std::string decode(std::string_view bytes, const lxb_encoding_data_t* encoding) {
  // lexbor's single-byte decoders lose a byte when the buffer fills, so each slice is small enough that it cannot: no encoding
  // gives more than two code points a byte.
  constexpr std::size_t kSliceBytes = 2048;
  std::array<lxb_codepoint_t, 2 * kSliceBytes + 16> buffer;
  lxb_encoding_decode_t decoder;
  lxb_encoding_decode_init(&decoder, encoding, buffer.data(), buffer.size());
  static constexpr lxb_codepoint_t kReplacement = LXB_ENCODING_REPLACEMENT_CODEPOINT;
  lxb_encoding_decode_replace_set(&decoder, &kReplacement, 1);
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  while (!bytes.empty()) {
    const std::string_view slice = bytes.substr(0, kSliceBytes);
    const auto* at = reinterpret_cast<const lxb_char_t*>(slice.data());
    encoding->decode(&decoder, &at, at + slice.size());
    append_all(out, decoder);
    lxb_encoding_decode_buf_used_set(&decoder, 0);
    bytes.remove_prefix(slice.size());
  }
  lxb_encoding_decode_finish(&decoder);
  append_all(out, decoder);
  return out;
}

std::string_view without_bom(std::string_view bytes, std::string_view charset) {
  const std::string marked = charset_of_bom(bytes);
  return !marked.empty() && marked == charset ? bytes.substr(charset == "utf-8" ? 3 : 2) : bytes;
}

const lxb_encoding_data_t* encoding_or_fallback(std::string_view charset) {
  const lxb_encoding_data_t* encoding = encoding_of(charset);
  return encoding != nullptr ? encoding : encoding_of(kFallback);
}

// Whether the bytes are their own UTF-8: most pages are, and most that name no charset are ASCII.
bool stands_as_utf8(std::string_view bytes, const lxb_encoding_data_t* encoding) {
  if (encoding->encoding == LXB_ENCODING_UTF_8) return is_valid_utf8(bytes);
  return keeps_ascii(encoding) && is_ascii(bytes);
}

}  // namespace

std::string charset_from_label(std::string_view label) { return lower_name(encoding_of(label)); }

std::string charset_from_content_type(std::string_view content_type) { return charset_from_label(charset_parameter(content_type)); }

std::string charset_from_meta(std::string_view html) {
  return prescan_for_charset(html.substr(0, kCharsetPrescanBytes), /*skip_raw_text=*/false);
}

std::string sniff_charset(std::string_view html, std::string_view content_type) {
  if (std::string name = charset_of_bom(html); !name.empty()) return name;
  if (std::string name = charset_from_content_type(content_type); !name.empty()) return name;
  if (std::string name = charset_from_meta(html); !name.empty()) return name;
  if (html.size() > kCharsetPrescanBytes) {
    if (std::string name = prescan_for_charset(html.substr(0, kLateMetaBytes), /*skip_raw_text=*/true); !name.empty()) return name;
  }
  // The standard lets a browser guess here. Text beyond ASCII that is valid UTF-8 is hardly ever anything else.
  if (!is_ascii(html) && is_valid_utf8(html)) return "utf-8";
  return std::string(kFallback);
}

Utf8Text::Utf8Text(std::string_view bytes, std::string_view charset) : text_(without_bom(bytes, charset)) {
  const lxb_encoding_data_t* encoding = encoding_or_fallback(charset);
  if (stands_as_utf8(text_, encoding)) return;
  if (encoding->encoding == LXB_ENCODING_REPLACEMENT) {
    decoded_ = text_.empty() ? "" : "\xEF\xBF\xBD";
  } else {
    // Most pages beyond ASCII begin with a long stretch of it.
    const std::size_t plain = keeps_ascii(encoding) ? ascii_prefix_size(text_) : 0;
    decoded_ = std::string(text_.substr(0, plain)) + decode(text_.substr(plain), encoding);
  }
  text_ = decoded_;
}

std::string decode_to_utf8(std::string_view bytes, std::string_view charset) { return std::string(Utf8Text(bytes, charset).text()); }

std::string encode_for_url_query(std::string_view utf8, std::string_view charset) {
  const lxb_encoding_data_t* encoding = encoding_of(charset);
  const bool as_utf8 = encoding == nullptr || encoding->encoding == LXB_ENCODING_UTF_8 || encoding->encoding == LXB_ENCODING_UTF_16LE ||
                       encoding->encoding == LXB_ENCODING_UTF_16BE || encoding->encoding == LXB_ENCODING_REPLACEMENT;
  if (as_utf8) return std::string(utf8);
  lxb_encoding_encode_t encoder;
  lxb_encoding_encode_init_single(&encoder, encoding);
  std::string out;
  std::array<lxb_char_t, 16> bytes;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t code_point = next_code_point(utf8, at);
    lxb_char_t* begin = bytes.data();
    const int8_t length = encoding->encode_single(&encoder, &begin, bytes.data() + bytes.size(), code_point);
    if (length > 0) {
      out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
    } else {
      out += fmt::format("%26%23{}%3B", static_cast<std::uint32_t>(code_point));
    }
  }
  lxb_char_t* begin = bytes.data();
  const int8_t length = lxb_encoding_encode_finish_single(&encoder, &begin, bytes.data() + bytes.size());
  if (length > 0) out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  return out;
}

}  // namespace magpie
