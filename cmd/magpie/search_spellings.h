#pragma once
// The three spellings of a search (serve/search_request.h) where they meet: on the command line.
#include <string>

#include "base/result.h"
#include "serve/search_request.h"

namespace magpie::cmd {

/// What `--query` takes: JSON, a whole address with a query, or the query alone. kBadInput.
Result<SearchParameters> read_search(const std::string& text);

/// What `--as` gives: "url", "json" or "command". kBadInput for another spelling.
Result<std::string> spell_search(const SearchRequest& request, const std::string& spelling);

/// The server's words as an error of the command.
Error error_of(const Problem& problem);

}  // namespace magpie::cmd
