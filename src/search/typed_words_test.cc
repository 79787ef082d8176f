#include "search/typed_words.h"

#include <gtest/gtest.h>

namespace magpie {
namespace {

using Texts = std::vector<std::string>;

TypedWords typed(std::string_view text) {
  const auto parsed = parse_typed_words(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : TypedWords();
}

TEST(TypedWords, AreWordsPhrasesAndWhatIsLeftOut) {
  const TypedWords found = typed("  red \"oak chair\" -plastic -\"for hire\"  cheap ");
  EXPECT_EQ(found.words, "red cheap");
  EXPECT_EQ(found.phrases, Texts{"oak chair"});
  EXPECT_EQ(found.without, (Texts{"plastic", "for hire"}));
  EXPECT_TRUE(found.asks());
}

TEST(TypedWords, OnlySignsWhereAWordBeginsCount) {
  EXPECT_EQ(typed("t-shirt a - b --dash 27\" \"").words, "t-shirt a b --dash 27\"");
  EXPECT_EQ(typed("a - b").without, Texts{});
  EXPECT_EQ(typed("don't \"unclosed phrase").words, "don't \"unclosed phrase");
  EXPECT_EQ(typed("screen 27\" wide 30\"").phrases, Texts{});
  EXPECT_EQ(typed("-\"unclosed").without, Texts{"\"unclosed"});
}

TEST(TypedWords, MarksOfOtherHandsCount) {
  EXPECT_EQ(typed("\u201Cred chair\u201D").phrases, Texts{"red chair"});
  EXPECT_EQ(typed("\u201Eroter Stuhl\u201C -\u00ABchaise\u00BB").phrases, Texts{"roter Stuhl"});
  EXPECT_EQ(typed("\u201Eroter Stuhl\u201C -\u00ABchaise\u00BB").without, Texts{"chaise"});
  EXPECT_EQ(typed("\u6905\u5B50\u3000-\u8D64").without, Texts{"\u8D64"});
  EXPECT_EQ(typed("\u6905\u5B50\u3000-\u8D64").words, "\u6905\u5B50");
}

TEST(TypedWords, WhatHoldsNoWordIsNothing) {
  EXPECT_EQ(typed(""), TypedWords());
  EXPECT_EQ(typed("\"\" -\"!\" - -- -, \"\t\""), TypedWords());
  EXPECT_FALSE(typed("-plastic").asks());
}

TEST(TypedWords, StandBesideOneAnother) {
  const TypedWords found = typed("\"red chair\"\"oak\"-steel");
  EXPECT_EQ(found.phrases, (Texts{"red chair", "oak"}));
  EXPECT_EQ(found.without, Texts{"steel"});
}

TEST(TypedWords, AreBounded) {
  std::string phrases, without;
  for (std::size_t i = 0; i <= kTypedPhrasesMax; ++i) phrases += " \"a b\"", without += " -a";
  EXPECT_EQ(parse_typed_words(phrases).error().code, Code::kBadInput);
  EXPECT_EQ(parse_typed_words(without).error().code, Code::kBadInput);
  EXPECT_TRUE(parse_typed_words(phrases.substr(6) + without.substr(3)));
}

TEST(TypedWords, BytesThatAreNoTextAreHarmless) {
  EXPECT_EQ(typed("\xFF\xE2\x80 x").words, "\xFF\xE2\x80 x");
  EXPECT_EQ(typed("-\"\xE2").without, Texts{"\"\xE2"});
}

}  // namespace
}  // namespace magpie
