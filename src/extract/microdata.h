#pragma once
// Microdata as the HTML standard reads it (https://html.spec.whatwg.org/multipage/microdata.html): items, properties with itemref, and the
// value that each kind of element stands for.
#include <vector>

#include "extract/json_value.h"
#include "extract/page_urls.h"
#include "text/html_tree.h"

namespace magpie {

/// Top-level items in document order, in the shape of JSON-LD: {"@type": [..], name: [value or item, ..], ..}; URLs are absolute.
/// Work and memory are bounded whatever itemref says.
std::vector<JsonValue> read_microdata(const HtmlTree& tree, const PageUrls& urls);

/// RDFa Lite (https://www.w3.org/TR/rdfa-lite/) in the same shape: typeof makes an item, property a value; "schema:name" is "name", and
/// properties of other prefixes, such as Open Graph's, are left out.
std::vector<JsonValue> read_rdfa(const HtmlTree& tree, const PageUrls& urls);

/// One such item as {"type": [..], "properties": {name: [..]}}.
std::string microdata_json(const JsonValue& item);

}  // namespace magpie
