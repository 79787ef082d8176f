#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extract/extract_page.h"

namespace magpie {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Product product_of(const std::string& html) {
  const auto page = extract_page(html, {.url = "https://shop.test/p/linen-shirt", .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page) << (page ? "" : page.error().message);
  return page && !page->products.empty() ? page->products.front() : Product();
}

std::string with_json_ld(const std::string& json) {
  return "<title>Linen shirt</title><h1>Linen shirt</h1><script type='application/ld+json'>" + json + "</script>";
}

// "Size=S;Colour=red|A-1|19.90 EUR|InStock"
std::string words(const ProductVariant& variant) {
  std::string out;
  for (const VariantOption& option : variant.options) out += (out.empty() ? "" : ";") + option.name + "=" + option.value;
  const Offer& offer = variant.offer;
  return out + "|" + variant.sku + "|" + offer.price + (offer.currency.empty() ? "" : " " + offer.currency) + "|" + offer.availability;
}
std::vector<std::string> words(const Product& product) {
  std::vector<std::string> out;
  for (const ProductVariant& variant : product.variants) out.push_back(words(variant));
  return out;
}

TEST(ProductVariants, OfAProductGroup) {
  const Product product = product_of(with_json_ld(R"({"@type":"ProductGroup","name":"Linen shirt","hasVariant":[
    {"@type":"Product","name":"Linen shirt S red","size":"S","color":"red","sku":"A-1","image":"/a1.jpg",
     "offers":{"@type":"Offer","price":"19.90","priceCurrency":"EUR","availability":"https://schema.org/InStock"}},
    {"@type":"Product","name":"Linen shirt M red","size":"M","color":"red","sku":"A-2","gtin13":"4006381333931",
     "offers":{"@type":"Offer","price":"21.90","priceCurrency":"EUR","availability":"https://schema.org/OutOfStock"}}]})"));
  EXPECT_EQ(product.offer.price, "19.90");
  EXPECT_THAT(words(product), ElementsAre("color=red;size=S|A-1|19.90 EUR|InStock", "color=red;size=M|A-2|21.90 EUR|OutOfStock"));
  EXPECT_EQ(product.variants[0].image, "https://shop.test/a1.jpg");
  EXPECT_EQ(product.variants[1].gtin, "4006381333931");
}

TEST(ProductVariants, OfSeveralOffers) {
  const Product product = product_of(with_json_ld(R"({"@type":"Product","name":"Linen shirt","offers":[
    {"@type":"Offer","name":"Linen shirt - Red / S","sku":"A-1","price":19.9,"priceCurrency":"EUR","availability":"InStock"},
    {"@type":"Offer","name":"Linen shirt - Red / M","sku":"A-2","price":19.9,"priceCurrency":"EUR","availability":"OutOfStock"}]})"));
  EXPECT_THAT(words(product), ElementsAre("=Red / S|A-1|19.9 EUR|InStock", "=Red / M|A-2|19.9 EUR|OutOfStock"));
}

TEST(ProductVariants, OneOfferIsNoChoice) {
  const Product product = product_of(with_json_ld(
      R"({"@type":"Product","name":"Linen shirt","offers":[{"@type":"Offer","sku":"A-1","price":19.9,"priceCurrency":"EUR"}]})"));
  EXPECT_THAT(product.variants, IsEmpty());
}

TEST(ProductVariants, OfShopifysStateInHundredths) {
  const Product product = product_of(
      with_json_ld(R"({"@type":"Product","name":"Linen shirt","offers":{"@type":"Offer","price":"19.90","priceCurrency":"EUR"}})") +
      R"(<p>19,90 €</p><script>var related=[{"title":"Wool sock","variants":[{"title":"One","sku":"W-1","price":500},{"title":"Two","sku":"W-2","price":500}]}];
      var product={"title":"Linen shirt","options":["Size","Colour"],"price":1990,"variants":[
      {"title":"S / red","option1":"S","option2":"red","option3":null,"sku":"A-1","price":1990,"compare_at_price":2990,"available":true,
       "featured_image":{"src":"//cdn.test/red.jpg"},"barcode":"4006381333931"},
      {"title":"M / red","option1":"M","option2":"red","option3":null,"sku":"A-2","price":2190,"available":false}]};</script>)");
  EXPECT_THAT(words(product), ElementsAre("Size=S;Colour=red|A-1|19.90 EUR|InStock", "Size=M;Colour=red|A-2|21.90 EUR|OutOfStock"));
  ASSERT_THAT(product.variants, SizeIs(2));
  EXPECT_EQ(product.variants[0].offer.old_price, "29.90");
  EXPECT_EQ(product.variants[0].image, "https://cdn.test/red.jpg");
  EXPECT_EQ(product.variants[0].gtin, "4006381333931");
}

TEST(ProductVariants, OptionsOfTheVariantsAreNoNames) {
  const Product product =
      product_of(with_json_ld(R"({"@type":"Product","name":"Linen shirt","offers":{"price":"19.90","priceCurrency":"EUR"}})") +
                 R"(<script>var product={"title":"Linen shirt","variants":[
      {"title":"S / red","options":["S","red"],"sku":"A-1","price":1990},{"title":"M / red","options":["M","red"],"sku":"A-2","price":1990}],
      "images":[],"options":[{"name":"Size","values":["S","M"]},{"name":"Colour","values":["red"]}]};</script>)");
  EXPECT_THAT(words(product), ElementsAre("Size=S;Colour=red|A-1|19.90 EUR|", "Size=M;Colour=red|A-2|19.90 EUR|"));
}

