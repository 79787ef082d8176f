#pragma once
// A search between the API's words and the searcher's query (docs/openapi.yaml: /api/v1/search). One query has three spellings, all of
// which are read by parse_search_request(), so that they mean the same:
//   an address     /api/v1/search?q=red+chair&like=12.3*0.5&unlike=9&colour=red
//   JSON           {"q": "red chair", "like": ["12.3*0.5"], "unlike": [9], "colour": ["red"]}
//   a command      magpie search "red chair" --like 12.3*0.5 --unlike 9 --colour red
// parameters_of() is the way back: the one spelling of all that mean the same.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "search/searcher.h"
#include "serve/asked_picture.h"
#include "serve/problem.h"

namespace magpie {

/// Names and values in order; a name may come several times.
using SearchParameters = std::vector<std::pair<std::string, std::string>>;

struct SearchRequest {
  SearchQuery query;                       // without what hits are to be like and unlike, and without scope
  std::string typed;                       // its words, phrases and exclusions, as they were typed
  std::vector<AskedPicture> like, unlike;  // make those, once they are looked up (search_answer.h)
  bool same_class = true;                  // where all of `like` are regions of one class, only such are compared
  bool wants_facets = false;
  std::string price_min, price_max, since, until;  // as they are written
};

inline constexpr std::size_t kPartsMax = 4;  // of pictures, in one search: each is decoded and understood for it

/// Problems: parameter_unknown, parameter_invalid, parameter_missing. `picture` and `region` are older spellings of a `like`; `box` is a
/// part of the only one.
Outcome<SearchRequest> parse_search_request(const SearchParameters& parameters);

/// The query alone, without what of the answer is wanted (offset, limit, facets, why, exact); what is not asked for is left out.
SearchParameters parameters_of(const SearchRequest& request);
/// "q=red%20chair&like=12": the query behind the question mark of an address.
std::string query_text(const SearchParameters& parameters);

/// `Query`: parameters_of() as JSON, and always `sort`.
void write_query_echo(JsonWriter& json, const SearchRequest& request);
/// `Facets`.
void write_facets(JsonWriter& json, const SearchAnswer& answer);

}  // namespace magpie
