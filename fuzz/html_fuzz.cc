// Charset sniffing, decoding and the HTML tree, whole and as a fragment.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/charset.h"
#include "text/html_tree.h"
#include "text/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string charset = magpie::sniff_charset(bytes, "");
  const std::string text = magpie::decode_to_utf8(bytes, charset);
  MAGPIE_CHECK(magpie::is_utf8(text), "{} was decoded to something other than UTF-8", charset);
  magpie::encode_for_url_query(text, charset);
  magpie::tokenise(text);
  if (const auto tree = magpie::HtmlTree::parse(text)) {
    tree->to_html5lib();
    if (tree->body()) tree->body().visible_text();
  }
  static constexpr std::string_view kContexts[] = {"body", "td", "select", "template", "svg path", "math mi", "textarea", "frameset"};
  if (const auto fragment = magpie::HtmlTree::parse_fragment(text, kContexts[size % std::size(kContexts)])) fragment->to_html5lib();
  return 0;
}
