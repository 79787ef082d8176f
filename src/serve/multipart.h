#pragma once
// One field out of a form as browsers send files: multipart/form-data (RFC 7578, parts as in RFC 2046 section 5.1.1).
#include <string_view>

#include "base/result.h"

namespace magpie {

/// The bytes of the first part whose name is `field`, a view into `body`. `content_type` is the request's header, with its boundary.
/// kBadInput for a form that is malformed, kNotFound without that field. One pass, no copies.
Result<std::string_view> multipart_field(std::string_view content_type, std::string_view body, std::string_view field);

}  // namespace magpie
