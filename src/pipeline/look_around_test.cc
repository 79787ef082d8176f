#include "pipeline/look_around.h"

#include <gtest/gtest.h>

#include <cmath>

#include "pipeline/inherited_words.h"
#include "pipeline/recorder_for_test.h"

namespace magpie::pipeline {
namespace {

constexpr std::size_t kDims = 32;

/// Pictures along one axis are alike, the less the further `aside` they are; those along different ones are not.
std::vector<float> vector_along(std::size_t axis, float aside) {
  std::vector<float> vector(kDims);
  vector[axis % (kDims / 2)] = 1;
  vector[kDims / 2 + axis % (kDims / 2)] = aside;
  const float length = std::sqrt(1 + aside * aside);
  for (float& value : vector) value /= length;
  return vector;
}

/// With the stage behind its index as the program has it.
class LookAroundTest : public RecorderFixture {
 protected:
  void SetUp() override {
    RecorderFixture::SetUp();
    looking_ = *LookAround::start({*catalog_, index_->vectors(), *recorder_});
    for (std::size_t axis = 4; axis < kDims / 2; ++axis) add("other" + std::to_string(axis), axis, 0);  // what is not alike
  }
  void TearDown() override {
    looking_->stop();
    recorder_.reset();
    looking_.reset();
    RecorderFixture::TearDown();
  }
  void indexed(const std::vector<ImageId>& images) override {
    if (looking_) looking_->add(images);
  }
  ImageId add(const std::string& name, std::size_t axis, float aside, const std::string& words = "") {
    return RecorderFixture::add(name, vector_along(axis, aside), words);
  }
  /// Until all that was written is findable, looked at, and findable by that.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(recorder_->flush());
      looking_->finish({});
    }
    ASSERT_TRUE(recorder_->flush());
  }
  std::vector<std::string> inherited(ImageId id) {
    std::vector<std::string> words;
    const auto found = *catalog_->inherited_words(id);
    for (const InheritedWord& one : found) words.push_back(one.word);
    return words;
  }

  using Words = std::vector<std::string>;
  std::unique_ptr<LookAround> looking_;
};

TEST_F(LookAroundTest, APictureWithoutWordsHasThoseOfItsLookAlikesWhoeverComesFirst) {
  const ImageId first = add("mute", 1, 0);
  settle();
  EXPECT_EQ(inherited(first), Words());
  const ImageId one = add("one", 1, 0.1F, "penny stamp");
  add("two", 1, 0.2F, "stamp");
  settle();
  EXPECT_EQ(inherited(first), Words{"stamp"});
  const ImageId later = add("later", 1, 0.15F);
  settle();
  EXPECT_EQ(inherited(later), Words{"stamp"});
  EXPECT_EQ(inherited(one), Words()) << "it says it itself";
  EXPECT_FLOAT_EQ(catalog_->surroundings(add("alone", 2, 0))->value_or(Surroundings()).rarity, 1);
}

TEST_F(LookAroundTest, WordsThatNobodySaysAnyMoreAreNotInherited) {
  const ImageId mute = add("mute", 1, 0);
  add("one", 1, 0.1F, "stamp");
  add("two", 1, 0.2F, "stamp");
  settle();
  ASSERT_EQ(inherited(mute), Words{"stamp"});
  write([](CatalogTransaction& transaction) { return say(transaction, "one", "coin"); });
  write([](CatalogTransaction& transaction) { return say(transaction, "two", "coin"); });
  settle();
  EXPECT_EQ(inherited(mute), Words{"coin"});
}

// What was found by the words of before must not pass for what is found by those of now.
TEST_F(LookAroundTest, APictureThatChangedWhileItWasLookedAtIsLookedAtAgain) {
  add("one", 1, 0.1F, "stamp");
  add("two", 1, 0.2F, "stamp");
  const ImageId mute = add("mute", 1, 0);
  settle();
  ASSERT_EQ(inherited(mute), Words{"stamp"});
  const Surroundings found = **catalog_->surroundings(mute);
  const Onlooker from{mute, (*catalog_->image(mute))->copy_group, {}};
  write([&](CatalogTransaction& transaction) -> Result<void> {
    MAGPIE_TRY_DO(say(transaction, "mute", "silver spoon handle"));
    return transaction.set_surroundings(from, found);  // written behind the change, and before the index had it
  });
  settle();
  const auto known = *catalog_->surroundings(mute);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->own_words, 3u);
  EXPECT_EQ(inherited(mute), Words()) << "it has enough of its own";
}

TEST_F(LookAroundTest, ACopyIsHeardThoughManyLookMoreAlike) {
  for (std::size_t i = 0; i <= kHeardMax; ++i) add("near" + std::to_string(i), 1, 0.01F * static_cast<float>(i), "stamp");
  const ImageId copy = add("copy", 1, 0.9F, "coin"), mute = add("mute", 1, 0);
  write([&](CatalogTransaction& transaction) { return transaction.set_copy_group(mute, copy); });
  settle();
  EXPECT_EQ(inherited(mute), Words{"coin"});
}

}  // namespace
}  // namespace magpie::pipeline
