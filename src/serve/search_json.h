#pragma once
// A search as JSON, one object with the names that stand in addresses. A name that may come several times there has a list here.
//   {"q": "red chair", "like": [12, "13.2*0.5"], "colour": ["red", "blue"], "pixels_min": 250000, "beyond": true}
#include <string_view>

#include "base/json_writer.h"
#include "serve/problem.h"
#include "serve/search_request.h"

namespace magpie {

inline constexpr std::size_t kSearchJsonBytesMax = 256 * 1'024;
inline constexpr std::size_t kSearchJsonValuesMax = 1'000;

/// The names and values; whether they are right is parse_search_request()'s to say. `request_malformed` where a value is of another type
/// than its name's (docs/openapi.yaml: Query), and beyond the limits.
Outcome<SearchParameters> search_parameters_of_json(std::string_view json);

/// The way back, of parameters that parse_search_request() has understood, those of a name one after the other. `sort` stands there even if
/// `parameters` leaves it out, unless it is "".
void write_search_json(JsonWriter& json, const SearchParameters& parameters, std::string_view sort = "");

}  // namespace magpie
