#include "pipeline/copy_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/files.h"
#include "embedded/catalog.h"

namespace magpie::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CopyGroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (fs::temp_directory_path() / "magpie-copies-XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
    catalog_ = *open_catalog(folder_ / "catalog.db");
    groups_ = *CopyGroups::load(*catalog_);
  }

  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }

  template <class Write>
  auto write(Write&& write) {
    auto transaction = *catalog_->begin();
    auto done = write(*transaction);
    if (done) { EXPECT_TRUE(transaction->commit()); }
    return done;
  }
  ImageId add() {
    Image image;
    image.sha256 = sha256(fmt::format("picture {}", ++made_));
    Fetch fetch{.url = fmt::format("http://a.test/{}.jpg", made_), .kind = UrlKind::kImage, .status = 200};
    return write([&](CatalogTransaction& t) { return t.record_image(fetch, image, {}, 1); })->id;
  }
  void add_some(int count) {
    for (int i = 0; i < count; ++i) add();
  }
  void join(ImageId image, ImageId other) {
    const CopyLink link{.image = image, .other = other, .cause = CopyCause::kHashes, .words = "alike"};
    ASSERT_TRUE(write([&](CatalogTransaction& t) { return groups_.join(t, std::span(&link, 1)); }));
  }
  /// By looks, with the tone of each.
  void join(ImageId image, std::optional<Tone> tone, ImageId other, std::optional<Tone> other_tone) {
    const CopyLink link{image, other, CopyCause::kLooks, "alike", tone, other_tone};
    ASSERT_TRUE(write([&](CatalogTransaction& t) { return groups_.join(t, std::span(&link, 1)); }));
  }
  Result<CopyReview> review(CopyAction action, std::vector<ImageId> images) {
    return write([&](CatalogTransaction& t) { return groups_.review(t, action, images, Timestamp{}); });
  }
  Result<void> undo(std::uint64_t id) {
    const CopyReview review = **catalog_->copy_review(id);
    return write([&](CatalogTransaction& t) { return groups_.undo(t, review, *catalog_->copy_reviews_since(id)); });
  }
  /// Groups of two and more as the catalog has them, which must be what is in memory, and what is loaded anew.
  std::vector<std::vector<ImageId>> groups() {
    const CopyGroups again = *CopyGroups::load(*catalog_);
    std::vector<std::vector<ImageId>> found;
    const std::vector<CopyGroup> kept_groups = *catalog_->copy_groups(0, false, 1'000);
    for (const CopyGroup& group : kept_groups) {
      found.push_back(group.images);
      EXPECT_EQ(group.id, group.images.front());
    }
    for (ImageId image = 1; image <= static_cast<ImageId>(made_); ++image) {
      const ImageId kept = catalog_->image(image)->value().copy_group;
      EXPECT_EQ(groups_.group_of(image), kept) << image;
      EXPECT_EQ(again.group_of(image), kept) << image;
    }
    return found;
  }

  fs::path folder_;
  std::unique_ptr<Catalog> catalog_;
  CopyGroups groups_;
  int made_ = 0;
};

TEST_F(CopyGroupsTest, LinksJoinGroupsUnderTheSmallestId) {
  add_some(5);
  join(3, 2);
  join(5, 4);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(2, 3), ElementsAre(4, 5)));
  join(5, 3);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(2, 3, 4, 5)));
  EXPECT_EQ(catalog_->copy_links(2)->size(), 3u);
  EXPECT_EQ(catalog_->copy_links(2)->front().words, "alike");
}

TEST_F(CopyGroupsTest, WhatIsSplitOffStaysApartThoughNewCopiesComeOfBoth) {
  add_some(5);
  join(2, 1);
  join(3, 2);
  ASSERT_TRUE(review(CopyAction::kSplit, {3}));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2)));
  join(4, 3);
  join(4, 1);  // of both sides: it stays where it came first
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
}

TEST_F(CopyGroupsTest, SplittingOffWhatTheOthersHangOnLeavesThemTogether) {
  add_some(8);
  for (const ImageId image : {2, 3, 4}) join(image, 1);  // a star
  join(6, 5);
  join(7, 6);
  join(8, 7);  // a chain
  const auto star = review(CopyAction::kSplit, {1});
  ASSERT_TRUE(star);
  ASSERT_TRUE(review(CopyAction::kSplit, {6}));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(2, 3, 4), ElementsAre(5, 7, 8)));
  ASSERT_TRUE(undo(star->id));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3, 4), ElementsAre(5, 7, 8)));
}

TEST_F(CopyGroupsTest, AReviewThatALaterOneRestsOnIsNotUndoneBeforeIt) {
  add_some(2);
  const auto first = review(CopyAction::kMerge, {1, 2});
  const auto split = review(CopyAction::kSplit, {2});
  const auto second = review(CopyAction::kMerge, {1, 2});
  const auto again = review(CopyAction::kMerge, {1, 2});
  ASSERT_TRUE(first && split && second && again);
  for (const auto& early : {first, split, second}) EXPECT_EQ(undo(early->id).error().code, Code::kBusy);
  for (const auto& late : {again, second, split, first}) ASSERT_TRUE(undo(late->id));
  EXPECT_THAT(groups(), IsEmpty());
}

TEST_F(CopyGroupsTest, MergedPicturesBringTheirGroups) {
  add_some(5);
  join(2, 1);
  join(4, 3);
  const auto merged = review(CopyAction::kMerge, {2, 4, 5});
  ASSERT_TRUE(merged);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3, 4, 5)));
  ASSERT_TRUE(undo(merged->id));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  EXPECT_EQ(undo(merged->id).error().code, Code::kBusy);
}

