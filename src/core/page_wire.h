#pragma once
// Page over a worker's pipe, in base/wire.h's form. Version 3: the fields in the order of core/records.h. Nothing keeps these bytes, so
// there is one version only.
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

std::string encode_page(const Page& page);
/// kCorrupt for anything that encode_page did not write. Thread-safe; one pass.
Result<Page> decode_page(std::string_view bytes);

}  // namespace magpie
