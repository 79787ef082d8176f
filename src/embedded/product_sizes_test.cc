#include "embedded/product_sizes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace magpie {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ProductVariant version(std::vector<VariantOption> options, std::string availability = "", std::string image = "") {
  return {.options = std::move(options), .offer = {.availability = std::move(availability)}, .image = std::move(image)};
}

TEST(ProductSizes, AreWhatThePageCallsSizeInItsLanguage) {
  for (const char* name : {"Size", "size", "Größe", "GRÖSSE", "EU-Größe", "Taille", "shoe size", "Размер", "サイズ", "مقاس"}) {
    const Product product{
        .variants = {version({{"Colour", "red"}, {name, "M"}}), version({{"Colour", "blue"}, {name, "M"}}), version({{name, "L"}})}};
    EXPECT_THAT(sizes_shown(product, ""), ElementsAre("M", "L")) << name;
  }
  EXPECT_THAT(sizes_shown({.variants = {version({{"Material", "M"}, {"Colour", "L"}})}}, ""), IsEmpty());
}

TEST(ProductSizes, LeaveOutWhatIsSoldOut) {
  const Product product{
      .variants = {version({{"Size", "S"}}, "OutOfStock"), version({{"Size", "M"}}, "InStock"), version({{"Size", "L"}})}};
  EXPECT_THAT(sizes_shown(product, ""), ElementsAre("M", "L"));
}

TEST(ProductSizes, OfAVersionsOwnPictureAreThoseOfThatVersion) {
  const Product product{.variants = {version({{"Colour", "red"}, {"Size", "S"}}, "", "http://a.test/red.jpg"),
                                     version({{"Colour", "blue"}, {"Size", "M"}}, "", "http://a.test/blue.jpg")}};
  EXPECT_THAT(sizes_shown(product, "http://a.test/blue.jpg"), ElementsAre("M"));
  EXPECT_THAT(sizes_shown(product, "http://a.test/detail.jpg"), ElementsAre("S", "M"));
}

}  // namespace
}  // namespace magpie
