#pragma once
// Page over a worker's pipe, in base/wire.h's form. The fields in the order of core/records.h. Nothing keeps these bytes, so
// there is one version only.
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/wire.h"
#include "core/records.h"

namespace magpie {

std::string encode_page(const Page& page);
/// kCorrupt for anything that encode_page did not write. Thread-safe; one pass.
Result<Page> decode_page(std::string_view bytes);

/// One selector within a message.
void write_selector(WireWriter& out, const FieldSelector& selector);
FieldSelector read_selector(WireReader& in);

}  // namespace magpie
