#pragma once
// Why a hit is one: `HitWhy` of docs/openapi.yaml. Made for the hits of one page when somebody asks, from what the catalog knows of them.
#include <string>

#include "core/catalog.h"
#include "search/searcher.h"
#include "serve/problem.h"
#include "serve/search_request.h"

namespace magpie {

/// A JSON object. Of a picture that has just left the catalog it tells the scores alone. Cost: a few catalog queries, and the analysis of
/// the picture's texts; about 1 ms.
Outcome<std::string> hit_why(const Catalog& catalog, const SearchRequest& request, const SearchAnswer& answer, const SearchHit& hit);

}  // namespace magpie
