#pragma once
// A search between the API's parameters and the searcher's query (docs/openapi.yaml: /api/v1/search).
#include <optional>
#include <string>

#include "base/json_writer.h"
#include "net/http_server.h"
#include "search/searcher.h"
#include "serve/problem.h"

namespace magpie {

struct SearchRequest {
  SearchQuery query;                         // without the embedding that picture_token stands for, and without scope
  std::optional<std::string> picture_token;  // GET only
  bool same_class = true;                    // of a search by region: only regions of its class are compared
  bool wants_facets = false;
  std::string price_min, price_max, since;  // as given, for the echo
};

/// Problems: parameter_unknown, parameter_invalid, parameter_missing. `upload`: the picture is the body, so `like` and `picture` are
/// unknown.
Outcome<SearchRequest> parse_search_request(const HttpServerRequest& request, bool upload);

/// `QueryEcho`.
void write_query_echo(JsonWriter& json, const SearchRequest& request);
/// `Facets`.
void write_facets(JsonWriter& json, const SearchAnswer& answer);

}  // namespace magpie
