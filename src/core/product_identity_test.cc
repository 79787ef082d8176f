#include "core/product_identity.h"

#include <gtest/gtest.h>

namespace magpie {
namespace {

Product product(std::string name, std::string brand = "", std::string sku = "", std::string gtin = "") {
  Product made;
  made.name = std::move(name), made.brand = std::move(brand), made.sku = std::move(sku), made.gtin = std::move(gtin);
  return made;
}

TEST(Gtin14, OneFormForAllLengths) {
  EXPECT_EQ(gtin14("4006381333931"), "04006381333931");
  EXPECT_EQ(gtin14("4006381 333931"), "04006381333931");
  EXPECT_EQ(gtin14("04006381333931"), "04006381333931");
  EXPECT_EQ(gtin14("036000291452"), "00036000291452") << "a UPC of 12 digits";
  EXPECT_EQ(gtin14("96385074"), "00000096385074");
  for (const char* wrong : {"", "4006381333932", "0000000000000", "123", "400638133393", "4006381333931x", "https://a.test"})
    EXPECT_EQ(gtin14(wrong), "") << wrong;
}

TEST(SameArticle, ByItsGtinWhateverItIsCalled) {
  const Product a = product("Stabilo Boss Original gelb", "Stabilo", "70/24", "4006381333931");
  EXPECT_EQ(same_article(a, product("Textmarker", "", "X-1", "04006381333931"), false), SameArticle::kGtin);
  EXPECT_EQ(same_article(a, product("Stabilo Boss Original gelb", "Stabilo", "70/24", "4005556050178"), true), std::nullopt);
}

TEST(SameArticle, ByItsMakersNumber) {
  const Product a = product("Noise cancelling headphones", "Sony", "WH-1000XM5");
  EXPECT_EQ(same_article(a, product("Kopfhörer schwarz", "SONY", "wh1000 xm5"), false), SameArticle::kBrandAndNumber);
  EXPECT_EQ(same_article(a, product("Kopfhörer schwarz", "Bose", "WH-1000XM5"), false), std::nullopt);
  EXPECT_EQ(same_article(product("Shirt", "Acme", "42"), product("Trousers", "Acme", "42"), false), std::nullopt) << "a size, not a number";
  EXPECT_EQ(same_article(product("Phone 12", "Acme", "PH-12345"), product("Phone 13", "Acme", "PH-12345"), false), std::nullopt)
      << "a number of the two together";
  EXPECT_EQ(same_article(product("Shirt", "", "WH-1000XM5"), product("Shirt", "", "WH-1000XM5"), false), std::nullopt) << "whose number?";
}

TEST(SameArticle, ByItsPictureAndName) {
  const Product a = product("Apple iPhone 12 64 GB blue", "Apple");
  EXPECT_EQ(same_article(a, product("iPhone 12 64 GB (blue)"), true), SameArticle::kPictureAndName);
  EXPECT_EQ(same_article(a, product("iPhone 12 blue"), true), SameArticle::kPictureAndName);
  EXPECT_EQ(same_article(a, product("iPhone 12 64 GB (blue)"), false), std::nullopt);
  EXPECT_EQ(same_article(a, product("iPhone 13 64 GB blue"), true), std::nullopt);
  EXPECT_EQ(same_article(a, product("iPhone 12 64 GB blue", "Refurbed"), true), std::nullopt);
  EXPECT_EQ(same_article(a, product("Case, transparent"), true), std::nullopt) << "shown beside it";
  EXPECT_EQ(same_article(product("Oak chair", "Acme"), product("Oak table", "Acme"), true), std::nullopt) << "one photograph of a room";
  EXPECT_EQ(same_article(product("گوشی آیفون ۱۲"), product("گوشی آیفون ۱۳"), true), std::nullopt);
  EXPECT_EQ(same_article(product("گوشی آیفون ۱۲"), product("گوشی آیفون 12"), true), SameArticle::kPictureAndName);
  EXPECT_EQ(same_article(product(""), product(""), true), std::nullopt);
}

}  // namespace
}  // namespace magpie
