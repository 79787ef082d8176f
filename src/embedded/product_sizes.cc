#include "embedded/product_sizes.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "text/tokens.h"

namespace magpie {
namespace {

/// Spelt as pages do; compared folded.
constexpr std::string_view kSizeWords[] = {"size",    "sizes",    "größe",     "groesse", "grösse",   "schuhgröße", "ringgröße",
                                           "taille",  "pointure", "talla",     "tamaño",  "taglia",   "tamanho",    "maat",
                                           "rozmiar", "storlek",  "størrelse", "koko",    "velikost", "veľkosť",    "méret",
                                           "mărime",  "beden",    "μέγεθος",   "размер",  "розмір",   "サイズ",     "尺码",
                                           "尺寸",    "사이즈",   "اندازه",    "سایز",    "مقاس",     "מידה",       "kích thước"};

bool is_size_name(std::string_view name) {
  static const std::set<std::string> kNames = [] {
    std::set<std::string> folded;
    for (const std::string_view word : kSizeWords) folded.insert(fold(word));
    return folded;
  }();
  const std::string folded = fold(name);
  if (kNames.contains(folded)) return true;
  // "Shoe size", "EU-Größe", "Taille EU", "size_clothing".
  return std::ranges::any_of(tokenise(folded, 8), [](const Token& token) { return kNames.contains(token.term); });
}

bool is_sold_out(const ProductVariant& variant) { return variant.offer.availability == "OutOfStock"; }

}  // namespace

std::vector<std::string> sizes_shown(const Product& product, const std::string& image_url) {
  const auto has_picture = [&](const ProductVariant& variant) { return !variant.image.empty() && variant.image == image_url; };
  const bool by_picture = std::ranges::any_of(product.variants, has_picture);
  std::vector<std::string> sizes;
  for (const ProductVariant& variant : product.variants) {
    if (is_sold_out(variant) || (by_picture && !has_picture(variant))) continue;
    for (const VariantOption& option : variant.options) {
      if (!is_size_name(option.name) || option.value.empty()) continue;
      if (std::ranges::find(sizes, option.value) == sizes.end()) sizes.push_back(option.value);
    }
  }
  return sizes;
}

}  // namespace magpie
