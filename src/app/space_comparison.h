#pragma once
// Two models' vectors of the same pictures, compared before a collection changes from one to the other.
#include <cstddef>
#include <string_view>

#include "core/catalog.h"
#include "serve/model_control.h"

namespace magpie {

/// Cost: kSpacePicturesAsked × kSpacePicturesAmong dot products, and as many rows of the catalog; a second or two.
Result<SpaceComparison> compare_spaces(const Catalog& catalog, std::string_view before, std::string_view after);
inline constexpr std::size_t kSpacePicturesAsked = 200, kSpacePicturesAmong = 4'000;

}  // namespace magpie
