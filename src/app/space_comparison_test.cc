#include "app/space_comparison.h"

#include <gtest/gtest.h>

#include <random>

#include "embedded/catalog.h"

namespace magpie {
namespace {

constexpr std::size_t kPictures = 40, kDims = 8;

Embedding unit_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  Embedding vector(kDims);
  float sum = 0;
  for (float& value : vector) {
    value = normal(random);
    sum += value * value;
  }
  for (float& value : vector) value /= std::sqrt(sum);
  return vector;
}

ImageId add_picture(CatalogTransaction& transaction, std::size_t number) {
  Image image;
  image.sha256 = sha256(std::to_string(number));
  Fetch fetch;
  fetch.url = "http://a.test/" + std::to_string(number);
  fetch.kind = UrlKind::kImage;
  return transaction.record_image(fetch, image, {}, 1)->id;
}

/// Pictures with vectors in "a"; the same mirrored in "turned", of half of them in "half", others in "other".
class SpaceComparisons : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "magpie-spaces-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    catalog_ = *open_catalog(folder_ / "catalog.db");
    std::mt19937 random(3);
    const auto transaction = *catalog_->begin();
    for (std::size_t i = 0; i < kPictures; ++i) {
      const ImageId id = add_picture(*transaction, i);
      Embedding vector = unit_vector(random);
      const Embedding other = unit_vector(random);
      ASSERT_TRUE(transaction->set_embedding(id, {"a", vector}));
      std::swap(vector[0], vector[1]);
      ASSERT_TRUE(transaction->set_embedding(id, {"turned", vector}));
      ASSERT_TRUE(transaction->set_embedding(id, {"other", other}));
      if (i % 2 != 0) continue;
      ASSERT_TRUE(transaction->set_embedding(id, {"half", vector}));
    }
    ASSERT_TRUE(transaction->commit());
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }

  fs::path folder_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(SpaceComparisons, SayHowManyOfTheNearestAreTheSame) {
  const SpaceComparison turned = *compare_spaces(*catalog_, "a", "turned");
  EXPECT_EQ(turned.among, kPictures);
  EXPECT_EQ(turned.asked, kPictures);
  EXPECT_DOUBLE_EQ(turned.same, 1) << "cosines are the same";
  EXPECT_EQ(turned.with_copies, 0u);
  const double by_chance = 10.0 / (kPictures - 1);
  EXPECT_NEAR(compare_spaces(*catalog_, "a", "other")->same, by_chance, 0.1);
  EXPECT_EQ(compare_spaces(*catalog_, "a", "half")->among, kPictures / 2) << "those that have both";
  EXPECT_EQ(compare_spaces(*catalog_, "a", "none")->asked, 0u);
}

TEST_F(SpaceComparisons, SayWhetherCopiesAreStillNearest) {
  const auto transaction = *catalog_->begin();
  const Embedding of_first = **catalog_->embedding(1, "a");
  ASSERT_TRUE(transaction->set_copy_group(2, 1));
  ASSERT_TRUE(transaction->set_embedding(2, {"a", of_first}));
  Embedding opposite = **catalog_->embedding(1, "other");
  for (float& value : opposite) value = -value;
  ASSERT_TRUE(transaction->set_embedding(2, {"other", opposite}));
  ASSERT_TRUE(transaction->commit());
  const SpaceComparison found = *compare_spaces(*catalog_, "a", "other");
  EXPECT_EQ(found.with_copies, 2u);
  EXPECT_EQ(found.copies_before, 1);
  EXPECT_EQ(found.copies_after, 0);
}

// Those that came first lie apart from those that came last, and they alone have stayed where they were.
TEST_F(SpaceComparisons, AskPicturesFromTheFirstToTheLast) {
  constexpr std::size_t kMany = 2 * kSpacePicturesAsked - 1;
  const auto transaction = *catalog_->begin();
  std::mt19937 random(4);
  const auto around = [&random](float middle) {
    Embedding vector = unit_vector(random);
    vector[0] = middle;
    return vector;
  };
  for (std::size_t i = 0; i < kMany; ++i) {
    const ImageId id = add_picture(*transaction, kPictures + i);
    const bool is_early = i < kMany / 2;
    const Embedding vector = around(is_early ? 10 : -10);
    ASSERT_TRUE(transaction->set_embedding(id, {"before", vector}));
    ASSERT_TRUE(transaction->set_embedding(id, {"after", is_early ? vector : around(-10)}));
  }
  ASSERT_TRUE(transaction->commit());
  const SpaceComparison found = *compare_spaces(*catalog_, "before", "after");
  EXPECT_EQ(found.among, kMany);
  EXPECT_LE(found.asked, kSpacePicturesAsked);
  EXPECT_NEAR(found.same, 0.5, 0.1);
}

}  // namespace
}  // namespace magpie