TEST(ProductVariants, OfWooCommercesForm) {
  const Product product = product_of(
      R"(<title>Linen shirt</title><h1>Linen shirt</h1><p class=price>19,90 €</p><img src=/a.jpg><form class=variations_form data-product_variations='[
      {"attributes":{"attribute_pa_size":"s"},"display_price":19.9,"display_regular_price":25,"is_in_stock":true,"sku":"A-1"},
      {"attributes":{"attribute_pa_size":"m"},"display_price":19.9,"display_regular_price":19.9,"is_in_stock":false,"sku":"A-2"}]'>
      <button>Add to cart</button></form>)");
  EXPECT_THAT(words(product), ElementsAre("size=s|A-1|19.9 EUR|InStock", "size=m|A-2|19.9 EUR|OutOfStock"));
  EXPECT_EQ(product.variants[0].offer.old_price, "25");
  EXPECT_EQ(product.variants[1].offer.old_price, "");
}

constexpr const char* kPlain =
    R"({"@type":"Product","name":"Linen shirt","offers":{"@type":"Offer","price":"19.90","priceCurrency":"EUR"}})";

TEST(ProductVariants, OfAVisibleSelect) {
  const Product product = product_of(with_json_ld(kPlain) + R"(<select name=quantity><option>1<option>2</select>
    <label for=g>Größe</label><select id=groesse aria-label='Größe'><option value=''>Größe wählen</option><option value=38>38</option>
    <option value=40 disabled>40 – ausverkauft</option></select>)");
  EXPECT_THAT(words(product), ElementsAre("Größe=38|||", "Größe=40 – ausverkauft|||OutOfStock"));
}

TEST(ProductVariants, OfVisibleRadioButtons) {
  const Product product =
      product_of(with_json_ld(kPlain) + R"(<input type=radio name='options[Size]' value=S><input type=radio name='options[Size]'
    value=M class='swatch sold-out'><input type=radio name=shipping value=fast><input type=radio name=shipping value=slow>)");
  EXPECT_THAT(words(product), ElementsAre("size=S|||", "size=M|||OutOfStock"));
}

TEST(ProductVariants, AChoiceIsCalledByTheLabelBeforeItAndCountsOnce) {
  const Product product =
      product_of(with_json_ld(kPlain) + R"(<div><label>Finish</label><div><select name='option[218]'><option value=''>---</option>
    <option value=1>matt</option><option value=2>gloss</option></select></div></div><select name=option-popup><option>matt<option>gloss</select>)");
  EXPECT_THAT(words(product), ElementsAre("Finish=matt|||", "Finish=gloss|||"));
}

TEST(ProductVariants, TwoVisibleChoicesSayNotWhatGoesTogether) {
  const Product product = product_of(with_json_ld(kPlain) + R"(<select name=size><option>S<option>M</select>
    <select name=color><option>red<option>blue</select>)");
  EXPECT_THAT(product.variants, IsEmpty());
}

TEST(ProductVariants, OfAnotherProductAreNotTaken) {
  const Product product = product_of(with_json_ld(kPlain) + R"(<script>var upsell={"title":"Wool sock","price":"5.00","variants":[
    {"title":"One","sku":"W-1","price":"5.00"},{"title":"Two","sku":"W-2","price":"5.00"}]}</script>)");
  EXPECT_THAT(product.variants, IsEmpty());
}

TEST(ProductVariants, AreBounded) {
  std::string list;
  for (int i = 0; i < 500; ++i) list += (i > 0 ? "," : "") + std::string("{\"size\":\"") + std::to_string(i) + "\"}";
  const Product product = product_of(
      with_json_ld(R"({"@type":"ProductGroup","name":"Linen shirt","offers":{"@type":"Offer","price":"1"},"hasVariant":[)" + list + "]}"));
  EXPECT_THAT(product.variants, SizeIs(kVariantsMax));
}

std::vector<std::string> languages_of(const std::string& html) {
  const auto page = extract_page(html, {.url = "https://shop.test/", .content_type = "text/html; charset=utf-8"});
  std::vector<std::string> languages;
  if (!page) return languages;
  for (const ImageRef& image : page->images) languages.push_back(image.language);
  return languages;
}

TEST(ImageLanguage, IsWhatTheElementsAroundDeclare) {
  EXPECT_THAT(
      languages_of("<html lang=de><body><img src=1.jpg alt=Schuh><div lang=en-GB><p><img src=2.jpg alt=shoe></p></div><section lang=de>"
                   "<img src=3.jpg alt=Hut></section>"),
      ElementsAre("", "en-GB", ""));
}

TEST(ImageLanguage, IsFoundInWordsThatArePlainlyOfAnother) {
  EXPECT_THAT(
      languages_of(
          "<html lang=de><body><p>Das ist der Text der Seite und er ist auf Deutsch, wie man an den Wörtern sieht.</p>"
          "<img src=1.jpg alt='The dancers of the old theatre stand in front of the house and wait for the rain to end'>"
          "<img src=2.jpg alt='Die Tänzer des alten Theaters stehen vor dem Haus und warten auf das Ende des Regens'>"
          "<img src=3.jpg alt='رقصندگان تئاتر قدیمی جلوی خانه ایستاده‌اند و منتظر پایان "
          "باران "
          "هستند'><img "
          "src=4.jpg "
          "alt='Air Max 90'>"),
      ElementsAre("en", "", "fa", ""));
}

}  // namespace
}  // namespace magpie
