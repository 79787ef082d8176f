#include "pipeline/inherited_words.h"

#include <gtest/gtest.h>

namespace magpie::pipeline {
namespace {

using Words = std::vector<std::string>;

LookAlike like(ImageId id, float likeness, Words words) { return {id, id, likeness, false, std::move(words)}; }

Words taken(const std::vector<LookAlike>& others, const Words& own = {}) {
  Words words;
  for (const InheritedWord& one : inherited_words(others, own)) words.push_back(one.word);
  return words;
}

TEST(InheritedWords, AreThoseThatTwoLookAlikesAndHalfTheirLikenessSay) {
  const std::vector<LookAlike> others = {like(1, 0.9F, {"stamp", "penny"}), like(2, 0.8F, {"stamp", "queen"}), like(3, 0.6F, {"queen"})};
  const auto words = inherited_words(others, {});
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].word, "stamp");
  EXPECT_NEAR(words[0].weight, 1.7F / 2.3F, 1e-6F);
  EXPECT_EQ(words[0].source, 1u) << "the most similar one that says it";
  EXPECT_EQ(words[1].word, "queen");
  EXPECT_EQ(words[1].source, 2u);
}

TEST(InheritedWords, OneLookAlikeAloneIsNotBelieved) {
  EXPECT_EQ(taken({like(1, 0.9F, {"stamp"})}), Words());
  EXPECT_EQ(taken({like(1, 0.9F, {"stamp"}), like(2, 0.45F, {"stamp"})}), Words()) << "the other is too unlike";
  LookAlike copy_of_the_other = like(2, 0.9F, {"stamp"});
  copy_of_the_other.group = 1;
  EXPECT_EQ(taken({like(1, 0.9F, {"stamp"}), copy_of_the_other}), Words()) << "two copies of one picture are one";
}

TEST(InheritedWords, ACopyOfThePictureItselfIsBelievedBeforeAllOthers) {
  LookAlike copy = like(1, 0.95F, {"stamp"});
  copy.is_copy = true;
  EXPECT_EQ(taken({copy, like(2, 0.9F, {"coin"}), like(3, 0.9F, {"coin"})}), Words{"stamp"});
  copy.likeness = 0.1F;  // a crop
  EXPECT_EQ(taken({like(2, 0.9F, {"coin"}), like(3, 0.9F, {"coin"}), copy}), Words{"stamp"});
  copy.words.clear();
  EXPECT_EQ(taken({like(2, 0.9F, {"coin"}), like(3, 0.9F, {"coin"}), copy}), Words{"coin"});
}

TEST(InheritedWords, OwnOnesAreLeftOutAndThereAreNotTooMany) {
  Words many;
  for (int i = 0; i < 20; ++i) many.push_back("word" + std::to_string(i));
  EXPECT_EQ(taken({like(1, 0.9F, {"stamp", "penny"}), like(2, 0.9F, {"stamp", "penny"})}, {"penny"}), Words{"stamp"});
  EXPECT_EQ(taken({like(1, 0.9F, many), like(2, 0.9F, many)}).size(), kInheritedWordsMax);
  EXPECT_EQ(taken({}), Words());
}

TEST(InheritedWords, OnlyTheNearestAreHeard) {
  std::vector<LookAlike> others;
  for (ImageId id = 1; id <= kHeardMax; ++id) others.push_back(like(id, 0.8F, {"near"}));
  for (ImageId id = 100; id < 200; ++id) others.push_back(like(id, 0.7F, {"far"}));
  others.insert(others.begin(), like(99, 0.9F, {}));  // says nothing, so takes nobody's place
  EXPECT_EQ(taken(others), Words{"near"});
}

}  // namespace
}  // namespace magpie::pipeline
