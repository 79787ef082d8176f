#pragma once
// A pull scanner for XML as it is really found: tags, text and CDATA, without checking that they fit together. Comments, processing
// instructions and the DOCTYPE (with its internal subset) are skipped, so no entity is ever defined or expanded but XML's own five
// and numeric ones. Views are into the text given, which must outlive the scanner. One pass, no heap but for decoded text.
#include <optional>
#include <string>
#include <string_view>

namespace magpie::crawl {

struct XmlToken {
  enum class Kind { kOpen, kClose, kText, kCdata };
  Kind kind = Kind::kText;
  std::string_view prefix;      // of a tag: "image" in <image:loc>
  std::string_view name;        // of a tag, without the prefix
  std::string_view attributes;  // of an opening tag, raw
  std::string_view text;        // raw; see append_xml_text() for kText
  bool closes_itself = false;   // <x/>
  bool cut = false;             // the text ended inside this token
};

class XmlScanner {
 public:
  explicit XmlScanner(std::string_view text) : rest_(text) {}
  /// Nothing at the end.
  std::optional<XmlToken> next();

 private:
  bool skip_markup();
  XmlToken take_cdata();
  std::optional<XmlToken> take_tag();
  std::string_view rest_;
};

/// Appends text with its references decoded; a bare '&' stands for itself. False for a named entity that XML does not know.
bool append_xml_text(std::string& out, std::string_view raw);

/// The decoded value of an attribute by its whole name ("href", "xml:base"); empty when absent.
std::string xml_attribute(std::string_view attributes, std::string_view name);

}  // namespace magpie::crawl
