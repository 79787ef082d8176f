#include "core/text_index.h"

namespace magpie {

std::string_view to_string(Facet facet) {
  switch (facet) {
    case Facet::kShop: return "shop";
    case Facet::kCategory: return "category";
    case Facet::kBrand: return "brand";
    case Facet::kColour: return "colour";
    case Facet::kCurrency: return "currency";
    case Facet::kClass: return "class";
    case Facet::kLanguage: return "language";
    case Facet::kSize: return "size";
    case Facet::kLabel: return "label";
    case Facet::kLicence: return "licence";
  }
  return "unknown";
}

std::vector<std::string>& Filter::values(Facet facet) {
  switch (facet) {
    case Facet::kShop: return shops;
    case Facet::kCategory: return categories;
    case Facet::kBrand: return brands;
    case Facet::kColour: return colours;
    case Facet::kClass: return classes;
    case Facet::kLanguage: return languages;
    case Facet::kSize: return sizes;
    case Facet::kLabel: return labels;
    case Facet::kLicence: return licences;
    case Facet::kCurrency: break;
  }
  return currencies;
}

const std::vector<std::string>& Filter::values(Facet facet) const { return const_cast<Filter*>(this)->values(facet); }

}  // namespace magpie
