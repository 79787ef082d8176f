#pragma once
// Whether two pages sell the same article. What shops say of it differs (name, description, pictures), so only what identifies it counts:
// its GTIN (GS1 General Specifications, 7.9: the check digit), its maker's number, or one picture under one name.
#include <optional>
#include <string>
#include <string_view>

#include "core/records.h"

namespace magpie {

/// The number's 14 digits, whichever of the forms of 8, 12, 13 and 14 it has; empty for anything else and for a wrong check digit.
std::string gtin14(std::string_view gtin);

/// The number as it is compared, without what stands between its letters and digits ("WH-1000 XM5" is "wh1000xm5"); empty for one too short
/// to be a maker's, such as a size or a counter.
std::string makers_number(std::string_view sku);

/// What says that two products are one article. The strongest first.
enum class SameArticle { kGtin, kBrandAndNumber, kPictureAndName };
/// "gtin", "brand_and_number", "picture_and_name".
std::string_view to_string(SameArticle reason);

/// `share_a_picture`: a picture of the one is a copy of one of the other's. Symmetric. GTINs that differ are of two articles, and
/// without GTINs so are names with other numbers in them ("iPhone 12", "iPhone 13"). Cost: some microseconds.
std::optional<SameArticle> same_article(const Product& a, const Product& b, bool share_a_picture);

}  // namespace magpie
