// Charsets: any label, header and bytes. What is found has a name that names itself, what is decoded is UTF-8, and what was UTF-8 is kept.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/charset.h"
#include "text/meta_prescan.h"

// The first line is a Content-Type or a label, the rest the page.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace magpie;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  const std::string_view header = bytes.substr(0, line), page = bytes.substr(std::min(line + 1, bytes.size()));

  const std::string sniffed = sniff_charset(page, header);
  MAGPIE_CHECK(!sniffed.empty() && charset_from_label(sniffed) == sniffed, "'{}' is no charset", sniffed);
  for (const std::string& charset : {sniffed, charset_from_label(header), std::string(header)}) {
    const std::string text = decode_to_utf8(page, charset);
    MAGPIE_CHECK(is_utf8(text), "{} was decoded to something other than UTF-8", charset);
    MAGPIE_CHECK(decode_to_utf8(text, "utf-8").size() + 3 >= text.size(), "UTF-8 shrinks by more than its mark");
    const std::string query = encode_for_url_query(text, charset);
    MAGPIE_CHECK(charset != "utf-8" || query == text, "UTF-8 is changed for a query");
  }
  for (const bool skip_raw_text : {false, true}) {
    const std::string named = prescan_for_charset(page, skip_raw_text);
    MAGPIE_CHECK(named.empty() || charset_from_label(named) == named, "'{}' is no charset", named);
  }
  return 0;
}
