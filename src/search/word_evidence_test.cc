#include "search/word_evidence.h"

#include <gtest/gtest.h>

namespace magpie {
namespace {

using Fields = std::vector<TextField>;

std::vector<WordEvidence> matches(std::string words, const IndexDocument& document) {
  return word_evidence({.words = std::move(words)}, document);
}

TEST(WordEvidence, NameTheFieldsOfEachWord) {
  const IndexDocument document{
      .title = "Red chairs", .alt = "A chair, red", .keywords = "oak", .description = "Solid oak chair.", .language = "en"};
  const auto found = matches("RED chair oak missing", document);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].word, "red");
  EXPECT_EQ(found[0].fields, (Fields{TextField::kTitle, TextField::kAlt}));
  EXPECT_EQ(found[1].word, "chair");
  EXPECT_EQ(found[1].fields, (Fields{TextField::kTitle, TextField::kAlt, TextField::kDescription})) << "its plural, too";
  EXPECT_EQ(found[2].fields, (Fields{TextField::kKeywords, TextField::kDescription}));
}

TEST(WordEvidence, APhraseIsOneBehindTheOther) {
  const IndexDocument document{.title = "Red oak chair and some red chairs", .alt = "oak, red chair", .language = "en"};
  const auto found = word_evidence({.phrases = {"red chair", "oak chair", "chair red"}}, document);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(found[0].is_phrase);
  EXPECT_EQ(found[0].fields, Fields{TextField::kAlt}) << "a phrase is meant as it is";
  EXPECT_EQ(found[1].word, "oak chair");
  EXPECT_EQ(found[1].fields, Fields{TextField::kTitle});
}

TEST(WordEvidence, StemsAreThoseOfTheFieldsLanguage) {
  const IndexDocument document{.title = "Stühle", .alt = "dresses", .language = "de", .alt_language = "en"};
  EXPECT_EQ(matches("stuhl", document).size(), matches("stuhle", document).size());
  EXPECT_EQ(matches("dress", document).at(0).fields, Fields{TextField::kAlt});
}

}  // namespace
}  // namespace magpie
