#pragma once
// A search that a running `magpie serve` answers, here or on another machine.
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/search_request.h"

namespace magpie::cmd {

/// The answer's JSON (docs/openapi.yaml: SearchAnswer). `server` is its address, "http://127.0.0.1:8080"; `key` may be empty;
/// `pictures` are the bytes of pictures to upload first, which hits are to be like, or of which they are to be like `part`. Errors carry
/// the server's own words; kUnavailable when it does not answer.
Result<std::string> ask_server(const std::string& server, const std::string& key, SearchParameters parameters,
                               const std::vector<std::string>& pictures, const std::optional<PicturePart>& part);

}  // namespace magpie::cmd