TEST_F(CopyGroupsTest, AMergeOutweighsAnEarlierSplitAndUndoingGoesBackwards) {
  add_some(3);
  join(2, 1);
  join(3, 1);
  const auto split = review(CopyAction::kSplit, {3});
  ASSERT_TRUE(split);
  const auto merged = review(CopyAction::kMerge, {3, 2});
  ASSERT_TRUE(merged);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3)));
  EXPECT_EQ(undo(split->id).error().code, Code::kBusy) << "the merge speaks of the same pictures";
  ASSERT_TRUE(undo(merged->id));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2)));
  ASSERT_TRUE(undo(split->id));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3)));
}

TEST_F(CopyGroupsTest, AKeptGroupIsReviewedUntilItGrows) {
  add_some(4);
  join(2, 1);
  join(4, 3);
  ASSERT_TRUE(review(CopyAction::kKeep, {2}));
  const auto open = *catalog_->copy_groups(0, true, 10);
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].id, 3u);
  add_some(1);
  join(5, 1);
  EXPECT_EQ(catalog_->copy_groups(0, true, 10)->size(), 2u);
}

TEST_F(CopyGroupsTest, WhatMakesNoSenseIsRefusedAndChangesNothing) {
  add_some(5);
  join(2, 1);
  join(4, 3);
  EXPECT_EQ(review(CopyAction::kSplit, {2, 4}).error().code, Code::kBadInput);
  EXPECT_EQ(review(CopyAction::kSplit, {1, 2}).error().code, Code::kBadInput);
  EXPECT_EQ(review(CopyAction::kKeep, {5}).error().code, Code::kNotFound);
  EXPECT_EQ(review(CopyAction::kMerge, {5}).error().code, Code::kBadInput);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));
  EXPECT_THAT(*catalog_->copy_reviews(10), IsEmpty());
}

TEST_F(CopyGroupsTest, AnyReviewsUndoneFromTheLastLeaveWhatWasFound) {
  std::mt19937 random(7);
  const auto any = [&](int count) { return static_cast<ImageId>(1 + random() % static_cast<unsigned>(count)); };
  constexpr int kPictures = 24;
  add_some(kPictures);
  for (int i = 0; i < 20; ++i) {
    const ImageId a = any(kPictures), b = any(kPictures);
    if (a != b) join(std::max(a, b), std::min(a, b));
  }
  const auto found = groups();
  std::vector<std::uint64_t> reviews;
  for (int i = 0; i < 60; ++i) {
    const auto action = static_cast<CopyAction>(1 + random() % 3);
    std::vector<ImageId> images;
    for (unsigned n = 1 + random() % 3; n > 0; --n) images.push_back(any(kPictures));
    if (const auto made = review(action, images)) reviews.push_back(made->id);
    groups();
  }
  EXPECT_GT(reviews.size(), 10u);
  for (; !reviews.empty(); reviews.pop_back()) ASSERT_TRUE(undo(reviews.back()));
  EXPECT_EQ(groups(), found);
}

TEST_F(CopyGroupsTest, AGreyCopyDoesNotJoinTwoColoursOfOneThing) {
  const Tone red{90, -30}, blue{-40, 80}, dark_red{60, -10};
  add_some(6);  // 1 red, 2 blue, 3 grey, 4 dark red, 5 and 6 grey
  join(3, std::nullopt, 1, red);
  join(3, std::nullopt, 2, blue);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 3)));
  join(4, dark_red, 3, std::nullopt);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 3, 4)));
  // Nor do hashes of grey ones; what both colours agree on does.
  join(5, std::nullopt, 2, blue);
  join(5, 3);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 3, 4), ElementsAre(2, 5)));
  join(6, 5);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 3, 4), ElementsAre(2, 5, 6)));
  // A person knows better, also once it is taken back, and for good.
  const auto merged = review(CopyAction::kMerge, {1, 2});
  ASSERT_TRUE(merged);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3, 4, 5, 6)));
  ASSERT_TRUE(undo(merged->id));
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 3, 4), ElementsAre(2, 5, 6)));
}

TEST_F(CopyGroupsTest, WhatIsAnotherColourStaysInAGroupOfItsOwn) {
  add_some(5);
  join(2, 1);
  const CopyLink colours{4, 1, CopyCause::kOtherColour, "another colour", std::nullopt, std::nullopt};
  ASSERT_TRUE(write([&](CatalogTransaction& t) { return groups_.join(t, std::span(&colours, 1)); }));
  join(4, 3);
  join(5, 4);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4, 5)));
  join(5, 2);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4, 5))) << "whatever lies between them";
  const auto merged = review(CopyAction::kMerge, {1, 4});
  ASSERT_TRUE(merged);
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 3, 4, 5)));
  const std::vector<CopyLink> reasons = *catalog_->copy_links(1);
  for (const CopyLink& link : reasons) EXPECT_NE(link.cause, CopyCause::kOtherColour) << "is no reason to be copies";
  ASSERT_TRUE(undo(merged->id));
  // Put together again in order of id, the one between them goes with the earlier.
  EXPECT_THAT(groups(), ElementsAre(ElementsAre(1, 2, 5), ElementsAre(3, 4)));
}

}  // namespace
}  // namespace magpie::pipeline
